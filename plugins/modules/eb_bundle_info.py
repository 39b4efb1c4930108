#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: eb_bundle_info
short_description: Look into the source bundle of a version of an Elastic Beanstalk application
version_added: 0.2.0
description:
  - Reads the bundle of a version from S3, and returns its containers, volumes and files. Values of environment
    variables are left out.
author:
  - The antenna.aws maintainers (@RolnickLab)
options:
  application_name:
    description:
      - Name of the application.
    type: str
    required: true
  version_label:
    description:
      - Label of the version.
    type: str
    required: true
seealso:
  - module: antenna.aws.eb_bundle
  - module: antenna.aws.eb_version
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
"""

EXAMPLES = r"""
- name: Look into the bundle that runs in an environment
  antenna.aws.eb_bundle_info:
    application_name: antenna-staging
    version_label: "{{ staging.version_label }}"
  register: staged
"""

RETURN = r"""
bundles:
  description: The bundle; empty when there is no such version.
  returned: success
  type: list
  elements: dict
  contains:
    s3_bucket:
      description: Bucket of the bundle.
      type: str
      sample: elasticbeanstalk-eu-central-1-123456789012
    s3_key:
      description: Key of the bundle.
      type: str
      sample: antenna/antenna-0a1b2c3d4e5f.zip
    sha256:
      description: SHA-256 of the zip, hexadecimal.
      type: str
    containers:
      description:
        - The container definitions of C(Dockerrun.aws.json), their keys in snake case, such as C(entry_point) and
          C(port_mappings). Values of environment variables are hidden.
      type: list
      elements: dict
      sample:
        - name: cache
          image: public.ecr.aws/docker/library/memcached:1.6.38
          essential: true
          memory: 128
    volumes:
      description: The volumes of C(Dockerrun.aws.json).
      type: list
      elements: dict
      sample: [{name: bundle, host: {source_path: /var/app/current}}]
    files:
      description: SHA-256 of each file, hexadecimal, by its path in the bundle.
      type: dict
"""

import hashlib
import typing as t
import zipfile

from ansible.module_utils.common.dict_transformations import camel_dict_to_snake_dict
from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client, run
from ansible_collections.antenna.aws.plugins.module_utils._eb import bundle as eb
from ansible_collections.antenna.aws.plugins.module_utils._eb.version_store import read_bundle
from ansible_collections.antenna.aws.plugins.module_utils._eb.versions import Location

SPEC = ArgumentSpec(
    {
        "application_name": {"type": "str", "required": True},
        "version_label": {"type": "str", "required": True},
    }
)


def described(location: Location, content: bytes) -> dict[str, t.Any]:
    """Return what is in the zip. Raises AntennaError when it is none."""
    try:
        files = eb.unpacked(content)
    except zipfile.BadZipFile as error:
        raise AntennaError(f"{location} is no bundle: {error}.") from error
    dockerrun = eb.shown(files).get(eb.DOCKERRUN)
    snake = camel_dict_to_snake_dict(dockerrun) if isinstance(dockerrun, dict) else {}
    return {
        "s3_bucket": location.bucket,
        "s3_key": location.key,
        "sha256": hashlib.sha256(content).hexdigest(),
        "containers": snake.get("container_definitions", []),
        "volumes": snake.get("volumes", []),
        "files": {file.path: hashlib.sha256(file.content).hexdigest() for file in files},
    }


def work(module: t.Any) -> dict[str, t.Any]:
    """Read the bundle and return what is in it."""
    application, label = module.params["application_name"], module.params["version_label"]
    found = read_bundle(client(module, "elasticbeanstalk"), client(module, "s3"), application, label)
    return {"changed": False, "bundles": [described(*found)] if found else []}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
