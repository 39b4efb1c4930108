#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: s3_site_info
version_added: 0.2.0
short_description: Look at a web site in S3
description:
  - Returns the files of a site in an S3 bucket, and what its content is called.
  - Files that M(antenna.aws.s3_site) has marked as no longer part of the site are none of them.
  - A bucket that does not exist has no files.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
options:
  bucket:
    description:
      - Name of the bucket.
    type: str
    required: true
  prefix:
    description:
      - What the keys of the site begin with, without the C(/) at its end; empty for the whole bucket.
    type: str
    default: ""
author:
  - The antenna.aws maintainers (@RolnickLab)
"""

EXAMPLES = r"""
- name: Look at the UI of staging
  antenna.aws.s3_site_info:
    bucket: antenna-staging-ui-123456789012
  register: staging

- name: Require the UI that was approved
  ansible.builtin.assert:
    that: staging.content == approved_content
"""

RETURN = r"""
content:
  description:
    - The SHA-256 of the site, of names, contents and headers. It is what M(antenna.aws.s3_site) has returned as its
      C(content) when it uploaded the site.
  returned: success
  type: str
  sample: 7d865e959b2466918c9863afca942d0fb89d7c9ac0c99bafc3749504ded97730
files:
  description: The paths of the files below the prefix, sorted.
  returned: success
  type: list
  elements: str
  sample: [assets/index-Dx9y8z7w.js, index.html]
"""

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting, client, run
from ansible_collections.antenna.aws.plugins.module_utils._s3site.api import read_objects
from ansible_collections.antenna.aws.plugins.module_utils._s3site.model import Layout, clean_prefix
from ansible_collections.antenna.aws.plugins.module_utils._s3site.planner import live_objects, objects_digest

SPEC = ArgumentSpec({"bucket": {"type": "str", "required": True}, "prefix": {"type": "str", "default": ""}})


def work(module: AnsibleAWSModule) -> dict[str, object]:
    """Look at the site and return the module's result."""
    layout = Layout(module.params["bucket"], clean_prefix(module.params["prefix"]))
    with attempting(f"read the objects of the bucket {layout.bucket} below '{layout.prefix}'"):
        live = live_objects(read_objects(client(module, "s3"), layout))
    return {
        "changed": False,
        "content": objects_digest(layout, live),
        "files": sorted(item.key.removeprefix(layout.prefix) for item in live),
    }


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
