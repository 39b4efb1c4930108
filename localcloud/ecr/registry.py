# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry: Docker's own, in a container, and what we ask of it."""

from __future__ import annotations

import json
import logging
import shlex
import threading
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urljoin

import requests

from localcloud.clock import SystemClock, wait_until
from localcloud.ecr import gate
from localcloud.ecr.tokens import ISSUER, SERVICE, Access, Bearers
from localcloud.engine import ContainerSpec, EngineError, Mount
from localcloud.names import LOOPBACK

if TYPE_CHECKING:
    from localcloud.cloud import Cloud

LOG = logging.getLogger("localcloud.ecr")
STORAGE = "/var/lib/registry"
REPOSITORIES = f"{STORAGE}/docker/registry/v2/repositories"
PORT = 5000
DIRECT_PORT = 5001
"""Where the registry itself listens; clients come to the gate on `PORT`."""
START_TIMEOUT = 30.0
REQUEST_TIMEOUT = 30.0
TOKEN_PATH = "registry-token"  # noqa: S105

MANIFEST_TYPES = (
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
)


@dataclass(frozen=True)
class Image:
    """A manifest in a repository. `size` is what its layers and configuration take, in bytes."""

    digest: str
    tags: tuple[str, ...]
    media_type: str
    artifact_media_type: str | None
    size: int
    pushed_at: datetime
    manifest: str


class RegistryError(Exception):
    """The registry refused; the message has its own words."""


class ManifestRefused(RegistryError):
    """The registry does not take a manifest.

    :param missing: Digests of the layers that it does not have; without any the manifest itself is wrong.
    """

    def __init__(self, message: str, missing: tuple[str, ...]) -> None:
        super().__init__(message)
        self.missing = missing


