# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The images of an ECR repository: how they are asked for, and what they are."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting

_ABSENT = ("ImageNotFoundException", "RepositoryNotFoundException")


@dataclass(frozen=True)
class Image:
    """An image by its digest; ``pushed_at`` is ISO 8601, ``size`` is bytes as they lie in the registry."""

    image_digest: str
    image_tags: tuple[str, ...]
    pushed_at: str | None
    size: int | None


def images(
    client: t.Any,
    repository_name: str,
    registry_id: str | None = None,
    image_tags: t.Sequence[str] | None = None,
    image_digests: t.Sequence[str] | None = None,
) -> tuple[Image, ...]:
    """Return the images with any of the tags or digests, or all when neither is given, newest first.

    What does not exist is left out, be it an image or the whole repository. Raises AwsError.
    """
    # Asked for one by one, as the service answers with an error when any one is absent.
    wanted = [
        *({"imageTag": tag} for tag in image_tags or ()),
        *({"imageDigest": digest} for digest in image_digests or ()),
    ]
    if image_tags is None and image_digests is None:
        details = _described(client, repository_name, registry_id, None)
    else:
        details = [
            item
            for image_id in wanted
            for item in _described(client, repository_name, registry_id, image_id)
            if _is(item, image_id)
        ]
    by_digest = {item["imageDigest"]: item for item in details}
    found = [image_from(item) for item in by_digest.values()]
    return tuple(sorted(found, key=lambda image: (image.pushed_at or "", image.image_digest), reverse=True))


def image_from(item: t.Mapping[str, t.Any]) -> Image:
    """Return the image from the service's answer about it."""
    pushed_at = item.get("imagePushedAt")
    return Image(
        image_digest=item["imageDigest"],
        image_tags=tuple(sorted(item.get("imageTags") or ())),
        pushed_at=pushed_at.isoformat() if pushed_at else None,
        size=item.get("imageSizeInBytes"),
    )


def _is(item: t.Mapping[str, t.Any], image_id: t.Mapping[str, str]) -> bool:
    if "imageTag" in image_id:
        return image_id["imageTag"] in (item.get("imageTags") or ())
    return bool(item["imageDigest"] == image_id["imageDigest"])


def _described(
    client: t.Any, repository_name: str, registry_id: str | None, image_id: t.Mapping[str, str] | None
) -> list[dict[str, t.Any]]:
    arguments: dict[str, t.Any] = {"repositoryName": repository_name}
    if registry_id is not None:
        arguments["registryId"] = registry_id
    if image_id is not None:
        arguments["imageIds"] = [image_id]
    details: list[dict[str, t.Any]] = []
    try:
        with attempting(f"describe the images of the repository {repository_name!r}"):
            while True:
                answer = client.describe_images(**arguments, aws_retry=True)
                details.extend(answer["imageDetails"])
                if not answer.get("nextToken"):
                    return details
                arguments["nextToken"] = answer["nextToken"]
    except AwsError as error:
        if error.code in _ABSENT:
            return []
        raise
