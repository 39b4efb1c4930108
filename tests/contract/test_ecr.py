# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR: what docker pushes is what the API shows."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import subprocess
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class Docker:
    """docker with a configuration of its own."""

    config: Path

    def run(self, *words: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
        command = ["docker", "--config", str(self.config), *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, timeout=300, check=False)

    def must(self, *words: str, stdin: str | None = None) -> str:
        done = self.run(*words, stdin=stdin)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()


@pytest.fixture
def docker(localcloud: Any, tmp_path: Path) -> Iterator[Docker]:
    """Logged in at the cloud's registry."""
    data = localcloud.client("ecr").get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == f"http://{localcloud.registry}"
    hours = (data["expiresAt"] - localcloud.advance(0)) / timedelta(hours=1)
    assert 11.9 < hours <= 12
    user, _, password = base64.b64decode(data["authorizationToken"]).decode().partition(":")
    made = Docker(tmp_path / "docker")
    made.must("login", "-u", user, "--password-stdin", localcloud.registry, stdin=password)
    yield made
    images = made.must("images", "-q", f"{localcloud.registry}/ecr-test/*")
    if images:
        made.run("rmi", "--force", *set(images.split()))


@pytest.fixture
def repository(localcloud: Any, docker: Docker) -> Iterator[str]:
    """A repository of the API, and its URI."""
    ecr = localcloud.client("ecr")
    uri = ecr.create_repository(repositoryName="ecr-test/web")["repository"]["repositoryUri"]
    assert uri == f"{localcloud.registry}/ecr-test/web"
    yield uri
    ecr.delete_repository(repositoryName="ecr-test/web", force=True)


def _build(docker: Docker, tag: str, content: str, directory: Path) -> None:
    directory.mkdir(exist_ok=True)
    (directory / "content").write_text(content)
    (directory / "Dockerfile").write_text("FROM scratch\nCOPY content /content\n")
    docker.must("build", "-q", "-t", tag, str(directory))


def test_api_shows_what_was_pushed(localcloud: Any, docker: Docker, repository: str, tmp_path: Path) -> None:
    ecr = localcloud.client("ecr")
    assert ecr.describe_images(repositoryName="ecr-test/web")["imageDetails"] == []
    _build(docker, f"{repository}:v1", "one", tmp_path / "context")
    docker.must("push", f"{repository}:v1")
    digest = docker.must("inspect", "--format", "{{index .RepoDigests 0}}", f"{repository}:v1").partition("@")[2]
    (found,) = ecr.describe_images(repositoryName="ecr-test/web")["imageDetails"]
    assert (found["imageDigest"], found["imageTags"]) == (digest, ["v1"])
    assert found["imageSizeInBytes"] > 0
    assert abs(found["imagePushedAt"] - localcloud.advance(0)) < timedelta(minutes=5)

    _build(docker, f"{repository}:v1", "two", tmp_path / "context")
    docker.must("push", f"{repository}:v1")
    images = ecr.describe_images(repositoryName="ecr-test/web")["imageDetails"]
    assert [image.get("imageTags") for image in images] == [["v1"], None]
    untagged = ecr.list_images(repositoryName="ecr-test/web", filter={"tagStatus": "UNTAGGED"})["imageIds"]
    assert untagged == [{"imageDigest": digest}]
    with pytest.raises(ecr.exceptions.RepositoryNotEmptyException):
        ecr.delete_repository(repositoryName="ecr-test/web")
    docker.must("rmi", "--force", f"{repository}:v1")
    docker.must("pull", f"{repository}@{digest}")


def test_tags_move_and_images_go(localcloud: Any, docker: Docker, repository: str, tmp_path: Path) -> None:
    ecr = localcloud.client("ecr")
    _build(docker, f"{repository}:a", "tags", tmp_path / "context")
    docker.must("push", f"{repository}:a")
    answer = ecr.batch_get_image(repositoryName="ecr-test/web", imageIds=[{"imageTag": "a"}, {"imageTag": "none"}])
    (image,) = answer["images"]
    assert answer["failures"][0]["failureCode"] == "ImageNotFound"
    put = ecr.put_image(
        repositoryName="ecr-test/web",
        imageManifest=image["imageManifest"],
        imageManifestMediaType=image["imageManifestMediaType"],
        imageTag="b",
    )
    assert put["image"]["imageId"]["imageDigest"] == image["imageId"]["imageDigest"]
    (found,) = ecr.describe_images(repositoryName="ecr-test/web", imageIds=[{"imageTag": "b"}])["imageDetails"]
    assert found["imageTags"] == ["a", "b"]
    ecr.batch_delete_image(repositoryName="ecr-test/web", imageIds=[{"imageTag": "a"}])
    (found,) = ecr.describe_images(repositoryName="ecr-test/web")["imageDetails"]
    assert found["imageTags"] == ["b"]
    ecr.batch_delete_image(repositoryName="ecr-test/web", imageIds=[{"imageTag": "b"}])
    assert ecr.list_images(repositoryName="ecr-test/web")["imageIds"] == []
    with pytest.raises(ecr.exceptions.ImageNotFoundException):
        ecr.describe_images(repositoryName="ecr-test/web", imageIds=[{"imageTag": "b"}])


def test_registry_refuses_what_ecr_would(localcloud: Any, docker: Docker, repository: str, tmp_path: Path) -> None:
    unknown = f"{localcloud.registry}/ecr-test/unknown:v1"
    _build(docker, unknown, "refused", tmp_path / "context")
    assert "denied" in docker.run("push", unknown).stderr
    docker.must("tag", unknown, f"{repository}:v1")
    stranger = Docker(tmp_path / "stranger")
    assert stranger.run("push", f"{repository}:v1").returncode != 0
    login = stranger.run("login", "-u", "AWS", "--password-stdin", localcloud.registry, stdin="wrong")
    assert "GetAuthorizationToken" in login.stderr


def test_password_is_good_for_twelve_hours(localcloud: Any, docker: Docker, repository: str, tmp_path: Path) -> None:
    _build(docker, f"{repository}:v1", "late", tmp_path / "context")
    localcloud.advance(11.9 * 3600)
    docker.must("push", f"{repository}:v1")
    localcloud.advance(0.2 * 3600)
    late = docker.run("push", f"{repository}:v1")
    assert "denied: Your authorization token has expired. Reauthenticate and try again." in late.stderr


def test_immutable_tags_stay(localcloud: Any, docker: Docker, repository: str, tmp_path: Path) -> None:
    ecr = localcloud.client("ecr")
    ecr.put_image_tag_mutability(repositoryName="ecr-test/web", imageTagMutability="IMMUTABLE")
    _build(docker, f"{repository}:v1", "one", tmp_path / "context")
    docker.must("push", f"{repository}:v1")
    refusal = (
        "The image tag 'v1' already exists in the 'ecr-test/web' repository and cannot be overwritten because the "
        "repository is immutable."
    )
    # Not even by the image that has it (aws/containers-roadmap#2179).
    assert f"tag invalid: {refusal}" in docker.run("push", f"{repository}:v1").stderr
    _build(docker, f"{repository}:v1", "two", tmp_path / "context")
    assert f"tag invalid: {refusal}" in docker.run("push", f"{repository}:v1").stderr
    docker.must("tag", f"{repository}:v1", f"{repository}:v2")
    docker.must("push", f"{repository}:v2")
    one, two = (
        ecr.batch_get_image(repositoryName="ecr-test/web", imageIds=[{"imageTag": tag}])["images"][0]
        for tag in ("v1", "v2")
    )

    def put(image: dict[str, Any], tag: str) -> None:
        manifest = {"imageManifest": image["imageManifest"], "imageManifestMediaType": image["imageManifestMediaType"]}
        ecr.put_image(repositoryName="ecr-test/web", imageTag=tag, **manifest)

    with pytest.raises(ecr.exceptions.ImageTagAlreadyExistsException, match=refusal):
        put(two, "v1")
    with pytest.raises(ecr.exceptions.ImageAlreadyExistsException, match="already exists in the repository with name"):
        put(one, "v1")
    put(two, "v3")


def test_lifecycle_policy_deletes(localcloud: Any, docker: Docker, repository: str, tmp_path: Path) -> None:
    ecr = localcloud.client("ecr")
    for content in ("one", "two"):
        _build(docker, f"{repository}:v1", content, tmp_path / "context")
        docker.must("push", f"{repository}:v1")
    _build(docker, f"{repository}:kept", "kept", tmp_path / "context")
    docker.must("push", f"{repository}:kept")
    selection = {"tagStatus": "untagged", "countType": "sinceImagePushed", "countUnit": "days", "countNumber": 3}
    policy = json.dumps({"rules": [{"rulePriority": 1, "selection": selection, "action": {"type": "expire"}}]})
    ecr.put_lifecycle_policy(repositoryName="ecr-test/web", lifecyclePolicyText=policy)

    def images() -> list[list[str]]:
        found = ecr.describe_images(repositoryName="ecr-test/web")["imageDetails"]
        return sorted(image.get("imageTags", []) for image in found)

    localcloud.advance(2 * 24 * 3600)
    assert images() == [[], ["kept"], ["v1"]]
    shorter = policy.replace('"countNumber": 3', '"countNumber": 1')
    ecr.start_lifecycle_policy_preview(repositoryName="ecr-test/web", lifecyclePolicyText=shorter)
    preview = ecr.get_lifecycle_policy_preview(repositoryName="ecr-test/web")
    assert (preview["status"], preview["summary"]["expiringImageTotalCount"]) == ("COMPLETE", 1)
    assert preview["previewResults"][0]["appliedRulePriority"] == 1
    localcloud.advance(24 * 3600)
    deadline = time.monotonic() + 30
    while len(images()) > 2:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert images() == [["kept"], ["v1"]]


def test_settings_are_read_back(localcloud: Any) -> None:
    ecr = localcloud.client("ecr")
    ecr.create_repository(
        repositoryName="ecr-test/settings",
        imageScanningConfiguration={"scanOnPush": True},
        imageTagMutability="IMMUTABLE_WITH_EXCLUSION",
        imageTagMutabilityExclusionFilters=[{"filterType": "WILDCARD", "filter": "dev*"}],
        tags=[{"Key": "Project", "Value": "ants"}],
    )
    try:
        (found,) = ecr.describe_repositories(repositoryNames=["ecr-test/settings"])["repositories"]
        assert found["imageScanningConfiguration"] == {"scanOnPush": True}
        assert found["imageTagMutability"] == "IMMUTABLE_WITH_EXCLUSION"
        assert found["imageTagMutabilityExclusionFilters"] == [{"filterType": "WILDCARD", "filter": "dev*"}]
        tags = ecr.list_tags_for_resource(resourceArn=found["repositoryArn"])["tags"]
        assert tags == [{"Key": "Project", "Value": "ants"}]
        ecr.put_image_scanning_configuration(
            repositoryName="ecr-test/settings", imageScanningConfiguration={"scanOnPush": False}
        )
        (found,) = ecr.describe_repositories(repositoryNames=["ecr-test/settings"])["repositories"]
        assert found["imageScanningConfiguration"] == {"scanOnPush": False}
    finally:
        ecr.delete_repository(repositoryName="ecr-test/settings")


def test_an_image_that_the_api_has_put_together_is_pulled(localcloud: Any, docker: Docker, repository: str) -> None:
    ecr = localcloud.client("ecr")
    layer = io.BytesIO()
    with tarfile.open(fileobj=layer, mode="w") as archive:
        archive.addfile(tarfile.TarInfo("ant"))
    digest = f"sha256:{hashlib.sha256(layer.getvalue()).hexdigest()}"
    config = json.dumps(
        {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": {"type": "layers", "diff_ids": [digest]}}
    ).encode()
    missing = ecr.batch_check_layer_availability(repositoryName="ecr-test/web", layerDigests=[digest])
    assert [item["failureCode"] for item in missing["failures"]] == ["MissingLayerDigest"]
    parts = {"config": _upload(ecr, config), "layer": _upload(ecr, layer.getvalue())}
    (known,) = ecr.batch_check_layer_availability(repositoryName="ecr-test/web", layerDigests=[digest])["layers"]
    assert (known["layerAvailability"], known["layerSize"]) == ("AVAILABLE", len(layer.getvalue()))
    with pytest.raises(ecr.exceptions.LayerAlreadyExistsException):
        _upload(ecr, layer.getvalue())
    kind = "application/vnd.oci.image"
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": {"mediaType": f"{kind}.config.v1+json", **parts["config"]},
        "layers": [{"mediaType": f"{kind}.layer.v1.tar", **parts["layer"]}],
    }
    put = ecr.put_image(repositoryName="ecr-test/web", imageManifest=json.dumps(manifest))["image"]["imageId"]
    docker.must("pull", f"{repository}@{put['imageDigest']}")


def _upload(ecr: Any, content: bytes) -> dict[str, Any]:
    """Have a layer in two parts, and what a manifest says of it."""
    digest, half = f"sha256:{hashlib.sha256(content).hexdigest()}", len(content) // 2
    upload = {"repositoryName": "ecr-test/web", "uploadId": ""}
    upload["uploadId"] = ecr.initiate_layer_upload(repositoryName="ecr-test/web")["uploadId"]
    for first, part in ((0, content[:half]), (half, content[half:])):
        ecr.upload_layer_part(**upload, partFirstByte=first, partLastByte=first + len(part) - 1, layerPartBlob=part)
    with pytest.raises(ecr.exceptions.InvalidLayerException):
        ecr.complete_layer_upload(**upload, layerDigests=[f"sha256:{'0' * 64}"])
    assert ecr.complete_layer_upload(**upload, layerDigests=[digest])["layerDigest"] == digest
    return {"digest": digest, "size": len(content)}
