# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Application versions: which steps are taken, and that they converge, against clients that remember."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, WaitError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import sync
from ansible_collections.antenna.aws.plugins.module_utils._eb.version_store import Clients, VersionManager, file_sha256
from ansible_collections.antenna.aws.plugins.module_utils._eb.versions import SourceBundle, WantedVersion
from botocore.exceptions import ClientError

BUCKET = "elasticbeanstalk-eu-central-1-123456789012"
KEY = "antenna/v-1.zip"


@dataclass
class Beanstalk:
    """Elastic Beanstalk's applications and versions; ``statuses`` are what looks at a new version show in turn."""

    s3: Any
    statuses: list[str] = field(default_factory=lambda: ["UNPROCESSED"])
    applications: list[str] = field(default_factory=list)
    versions: list[dict[str, Any]] = field(default_factory=list)
    tags: dict[str, str] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)

    def describe_applications(self, **_arguments: Any) -> dict[str, Any]:
        # As an emulator does: the filter is ignored.
        return {"Applications": [{"ApplicationName": name} for name in ["other", *self.applications]]}

    def describe_application_versions(self, **_arguments: Any) -> dict[str, Any]:
        if len(self.statuses) > 1:
            self.statuses.pop(0)
        return {"ApplicationVersions": [{**version, "Status": self.statuses[0]} for version in self.versions]}

    def list_tags_for_resource(self, **_arguments: Any) -> dict[str, Any]:
        listed = {**self.tags, "elasticbeanstalk:environment-name": "theirs"}
        return {"ResourceTags": [{"Key": key, "Value": value} for key, value in listed.items()]}

    def describe_events(self, **_arguments: Any) -> dict[str, Any]:
        return {"Events": [{"Message": "The configuration file is not valid YAML."}]}

    def create_application(self, ApplicationName: str, **_arguments: Any) -> None:
        self.writes.append("application")
        self.applications.append(ApplicationName)

    def delete_application(self, ApplicationName: str, **_arguments: Any) -> None:
        self.writes.append("delete application")
        self.applications.remove(ApplicationName)

    def create_storage_location(self, **_arguments: Any) -> dict[str, Any]:
        self.writes.append("bucket")
        self.s3.buckets.add(BUCKET)
        return {"S3Bucket": BUCKET}

    def create_application_version(self, **arguments: Any) -> None:
        self.writes.append("version")
        self.tags = {tag["Key"]: tag["Value"] for tag in arguments.get("Tags", [])}
        kept = ("ApplicationName", "VersionLabel", "Description", "SourceBundle")
        version = {name: value for name, value in arguments.items() if name in kept}
        self.versions.append({**version, "ApplicationVersionArn": "arn:v"})

    def update_application_version(self, Description: str, **_arguments: Any) -> None:
        self.writes.append("describe")
        self.versions[0]["Description"] = Description

    def update_tags_for_resource(
        self, TagsToAdd: list[dict[str, str]], TagsToRemove: list[str], **_arguments: Any
    ) -> None:
        self.writes.append("tags")
        self.tags.update({tag["Key"]: tag["Value"] for tag in TagsToAdd})
        for key in TagsToRemove:
            del self.tags[key]

    def delete_application_version(self, **_arguments: Any) -> None:
        self.writes.append("delete version")
        self.versions.clear()
        self.s3.objects.clear()


@dataclass
class S3:
    """Objects with their metadata."""

    buckets: set[str] = field(default_factory=set)
    objects: dict[tuple[str, str], tuple[bytes, dict[str, str]]] = field(default_factory=dict)
    puts: list[str] = field(default_factory=list)

    def head_bucket(self, Bucket: str, **_arguments: Any) -> None:
        if Bucket not in self.buckets:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadBucket")

    def head_object(self, Bucket: str, Key: str, **_arguments: Any) -> dict[str, Any]:
        if (Bucket, Key) not in self.objects:
            raise ClientError({"Error": {"Code": "404", "Message": "Not Found"}}, "HeadObject")
        return {"Metadata": self.objects[Bucket, Key][1]}

    def get_object(self, Bucket: str, Key: str, **_arguments: Any) -> dict[str, Any]:
        return {"Body": Body(self.objects[Bucket, Key][0])}

    def put_object(self, Bucket: str, Key: str, Body: Any, Metadata: dict[str, str], **_arguments: Any) -> None:
        self.puts.append(Key)
        self.objects[Bucket, Key] = (Body.read(), Metadata)


class Body(io.BytesIO):
    def iter_chunks(self, size: int) -> Any:
        return iter(lambda: self.read(size), b"")


class Sts:
    def get_caller_identity(self, **_arguments: Any) -> dict[str, str]:
        return {"Account": "123456789012"}


@dataclass
class FakeClock:
    time: float = 0.0

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.time += seconds


@pytest.fixture
def manager(tmp_path: Path) -> VersionManager:
    path = tmp_path / "deploy.zip"
    path.write_bytes(b"a bundle")
    s3 = S3()
    return VersionManager(
        clients=Clients(Beanstalk(s3), s3, Sts(), "eu-central-1"),
        clock=FakeClock(),
        wanted=WantedVersion("antenna", "v-1", SourceBundle(str(path), file_sha256(str(path)))),
        present=True,
        wait_timeout=60,
    )


