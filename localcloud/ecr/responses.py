# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR's API: repositories are moto's, images are the registry's."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult
from moto.ecr.exceptions import (
    ImageAlreadyExistsException,
    ImageNotFoundException,
    InvalidParameterException,
    LifecyclePolicyNotFoundException,
    RepositoryNotEmptyException,
)
from moto.ecr.models import Repository
from moto.ecr.policy_validation import EcrLifecyclePolicyValidator
from moto.ecr.responses import ECRResponse

from localcloud.ecr import gate
from localcloud.ecr.lifecycle import Expiry, expired
from localcloud.ecr.registry import Image, ManifestRefused, Registry, RegistryError
from localcloud.ecr.tokens import USER, Passwords

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

ImageId = Mapping[str, str]

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


class ServerException(ServiceException):  # type: ignore[misc]
    """The registry failed."""

    code = "ServerException"


class LayersNotFoundException(ServiceException):  # type: ignore[misc]
    """A manifest names layers that nobody has pushed."""

    code = "LayersNotFoundException"

    def __init__(self, repository: Repository, digests: Iterable[str]) -> None:
        super().__init__(
            f"Layers with digests '[{', '.join(digests)}]' required for pushing image into repository with name "
            f"'{repository.name}' in the registry with id '{repository.registry_id}' do not exist"
        )


class InvalidLayerException(ServiceException):  # type: ignore[misc]
    """A layer is not the one that was announced."""

    code = "InvalidLayerException"

    def __init__(self, repository: Repository, digest: str) -> None:
        super().__init__(
            f"The layer uploaded to the repository with name '{repository.name}' in the registry with id "
            f"'{repository.registry_id}' has the digest '{digest}', which is none of layerDigests"
        )


class LayerAlreadyExistsException(ServiceException):  # type: ignore[misc]
    """A layer is there."""

    code = "LayerAlreadyExistsException"

    def __init__(self, repository: Repository, digest: str) -> None:
        super().__init__(
            f"Layer with digest '{digest}' already exists in the repository with name '{repository.name}' in the "
            f"registry with id '{repository.registry_id}'"
        )


class ImageTagAlreadyExistsException(ServiceException):  # type: ignore[misc]
    """The tag is there and must stay."""

    code = "ImageTagAlreadyExistsException"


class LifecyclePolicyPreviewNotFoundException(ServiceException):  # type: ignore[misc]
    """No preview was started."""

    code = "LifecyclePolicyPreviewNotFoundException"


