# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECR: what docker pushes is what the API shows."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
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
    hours = (data["expiresAt"] - datetime.now(UTC)) / timedelta(hours=1)
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
    assert abs(found["imagePushedAt"] - datetime.now(UTC)) < timedelta(minutes=5)

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


def test_layers_go_through_docker_alone(localcloud: Any, docker: Docker, repository: str) -> None:
    ecr = localcloud.client("ecr")
    with pytest.raises(ecr.exceptions.ClientError, match=r"InvalidAction.*push and pull with docker"):
        ecr.initiate_layer_upload(repositoryName="ecr-test/web")
