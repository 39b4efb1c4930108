#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_image_info
version_added: 0.1.0
short_description: Look up images in an ECR repository
description:
  - Returns the images of a repository with certain tags or digests, or all of them.
  - A repository or image that does not exist is not an error.
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.info
  - antenna.aws.attributes.aws
options:
  repository_name:
    description:
      - Name of the repository.
    type: str
    required: true
  registry_id:
    description:
      - Account id of the registry. Without it, the caller's own account.
    type: str
  image_tags:
    description:
      - Tags to look for. With neither this nor O(image_digests), all images are returned; an empty list looks for none.
    type: list
    elements: str
  image_digests:
    description:
      - Digests to look for.
    type: list
    elements: str
author:
  - The antenna.aws maintainers (@RolnickLab)
"""

EXAMPLES = r"""
- name: See whether this content is in the registry already
  antenna.aws.ecr_image_info:
    repository_name: antenna-backend
    image_tags: [content-0a1b2c3d4e5f]
  register: backend

- name: Show by which digest it is to be run
  ansible.builtin.debug:
    msg: "{{ backend.images[0].image_digest if backend.images else 'to be built' }}"
"""

RETURN = r"""
images:
  description: The images that were found, the one that was pushed last first.
  returned: success
  type: list
  elements: dict
  contains:
    image_digest:
      description: Digest of the image's manifest.
      type: str
      sample: sha256:4bc453b53cb3d914b45f4b250294236adba2c0e09ff6f03793949e7e39fd4cc1
    image_tags:
      description: All tags of the image.
      type: list
      elements: str
      sample: [v10]
    pushed_at:
      description: When it was pushed, ISO 8601.
      type: str
      sample: "2026-11-23T10:00:00+00:00"
    size:
      description: Size in the registry, in bytes.
      type: int
"""

from dataclasses import asdict

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.module import client, run
from ansible_collections.antenna.aws.plugins.module_utils._ecr.images import images

SPEC = ArgumentSpec(
    {
        "repository_name": {"type": "str", "required": True},
        "registry_id": {"type": "str"},
        "image_tags": {"type": "list", "elements": "str"},
        "image_digests": {"type": "list", "elements": "str"},
    }
)


def work(module: AnsibleAWSModule) -> dict[str, object]:
    """Look the images up and return the module's result."""
    wanted = {name: module.params[name] for name in SPEC.argument_spec}
    return {"changed": False, "images": [asdict(image) for image in images(client(module, "ecr"), **wanted)]}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