def wanting(manager: VersionManager, **changes: Any) -> VersionManager:
    return replace(manager, wanted=replace(manager.wanted, **changes))


def converge(manager: VersionManager) -> list[str]:
    """Check, run, check, run; return what was written."""
    beanstalk, s3 = manager.clients.beanstalk, manager.clients.s3
    written = list(beanstalk.writes), list(s3.puts)
    checked = sync(manager, True)
    assert (beanstalk.writes, s3.puts) == written
    done = sync(manager, False)
    assert done.plan == checked.plan
    assert manager.view(done.after).keys() == manager.view(checked.after).keys()
    after = list(beanstalk.writes)
    for check in (True, False):
        assert not sync(manager, check).plan
    assert beanstalk.writes == after
    return after[len(written[0]) :]


def test_everything_is_created_in_order_and_once(manager: VersionManager) -> None:
    assert converge(wanting(manager, tags={"Project": "antenna"})) == ["application", "bucket", "version"]
    assert manager.clients.s3.puts == [KEY]
    view = manager.view(manager.read())
    assert (view["s3_bucket"], view["s3_key"]) == (BUCKET, KEY)
    assert view["sha256"] == hashlib.sha256(b"a bundle").hexdigest()


def test_the_application_alone(manager: VersionManager) -> None:
    assert converge(wanting(manager, version_label=None, source_bundle=None)) == ["application"]


def test_a_bundle_that_is_there_is_not_uploaded_again(manager: VersionManager) -> None:
    manager.clients.s3.buckets.add(BUCKET)
    # Put there by another tool: its hash is not noted, so its content is read.
    manager.clients.s3.objects[BUCKET, KEY] = (b"a bundle", {})
    assert converge(manager) == ["application", "version"]
    assert manager.clients.s3.puts == []


def test_a_bundle_that_is_gone_is_uploaded_again(manager: VersionManager) -> None:
    converge(manager)
    manager.clients.s3.objects.clear()
    assert converge(manager) == []
    assert manager.clients.s3.puts == [KEY, KEY]


def test_description_and_tags_are_changed(manager: VersionManager) -> None:
    converge(wanting(manager, tags={"a": "1", "b": "2"}))
    changed = wanting(manager, description="what is new", tags={"a": "1", "b": "3", "c": "4"})
    assert converge(changed) == ["describe", "tags"]
    assert converge(wanting(changed, tags={"a": "1"}, purge_tags=False)) == []
    assert converge(wanting(changed, tags={"a": "1"})) == ["tags"]
    assert manager.clients.beanstalk.tags == {"a": "1"}
    assert converge(wanting(changed, description="", tags=None)) == ["describe"]


def test_a_label_keeps_its_content(manager: VersionManager, tmp_path: Path) -> None:
    converge(manager)
    other = tmp_path / "other.zip"
    other.write_bytes(b"another bundle")
    changed = wanting(manager, source_bundle=SourceBundle(str(other), file_sha256(str(other))))
    with pytest.raises(AntennaError, match=r"'v-1' .* exists with another bundle .* choose another version_label"):
        sync(changed, False)
    manager.clients.beanstalk.versions.clear()
    with pytest.raises(AntennaError, match=r"s3://.*/antenna/v-1.zip holds another bundle"):
        sync(changed, False)


def test_absent(manager: VersionManager) -> None:
    gone = replace(manager, present=False)
    assert converge(gone) == []
    converge(manager)
    assert converge(gone) == ["delete version"]
    assert converge(wanting(gone, version_label=None, source_bundle=None)) == ["delete application"]


def test_processing_is_awaited(manager: VersionManager) -> None:
    beanstalk = manager.clients.beanstalk
    beanstalk.statuses = ["", "Processing", "PROCESSING", "PROCESSED"]
    assert converge(wanting(manager, process=True))[-1] == "version"
    assert manager.view(manager.read())["status"] == "PROCESSED"


def test_a_version_that_cannot_be_processed_is_a_failure_with_its_event(manager: VersionManager) -> None:
    manager.clients.beanstalk.statuses = ["", "PROCESSING", "FAILED"]
    with pytest.raises(AntennaError, match=r"'v-1' .*: The configuration file is not valid YAML\. Correct the bundle"):
        sync(wanting(manager, process=True), False)
    with pytest.raises(AntennaError, match=r"could not be processed by the service.*state: absent"):
        sync(manager, False)


def test_processing_that_does_not_end_is_a_failure(manager: VersionManager) -> None:
    manager.clients.beanstalk.statuses = ["PROCESSING"]
    with pytest.raises(WaitError, match=r"^Waited 60 s for version 'v-1' of application 'antenna'; last seen: status"):
        sync(wanting(manager, process=True), False)


def test_refusals(manager: VersionManager) -> None:
    with pytest.raises(AntennaError, match="has no version 'v-1', and creating it takes source_bundle"):
        sync(wanting(manager, source_bundle=None), True)
    with pytest.raises(AntennaError, match=r"The bucket 'mine' .* does not exist"):
        sync(wanting(manager, bucket="mine"), True)
    with pytest.raises(AntennaError, match=r"Could not read the source_bundle '/nowhere\.zip': No such file"):
        file_sha256("/nowhere.zip")
