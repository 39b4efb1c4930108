#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: build_context_info
short_description: Name the content of a build context
version_added: 0.1.0
description:
  - Computes a hash of what an image would be built from. That is the files of the build context that C(.dockerignore)
    leaves, the Dockerfile, the build arguments and the platform.
  - The hash depends on names, bytes, executable bits and targets of symbolic links. It does not depend on times,
    owners, the machine or the directory's own name.
  - Warns of a C(.git) that C(.dockerignore) does not take out, for it makes the hash another one in each clone.
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
options:
  context:
    description:
      - The build context, a directory on the controller.
    type: path
    required: true
  dockerfile:
    description:
      - The Dockerfile; without it none is part of the content. An ignore file of its own, with its name and the ending
        C(.dockerignore), takes the place of the context's.
    type: path
  ignore:
    description:
      - More lines of a C(.dockerignore), after those of the context.
    type: list
    elements: str
    default: []
  build_args:
    description:
      - Build arguments by name.
    type: dict
    default: {}
  platform:
    description:
      - Platform that is built for, such as V(linux/amd64).
    type: str
    default: ""
extends_documentation_fragment:
  - antenna.aws.attributes.info
"""

EXAMPLES = r"""
- name: Name the content of the backend
  antenna.aws.build_context_info:
    context: /src/antenna
    dockerfile: /src/antenna/compose/production/django/Dockerfile
    platform: linux/amd64
  register: backend
"""

RETURN = r"""
sha256:
  description: The hash, in hexadecimal digits.
  returned: success
  type: str
tag:
  description: A tag for the image of this content, C(sha-) and the first 12 digits of the hash.
  returned: success
  type: str
  sample: sha-0123456789ab
files:
  description: How many files and symbolic links the context has.
  returned: success
  type: int
  sample: 412
size:
  description: How many bytes they have together.
  returned: success
  type: int
  sample: 1048576
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.module import run
from ansible_collections.antenna.aws.plugins.module_utils._ecr.context import read_context

SPEC = ArgumentSpec(
    {
        "context": {"type": "path", "required": True},
        "dockerfile": {"type": "path"},
        "ignore": {"type": "list", "elements": "str", "default": []},
        "build_args": {"type": "dict", "default": {}},
        "platform": {"type": "str", "default": ""},
    }
)


def work(module: AnsibleModule) -> dict[str, Any]:
    """Read the context and name it."""
    params = module.params
    context = read_context(
        Path(params["context"]),
        dockerfile=Path(params["dockerfile"]) if params["dockerfile"] else None,
        ignore=params["ignore"],
        build_args=params["build_args"],
        platform=params["platform"],
    )
    if context.git:
        module.warn(
            f"The build context {params['context']} has its .git, which differs from clone to clone, "
            "and so does what is built from it: add .git to its .dockerignore."
        )
    return {
        "changed": False,
        "sha256": context.sha256,
        "tag": context.tag,
        "files": context.files,
        "size": context.size,
    }


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