class RegistryECRResponse(ECRResponse):  # type: ignore[misc]
    """Set `registry`, `passwords`, `cloud` and `address` (host:port) before the first request.

    `previews` are the policies of which a preview was started, by the repository's ARN.
    """

    cloud: Cloud
    previews: ClassVar[dict[str, str]] = {}
    registry: Registry
    passwords: Passwords
    address: str

    def call_action(self) -> Any:
        try:
            return super().call_action()
        except RegistryError as error:
            return self.serialized(ActionResult(ServerException(str(error))))

    def get_authorization_token(self) -> ActionResult:
        # Whoever holds a password goes to the registry next, and not through us.
        self.registry.wait()
        password, expires = self.passwords.issue()
        data = {
            "authorizationToken": base64.b64encode(f"{USER}:{password}".encode()).decode(),
            "expiresAt": expires,
            "proxyEndpoint": f"http://{self.address}",
        }
        return ActionResult({"authorizationData": [data]})

    def create_repository(self) -> ActionResult:
        answer = super().create_repository()
        self._repository().uri = f"{self.address}/{self._name()}"
        return answer

    def delete_repository(self) -> ActionResult:
        repository = self._repository()
        if not self._get_param("force") and self.registry.images(repository.name):
            raise RepositoryNotEmptyException(repository.name, repository.registry_id)
        answer = super().delete_repository()
        self.registry.forget(repository.name)
        return answer

    def describe_images(self) -> ActionResult:
        repository = self._repository()
        images = self.registry.images(repository.name)
        ids = self._get_param("imageIds")
        if ids:
            chosen = {image.digest: image for image in (self._one(repository, images, wanted) for wanted in ids)}
            images = list(chosen.values())
        images = _with_tag_status(images, self._get_param("filter", {}))
        return ActionResult({"imageDetails": [_details(repository, image) for image in images]})

    def list_images(self) -> ActionResult:
        images = _with_tag_status(self.registry.images(self._repository().name), self._get_param("filter", {}))
        ids: list[dict[str, str]] = []
        for image in images:
            ids += [{"imageDigest": image.digest, "imageTag": tag} for tag in image.tags]
            ids += [] if image.tags else [{"imageDigest": image.digest}]
        return ActionResult({"imageIds": ids})

    def batch_get_image(self) -> ActionResult:
        repository = self._repository()
        images = self.registry.images(repository.name)
        found, failures = [], []
        for wanted in self._get_param("imageIds"):
            image = _find(images, wanted)
            if image is None:
                failures.append(_not_found(wanted))
                continue
            found.append(
                {
                    "registryId": repository.registry_id,
                    "repositoryName": repository.name,
                    "imageId": {"imageDigest": image.digest, **_tag_of(wanted, image)},
                    "imageManifest": image.manifest,
                    "imageManifestMediaType": image.media_type,
                }
            )
        return ActionResult({"images": found, "failures": failures})

    def batch_delete_image(self) -> ActionResult:
        repository = self._repository()
        deleted, failures = [], []
        for wanted in self._get_param("imageIds"):
            image = _find(self.registry.images(repository.name), wanted)
            if image is None:
                failures.append(_not_found(wanted))
                continue
            deleted += self._delete(repository.name, image, wanted)
        return ActionResult({"imageIds": deleted, "failures": failures})

    def put_image(self) -> ActionResult:
        repository = self._repository()
        manifest = str(self._get_param("imageManifest"))
        tag = self._get_param("imageTag")
        reference = tag or self._get_param("imageDigest") or _digest_of(manifest)
        media_type = self._get_param("imageManifestMediaType") or _media_type_in(manifest)
        if not media_type:
            raise InvalidParameterException("image manifest mediatype not provided in manifest or parameter")
        self._check_tag(repository, tag, manifest)
        digest = self._put(repository, reference, manifest, media_type)
        image = {
            "registryId": repository.registry_id,
            "repositoryName": repository.name,
            "imageId": {"imageDigest": digest, **({"imageTag": tag} if tag else {})},
            "imageManifest": manifest,
            "imageManifestMediaType": media_type,
        }
        return ActionResult({"image": image})

    def _put(self, repository: Repository, reference: str, manifest: str, media_type: str) -> str:
        try:
            return self.registry.put(repository.name, reference, manifest.encode(), media_type)
        except ManifestRefused as error:
            if error.missing:
                raise LayersNotFoundException(repository, error.missing) from error
            raise InvalidParameterException(f"Invalid parameter at 'ImageManifest': {error}") from error

    def complete_layer_upload(self) -> ActionResult:
        repository = self._repository()
        upload = repository.uploads.get(self._get_param("uploadId"))
        if upload is None:
            return super().complete_layer_upload()
        content = bytes(upload.layer_parts)
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        if digest not in self._get_param("layerDigests"):
            raise InvalidLayerException(repository, digest)
        if self.registry.layer_size(repository.name, digest) is not None:
            raise LayerAlreadyExistsException(repository, digest)
        self.registry.put_layer(repository.name, digest, content)
        return super().complete_layer_upload()

    def batch_check_layer_availability(self) -> ActionResult:
        repository = self._repository()
        asked = [digest for digest in self._get_param("layerDigests") if _DIGEST.fullmatch(digest)]
        sizes = {digest: self.registry.layer_size(repository.name, digest) for digest in asked}
        # Whence moto answers.
        repository.layers = {digest: size for digest, size in sizes.items() if size is not None}
        return super().batch_check_layer_availability()

    def _check_tag(self, repository: Repository, tag: str | None, manifest: str) -> None:
        """Refuse an image under a tag that it has, and under one that must stay."""
        if tag is None:
            return
        digest = _digest_of(manifest)
        if _find(self.registry.images(repository.name), {"imageDigest": digest, "imageTag": tag}) is not None:
            raise ImageAlreadyExistsException(repository.name, repository.registry_id, digest, tag)
        if (refusal := gate.refused(self.registry, repository.name, tag)) is not None:
            raise ImageTagAlreadyExistsException(refusal)

    def start_lifecycle_policy_preview(self) -> ActionResult:
        repository = self._repository()
        policy = self._get_param("lifecyclePolicyText") or repository.lifecycle_policy
        if not policy:
            raise LifecyclePolicyNotFoundException(repository.name, repository.registry_id)
        EcrLifecyclePolicyValidator(policy).validate()
        self.previews[repository.arn] = policy
        return ActionResult({**_of(repository), "lifecyclePolicyText": policy, "status": "IN_PROGRESS"})

    def get_lifecycle_policy_preview(self) -> ActionResult:
        repository = self._repository()
        policy = self.previews.get(repository.arn)
        if policy is None:
            raise LifecyclePolicyPreviewNotFoundException(
                f"Lifecycle policy preview does not exist for the repository with name '{repository.name}' in the "
                f"registry with id '{repository.registry_id}'"
            )
        found = expired(policy, self.registry.images(repository.name), self.cloud.clock.now())
        return ActionResult(
            {
                **_of(repository),
                "lifecyclePolicyText": policy,
                "status": "COMPLETE",
                "previewResults": [_previewed(expiry) for expiry in found],
                "summary": {"expiringImageTotalCount": len(found)},
            }
        )

    def _name(self) -> str:
        return str(self._get_param("repositoryName"))

    def _repository(self) -> Repository:
        return self.ecr_backend._get_repository(self._name(), self._get_param("registryId"))

    def _one(self, repository: Repository, images: Iterable[Image], wanted: ImageId) -> Image:
        image = _find(images, wanted)
        if image is None:
            digest, tag = wanted.get("imageDigest", "null"), wanted.get("imageTag", "null")
            raise ImageNotFoundException(
                image_id=f"{{imageDigest:'{digest}', imageTag:'{tag}'}}",
                repository_name=repository.name,
                registry_id=repository.registry_id,
            )
        return image

    def _delete(self, repository: str, image: Image, wanted: ImageId) -> list[dict[str, str]]:
        """By tag only the tag goes, and the image with its last one; by digest the image with all its tags."""
        tag = wanted.get("imageTag")
        if tag is not None and "imageDigest" not in wanted and len(image.tags) > 1:
            self.registry.untag(repository, tag)
            return [{"imageDigest": image.digest, "imageTag": tag}]
        self.registry.remove(repository, image)
        return [{"imageDigest": image.digest, "imageTag": left} for left in image.tags] or [
            {"imageDigest": image.digest}
        ]


