#!/usr/bin/python
# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_docker_config
short_description: Write a Docker client configuration that may push to Amazon ECR
version_added: 0.1.0
description:
  - Asks ECR for credentials and writes them into C(config.json) of a directory, for C(docker --config DIRECTORY).
    They are valid for 12 hours.
  - The credentials appear on no command line, in no result and in no log, and the user's own configuration stays as it
    is.
  - ECR gives other credentials each time, so this always changes the file. Use it only when something is to be pushed.
author:
  - Contributors to the antenna.aws collection (@antenna-aws)
options:
  path:
    description:
      - The directory. It is made where it is missing, and only its owner may read it.
    type: path
    required: true
attributes:
  check_mode:
    description: Can run in check_mode and return changed status without modifying the target.
    support: full
  diff_mode:
    description: Credentials are not shown.
    support: none
  idempotent:
    description: ECR gives other credentials each time.
    support: none
extends_documentation_fragment:
  - amazon.aws.common.modules
  - amazon.aws.region.modules
  - amazon.aws.boto3
  - antenna.aws.attributes.aws
"""

EXAMPLES = r"""
- name: Sign in to the registry
  antenna.aws.ecr_docker_config:
    path: /var/tmp/antenna/docker

- name: Push an image
  ansible.builtin.command:
    argv: [docker, --config=/var/tmp/antenna/docker, push, "{{ repository_uri }}:v10"]
"""

RETURN = r"""
registry:
  description: Host, and port where there is one, of the registry that the credentials are for; not in check mode.
  returned: when credentials were asked for
  type: str
  sample: 123456789012.dkr.ecr.us-west-2.amazonaws.com
expires_at:
  description: When the credentials expire.
  returned: when credentials were asked for
  type: str
  sample: "2026-11-23T21:00:00+00:00"
"""

import json
import os
from pathlib import Path
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.modules import AnsibleAWSModule
from ansible_collections.antenna.aws.plugins.module_utils._core.argspec import ArgumentSpec
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting, client, run

SPEC = ArgumentSpec({"path": {"type": "path", "required": True}})


def write_config(directory: Path, registry: str, auth: str) -> None:
    """Write the configuration so that only its owner can ever read it. ``auth`` is user and password in base64."""
    try:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = directory / "config.json"
        part = directory / f".config.json.{os.getpid()}"
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as stream:
            json.dump({"auths": {registry: {"auth": auth}}}, stream)
        part.replace(file)
    except OSError as error:
        raise AntennaError(
            f"Could not write the Docker configuration in {str(directory)!r}: {error.strerror}."
        ) from error


def work(module: Any) -> dict[str, Any]:
    """Ask for credentials and write them."""
    if module.check_mode:
        return {"changed": True}
    with attempting("get credentials of the registry from ECR"):
        answer = client(module, "ecr").get_authorization_token(aws_retry=True)
    data = answer["authorizationData"][0]
    registry = data["proxyEndpoint"].split("://", 1)[-1].rstrip("/")
    write_config(Path(module.params["path"]), registry, data["authorizationToken"])
    return {"changed": True, "registry": registry, "expires_at": data["expiresAt"].isoformat()}


def main() -> None:
    """Run the module."""
    module = SPEC.create(AnsibleAWSModule)
    run(module, lambda: work(module))


if __name__ == "__main__":
    main()