class Registry:
    """The registry's container, and its content as the API and the storage show it."""

    def __init__(self, cloud: Cloud, bearers: Bearers) -> None:
        self._cloud = cloud
        self._bearers = bearers
        self._container = cloud.docker_name("ecr", "registry")
        self._base = f"http://{cloud.registry}/v2"
        self._pushed: dict[tuple[str, str], datetime] = {}
        self._started: Future[None] = Future()

    def start(self) -> None:
        """Start the container, and go on meanwhile: who needs the registry waits until it answers."""
        threading.Thread(target=self._start, name="ecr-registry", daemon=True).start()

    def wait(self) -> None:
        """Return when it answers.

        :raises EngineError: When its container does not start.
        :raises DeadlineExceeded: When it runs and does not answer.
        """
        self._started.result()

    def _start(self) -> None:
        try:
            self._run()
        except Exception as error:
            LOG.exception("the registry")
            self._started.set_exception(error)
        else:
            self._started.set_result(None)

    def _run(self) -> None:
        cloud = self._cloud
        directory = cloud.state_dir / "registry"
        directory.mkdir(exist_ok=True)
        (directory / "config.json").write_text(json.dumps(self._configuration(), indent=2))
        (directory / "gate.conf").write_text(gate.configuration(PORT, DIRECT_PORT, cloud.container_endpoint))
        volume = cloud.docker_name("ecr", "data")
        cloud.engine.ensure_volume(volume, cloud.labels("ecr", "registry"))
        cloud.engine.run(
            ContainerSpec(
                image=cloud.infra_image,
                name=self._container,
                command=("registry-entrypoint",),
                labels=cloud.labels("ecr", "registry"),
                ports={PORT: (LOOPBACK, int(cloud.registry.rpartition(":")[2])), DIRECT_PORT: (LOOPBACK, 0)},
                mounts=(
                    Mount(str(directory), "/registry", read_only=True),
                    Mount(str(cloud.ca.path), "/authority.pem", read_only=True),
                    Mount(volume, STORAGE, kind="volume"),
                ),
            )
        )
        # Through the gate: then both answer.
        wait_until(self._answers, "the registry's first answer", START_TIMEOUT, SystemClock())
        state = cloud.engine.inspect(self._container)
        if state is None or DIRECT_PORT not in state.ports:
            raise EngineError("the registry ended at its start")
        self._base = f"http://{LOOPBACK}:{state.ports[DIRECT_PORT]}/v2"

    def _configuration(self) -> Mapping[str, Any]:
        realm = f"{self._cloud.endpoint}/_localcloud/{TOKEN_PATH}"
        return {
            "version": 0.1,
            "log": {"accesslog": {"disabled": True}, "level": "warn"},
            "storage": {"filesystem": {"rootdirectory": STORAGE}, "delete": {"enabled": True}},
            "http": {"addr": f":{DIRECT_PORT}", "secret": self._cloud.id, "relativeurls": True},
            "auth": {
                "token": {
                    "realm": realm,
                    "service": SERVICE,
                    "issuer": ISSUER,
                    "rootcertbundle": "/authority.pem",
                }
            },
        }

    def _answers(self) -> bool:
        state = self._cloud.engine.inspect(self._container)
        if state is None or not state.running:
            log = b"".join(self._cloud.engine.logs(self._container)).decode(errors="replace")
            raise EngineError(f"the registry ended at its start: {log[-800:].strip()}")
        try:
            return requests.get(f"{self._base}/", timeout=2).status_code in (200, 401)
        except requests.RequestException:
            return False

    def tags(self, repository: str) -> Sequence[str]:
        """The repository's tags."""
        return sorted(self._links(repository, "tags", "*/current"))

    def images(self, repository: str) -> Sequence[Image]:
        """Every image of the repository, tagged or not, newest first; none where nothing was pushed."""
        tags: dict[str, list[str]] = {}
        for tag, digest in self._links(repository, "tags", "*/current").items():
            tags.setdefault(digest[0], []).append(tag)
        found = [
            self._image(
                repository, digest, tuple(sorted(tags.get(digest, ()))), self._pushed.get((repository, digest), pushed)
            )
            for digest, pushed in self._links(repository, "revisions", "*/*").values()
        ]
        return sorted(filter(None, found), key=lambda image: (image.pushed_at, image.digest), reverse=True)

    def put(self, repository: str, reference: str, manifest: bytes, media_type: str) -> str:
        """Store a manifest whose layers are there under a tag or its digest, and return its digest.

        :raises ManifestRefused: When the registry refuses it.
        """
        answer = self.push(repository, reference, manifest, {"Content-Type": media_type})
        if answer.status_code != 201:
            raise ManifestRefused(answer.text.strip()[:400], _missing_layers(answer))
        return answer.headers["Docker-Content-Digest"]

    def push(self, repository: str, reference: str, manifest: bytes, headers: Mapping[str, str]) -> requests.Response:
        """As `put`, with the headers of the one who pushes, and the registry's own answer.

        :raises RegistryError: When the registry does not answer.
        """
        answer = self._request("PUT", repository, f"manifests/{reference}", manifest, headers)
        if answer.status_code == 201:
            # The registry's own time is the machine's, whatever the cloud's clock says.
            self._pushed[repository, answer.headers["Docker-Content-Digest"]] = self._cloud.clock.now()
        return answer

    def put_layer(self, repository: str, digest: str, content: bytes) -> None:
        """Store a layer.

        :raises RegistryError: When the registry refuses.
        """
        begun = self._request("POST", repository, "blobs/uploads/")
        if begun.status_code == 202:
            place = begun.headers["Location"]
            place += ("&" if "?" in place else "?") + urlencode({"digest": digest})
            begun = self._request("PUT", repository, place, content, {"Content-Type": "application/octet-stream"})
        if begun.status_code != 201:
            raise RegistryError(begun.text.strip()[:400])

    def layer_size(self, repository: str, digest: str) -> int | None:
        """The bytes of a layer; None when the repository does not have it."""
        answer = self._request("HEAD", repository, f"blobs/{digest}")
        return int(answer.headers["Content-Length"]) if answer.status_code == 200 else None

    def delete(self, repository: str, digest: str) -> None:
        """Delete an image with all its tags; an absent one is no error.

        :raises RegistryError: When the registry refuses.
        """
        answer = self._request("DELETE", repository, f"manifests/{digest}")
        if answer.status_code not in (202, 404):
            raise RegistryError(answer.text.strip()[:400])

    def remove(self, repository: str, image: Image) -> None:
        """Delete an image, and its tags, which would be left without it.

        :raises RegistryError: When the registry refuses.
        """
        self.delete(repository, image.digest)
        for tag in image.tags:
            self.untag(repository, tag)

    def untag(self, repository: str, tag: str) -> None:
        """Delete a tag and leave its image: the registry's API cannot, its storage can."""
        self._shell(f"rm -rf -- {shlex.quote(f'{REPOSITORIES}/{repository}/_manifests/tags/{tag}')}")

    def forget(self, repository: str) -> None:
        """Delete all that the repository holds."""
        self._pushed = {key: at for key, at in self._pushed.items() if key[0] != repository}
        self._shell(f"rm -rf -- {shlex.quote(f'{REPOSITORIES}/{repository}')}")

    def _image(self, repository: str, digest: str, tags: tuple[str, ...], pushed_at: datetime) -> Image | None:
        """None for one that was deleted since it was listed."""
        answer = self._request("GET", repository, f"manifests/{digest}")
        if answer.status_code == 404:
            return None
        if answer.status_code != 200:
            raise RegistryError(answer.text.strip()[:400])
        manifest = answer.json()
        parts = [*manifest.get("layers", ()), *manifest.get("manifests", ())]
        config = manifest.get("config")
        return Image(
            digest=answer.headers["Docker-Content-Digest"],
            tags=tags,
            media_type=answer.headers["Content-Type"],
            artifact_media_type=config.get("mediaType") if config else None,
            size=sum(int(part.get("size", 0)) for part in [*parts, *([config] if config else [])]),
            pushed_at=pushed_at,
            manifest=answer.text,
        )

    def _links(self, repository: str, kind: str, below: str) -> dict[str, tuple[str, datetime]]:
        """The link files below `_manifests/<kind>`: first part of the path (or digest) -> (digest, time)."""
        root = f"{REPOSITORIES}/{repository}/_manifests/{kind}"
        found = self._shell(
            f"cd {shlex.quote(root)} 2>/dev/null || exit 0; "
            f"find . -path './{below}/link' -printf '%P %T@ ' -exec cat {{}} \\; -printf '\\n'"
        )
        links = {}
        for line in found.splitlines():
            path, seconds, digest = line.split()
            name = path.partition("/")[0] if kind == "tags" else digest
            links[name] = (digest, datetime.fromtimestamp(float(seconds), UTC))
        return links

    def _shell(self, command: str) -> str:
        self.wait()
        done = self._cloud.engine.exec_run(self._container, ("sh", "-c", command))
        if done.exit_code != 0:
            raise RegistryError(done.output.strip()[:400])
        return done.output

    def _request(
        self,
        method: str,
        repository: str,
        path: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> requests.Response:
        self.wait()
        token = self._bearers.sign([Access(repository, ("pull", "push", "delete"))])["token"]
        try:
            return requests.request(
                method,
                urljoin(f"{self._base}/{repository}/", path),
                data=body,
                headers={
                    "Accept": ", ".join(MANIFEST_TYPES),
                    "Authorization": f"Bearer {token}",
                    **(headers or {}),
                },
                timeout=REQUEST_TIMEOUT,
            )
        except requests.RequestException as error:
            raise RegistryError(f"the registry at {self._cloud.registry} does not answer: {error}") from error


def _missing_layers(answer: requests.Response) -> tuple[str, ...]:
    errors = answer.json().get("errors", ()) if answer.status_code == 400 else ()
    return tuple(str(error.get("detail")) for error in errors if error.get("code") == "MANIFEST_BLOB_UNKNOWN")
