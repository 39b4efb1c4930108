#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eb_version
version_added: 0.1.0
short_description: Manage an Elastic Beanstalk application and its versions
description:
  - Creates the application, puts a source bundle into S3 unless it is there already, and creates an application version
    from it.
  - A version's content cannot change. A label that exists with another bundle is refused.
  - Deploys nothing; that is what M(antenna.aws.eb_environment) does.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - amazon.aws.tags
  - antenna.aws.attributes
  - antenna.aws.attributes.aws
options:
  application_name:
    description:
      - Name of the application.
    type: str
    required: true
  version_label:
    description:
      - Label of the version. Without it, only the application is managed.
    type: str
  source_bundle:
    description:
      - Path of the bundle, as M(antenna.aws.eb_bundle) makes it. Needed to create the version.
    type: path
  source_bundle_sha256:
    description:
      - The SHA-256 that the bundle must have, as M(antenna.aws.eb_bundle) returns it. Another bundle is refused.
      - With it, check mode does without the file, which a check of the bundle does not make.
    type: str
    version_added: 0.2.0
  application_tags:
    description:
      - Tags with which the application is created. It outlives the version, and has none of O(tags).
    type: dict
    version_added: 0.2.0
  bucket:
    description:
      - Bucket for the bundle, in the region of the environment.
      - Without it, the service's own bucket of the account and region, which is created when it does not exist. The
        key is the application's name and the label.
    type: str
  description:
    description:
      - Description of the version.
    type: str
  process:
    description:
      - Whether the service checks the bundle's configuration files when the version is created. The outcome is awaited.
    type: bool
    default: false
  wait_timeout:
    description:
      - How long to wait for that, in seconds.
    type: int
    default: 300
  state:
    description:
      - V(absent) deletes the version and its bundle or, without O(version_label), the application with its versions.
      - What an environment runs is not deleted.
    type: str
    choices: [present, absent]
    default: present
author:
  - The antenna.aws maintainers (@RolnickLab)
"""

EXAMPLES = r"""
- name: Make the bundle known
  antenna.aws.eb_version:
    application_name: antenna
    version_label: "{{ bundle.version_label }}"
    source_bundle: "{{ bundle.path }}"
    process: true

- name: Delete the application
  antenna.aws.eb_version:
    application_name: antenna
    state: absent
"""

RETURN = r"""
application_version:
  description: The version. Only the application's name when there is no version, and empty without an application.
  returned: success
  type: dict
  contains:
    application_name:
      description: Name of the application.
      type: str
      sample: antenna
    version_label:
      description: Label of the version.
      type: str
      sample: antenna-0a1b2c3d4e5f
    arn:
      description: ARN of the version; null in check mode when it does not exist yet.
      type: str
    description:
      description: Description of the version.
      type: str
    status:
      description: Whether the service has processed it, in upper case.
      type: str
      sample: PROCESSED
    s3_bucket:
      description: Bucket of the bundle.
      type: str
      sample: elasticbeanstalk-eu-central-1-123456789012
    s3_key:
      description: Key of the bundle.
      type: str
      sample: antenna/antenna-0a1b2c3d4e5f.zip
    sha256:
      description: SHA-256 of the bundle in S3, hexadecimal; null when it is gone.
      type: str
    tags:
      description: Tags of the version; empty when O(tags) is not given.
      type: dict
s3_bucket:
  description: Bucket of the bundle.
  returned: when there is a version, or will be
  type: str
s3_key:
  description: Key of the bundle.
  returned: when there is a version, or will be
  type: str
plan:
  description: What was done, or would be done in check mode.
  returned: success
  type: list
  elements: dict
  contains:
    op:
      description: What is done.
      type: str
      sample: create version
    resource:
      description: What it is done to.
      type: str
      sample: antenna-0a1b2c3d4e5f
    reason:
      description: Why it is done.
      type: str
"""

import typing as t

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import STATE, TAGS, ArgumentSpec, texts
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import SystemClock
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client, result, run, sync
from ansible_collections.antenna.aws.plugins.module_utils._eb.version_store import Clients, VersionManager, file_sha256
from ansible_collections.antenna.aws.plugins.module_utils._eb.versions import SourceBundle, WantedVersion

SPEC = ArgumentSpec(
    {
        "application_name": {"type": "str", "required": True},
        "version_label": {"type": "str"},
        "source_bundle": {"type": "path"},
        "source_bundle_sha256": {"type": "str"},
        "application_tags": {"type": "dict"},
        "bucket": {"type": "str"},
        "description": {"type": "str"},
        "process": {"type": "bool", "default": False},
        "wait_timeout": {"type": "int", "default": 300},
    },
    required_by={"source_bundle": "version_label", "source_bundle_sha256": "source_bundle"},
).merge(STATE, TAGS)


def bundle_from(path: str, sha256: str | None, check_mode: bool) -> SourceBundle:
    """Return the bundle at the path. Raises AntennaError when it is not the one of this hash."""
    if check_mode and sha256 is not None:
        return SourceBundle(path, sha256)
    found = file_sha256(path)
    if sha256 not in (None, found):
        raise AntennaError(f"The source_bundle {path!r} has the SHA-256 {found}, not {sha256}. Build it again.")
    return SourceBundle(path, found)


def wanted_from(params: t.Mapping[str, t.Any], check_mode: bool) -> WantedVersion:
    """Return the version that the parameters declare; reads the bundle, which a check may do without."""
    path, tags = params["source_bundle"], params["tags"]
    needs_bundle = path is not None and params["state"] == "present"
    return WantedVersion(
        application_name=params["application_name"],
        version_label=params["version_label"],
        source_bundle=bundle_from(path, params["source_bundle_sha256"], check_mode) if needs_bundle else None,
        bucket=params["bucket"],
        description=params["description"],
        tags=None if tags is None else texts(tags),
        purge_tags=params["purge_tags"],
        application_tags=texts(params["application_tags"] or {}),
        process=params["process"],
    )


def work(module: AnsibleAWSModule) -> dict[str, t.Any]:
    """Bring application and version to what is declared and return the module's result."""
    wanted = wanted_from(module.params, module.check_mode)
    beanstalk = client(module, "elasticbeanstalk")
    manager = VersionManager(
        clients=Clients(beanstalk, client(module, "s3"), client(module, "sts"), beanstalk.meta.region_name),
        clock=SystemClock(),
        wanted=wanted,
        present=module.params["state"] == "present",
        wait_timeout=module.params["wait_timeout"],
    )
    outcome = sync(manager, module.check_mode)
    version = manager.view(outcome.after)
    location = {str(key): value for key, value in version.items() if key in ("s3_bucket", "s3_key")}
    return {**result(manager, outcome), **location, "application_version": version}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
