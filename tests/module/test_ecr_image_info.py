# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from typing import Any

import pytest

DIGESTS = {name: f"sha256:{digit * 64}" for name, digit in (("v1", "a"), ("v2", "b"))}


def put_images(aws: Any) -> None:
    ecr = aws.client("ecr")
    ecr.create_repository(repositoryName="web")
    for tag, digest in DIGESTS.items():
        manifest = {
            "schemaVersion": 2,
            "mediaType": "application/vnd.docker.distribution.manifest.v2+json",
            "config": {"mediaType": "application/json", "size": 1, "digest": digest},
            "layers": [],
        }
        ecr.put_image(repositoryName="web", imageManifest=json.dumps(manifest), imageTag=tag, imageDigest=digest)
    aws.writes()


@pytest.mark.parametrize("check", [True, False])
@pytest.mark.parametrize(
    ("asked", "tags"),
    [
        ({}, {"v1", "v2"}),
        ({"image_tags": ["v1"]}, {"v1"}),
        ({"image_tags": ["v1", "absent"]}, {"v1"}),
        ({"image_digests": [DIGESTS["v2"]]}, {"v2"}),
        ({"image_tags": ["v2"], "image_digests": [DIGESTS["v2"]]}, {"v2"}),
        ({"image_tags": ["absent"]}, set()),
        ({"image_tags": []}, set()),
    ],
)
def test_what_is_found(aws: Any, asked: dict[str, Any], tags: set[str], check: bool) -> None:
    put_images(aws)
    found = aws.run_module("ecr_image_info", {"repository_name": "web", **asked}, check=check)
    assert not found["changed"]
    assert {tag for image in found["images"] for tag in image["image_tags"]} == tags
    assert {image["image_digest"] for image in found["images"]} == {DIGESTS[tag] for tag in tags}
    assert aws.writes() == []


def test_an_absent_repository_has_no_images(aws: Any) -> None:
    assert aws.run_module("ecr_image_info", {"repository_name": "absent", "image_tags": ["v1"]})["images"] == []
    assert aws.run_module("ecr_image_info", {"repository_name": "absent"})["images"] == []