def _digest_of(manifest: str) -> str:
    return f"sha256:{hashlib.sha256(manifest.encode()).hexdigest()}"


def _of(repository: Repository) -> dict[str, str]:
    return {"registryId": repository.registry_id, "repositoryName": repository.name}


def _previewed(expiry: Expiry) -> dict[str, Any]:
    return {
        "imageTags": list(expiry.image.tags),
        "imageDigest": expiry.image.digest,
        "imagePushedAt": expiry.image.pushed_at,
        "action": {"type": "EXPIRE"},
        "appliedRulePriority": expiry.priority,
    }


def _find(images: Iterable[Image], wanted: ImageId) -> Image | None:
    digest, tag = wanted.get("imageDigest"), wanted.get("imageTag")
    if digest is None and tag is None:
        return None
    for image in images:
        if digest in (None, image.digest) and (tag is None or tag in image.tags):
            return image
    return None


def _tag_of(wanted: ImageId, image: Image) -> dict[str, str]:
    tag = wanted.get("imageTag") or next(iter(image.tags), None)
    return {"imageTag": tag} if tag else {}


def _not_found(wanted: ImageId) -> dict[str, Any]:
    digest = wanted.get("imageDigest")
    if digest is not None and not _DIGEST.fullmatch(digest):
        code, reason = (
            "InvalidImageDigest",
            "Invalid request parameters: image digest should be sha256 and 64 hex digits",
        )
    elif not wanted:
        code, reason = "MissingDigestAndTag", "Invalid request parameters: both tag and digest cannot be null"
    else:
        code, reason = "ImageNotFound", "Requested image not found"
    return {"imageId": dict(wanted), "failureCode": code, "failureReason": reason}


def _with_tag_status(images: Sequence[Image], chosen: Mapping[str, str]) -> Sequence[Image]:
    status = chosen.get("tagStatus", "ANY")
    return [image for image in images if status == "ANY" or bool(image.tags) == (status == "TAGGED")]


def _details(repository: Repository, image: Image) -> dict[str, Any]:
    return {
        "registryId": repository.registry_id,
        "repositoryName": repository.name,
        "imageDigest": image.digest,
        # ECR leaves the list out where it would be empty.
        **({"imageTags": list(image.tags)} if image.tags else {}),
        "imageSizeInBytes": image.size,
        "imagePushedAt": image.pushed_at,
        "imageManifestMediaType": image.media_type,
        **({"artifactMediaType": image.artifact_media_type} if image.artifact_media_type else {}),
    }


def _media_type_in(manifest: str) -> str | None:
    found = re.search(r'"mediaType"\s*:\s*"([^"]*(?:manifest|index)[^"]*)"', manifest)
    return found.group(1) if found else None
