# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The one place that calls Elastic Beanstalk and S3 about application versions."""

from __future__ import annotations

import hashlib
import typing as t
from dataclasses import dataclass

from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock, Wait
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError
from ansible_collections.antenna.aws.plugins.module_utils._core.module import attempting
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step
from ansible_collections.antenna.aws.plugins.module_utils._eb import versions
from ansible_collections.antenna.aws.plugins.module_utils._eb.versions import (
    FAILED,
    IN_PROGRESS,
    Location,
    Observed,
    Version,
    WantedVersion,
)

_CHUNK = 1024 * 1024
_NOTHING_THERE = ("404", "NoSuchKey", "NoSuchBucket", "NotFound")


@dataclass(frozen=True)
class Clients:
    """boto3 clients, whose calls are repeated when AWS throttles; ``region`` is where they work."""

    beanstalk: t.Any
    s3: t.Any
    sts: t.Any
    region: str


@dataclass(frozen=True)
class VersionManager:
    """Keeps an application and one of its versions as declared. ``wait_timeout`` (seconds) bounds each wait."""

    clients: Clients
    clock: Clock
    wanted: WantedVersion
    present: bool
    wait_timeout: int

    def read(self) -> Observed:
        """Return what is there, once the service is done with a version that it still processes."""
        name, label = self.wanted.application_name, self.wanted.version_label
        exists = _application_exists(self.clients.beanstalk, name)
        if label is None:
            return Observed(exists)
        version = self._look() if exists else None
        if version is not None and version.status in IN_PROGRESS:
            version = self._settled()
        location = version.location if version is not None else None
        if location is None:
            location = Location(self.wanted.bucket or self._own_bucket(), self.wanted.key)
        bucket_exists = _bucket_exists(self.clients.s3, location.bucket)
        sha256 = _object_sha256(self.clients.s3, location) if bucket_exists else None
        return Observed(exists, version, location, bucket_exists, sha256)

    def plan(self, observed: Observed) -> Plan:
        """Return the steps from what is there to what is declared."""
        plan = versions.plan_present if self.present else versions.plan_absent
        return plan(self.wanted, observed)

    def apply(self, plan: Plan, observed: Observed) -> None:
        """Carry out the steps, and wait until the service has processed the version."""
        for step in plan.steps:
            _apply(self.clients, step)
            if isinstance(step, versions.CreateVersion):
                self._processed()

    def project(self, observed: Observed, plan: Plan) -> Observed:
        """Return what will be there."""
        return versions.project(observed, plan)

    def view(self, observed: Observed) -> dict[str, t.Any]:
        """Return what result and diff show; nothing for a version that does not exist."""
        application = {"application_name": self.wanted.application_name} if observed.application_exists else {}
        version = observed.version
        if version is None:
            return application
        return {
            **application,
            "version_label": version.version_label,
            "arn": version.arn,
            "description": version.description or "",
            "status": version.status,
            "s3_bucket": version.location.bucket if version.location else None,
            "s3_key": version.location.key if version.location else None,
            "sha256": observed.sha256,
            "tags": dict(version.tags or {}),
        }

    def _look(self) -> Version | None:
        with_tags = self.wanted.tags is not None
        return _version(self.clients.beanstalk, self.wanted.application_name, str(self.wanted.version_label), with_tags)

    def _settled(self, failed: t.Callable[[Version | None], str | None] = lambda version: None) -> Version | None:
        wait: Wait[Version | None] = Wait(
            what=f"version {self.wanted.version_label!r} of application {self.wanted.application_name!r}",
            done=lambda version: version is not None and version.status not in IN_PROGRESS,
            failed=failed,
            seen=lambda version: f"status {version.status}" if version else "no such version",
            timeout=self.wait_timeout,
            poll=2,
            longest_poll=10,
            remedy="Run again to go on waiting, or raise wait_timeout",
        )
        return wait.until_done(self._look, self.clock)

    def _processed(self) -> None:
        version = self._settled()
        if version is not None and version.status == FAILED:
            raise AntennaError(
                f"The service could not process version {version.version_label!r} of application "
                f"{self.wanted.application_name!r}: {self._events() or 'no event says why'}. Correct the bundle; the "
                "version can be deleted with state: absent."
            )

    def _events(self) -> str:
        """Return what the service said about the version, the newest first."""
        with attempting(f"read the events of application {self.wanted.application_name!r}"):
            answer = self.clients.beanstalk.describe_events(
                ApplicationName=self.wanted.application_name,
                VersionLabel=self.wanted.version_label,
                Severity="WARN",
                MaxRecords=5,
                aws_retry=True,
            )
        return " / ".join(event["Message"].rstrip(".") for event in answer.get("Events") or [])

    def _own_bucket(self) -> str:
        """Return the name of the service's bucket without having it created."""
        with attempting("look up the account id"):
            account = self.clients.sts.get_caller_identity(aws_retry=True)["Account"]
        return f"elasticbeanstalk-{self.clients.region}-{account}"


def file_sha256(path: str) -> str:
    """Return the hash of a file. Raises AntennaError when it cannot be read."""
    digest = hashlib.sha256()
    try:
        with open(path, "rb") as file:  # noqa: PTH123 - a path as the person gave it
            while chunk := file.read(_CHUNK):
                digest.update(chunk)
    except OSError as error:
        raise AntennaError(
            f"Could not read the source_bundle {path!r}: {error.strerror}. antenna.aws.eb_bundle makes one."
        ) from error
    return digest.hexdigest()


def read_bundle(beanstalk: t.Any, s3: t.Any, application: str, label: str) -> tuple[Location, bytes] | None:
    """Return where the bundle of a version lies, and its bytes; None for no such version. Raises AwsError."""
    version = _version(beanstalk, application, label, with_tags=False)
    if version is None or version.location is None:
        return None
    with attempting(f"read {version.location}"):
        answer = s3.get_object(Bucket=version.location.bucket, Key=version.location.key, aws_retry=True)
        return version.location, answer["Body"].read()


def _application_exists(client: t.Any, name: str) -> bool:
    with attempting(f"look up the application {name!r}"):
        answer = client.describe_applications(ApplicationNames=[name], aws_retry=True)
    return any(item["ApplicationName"] == name for item in answer["Applications"])


def _version(client: t.Any, application: str, label: str, with_tags: bool) -> Version | None:
    with attempting(f"look up version {label!r} of application {application!r}"):
        answer = client.describe_application_versions(
            ApplicationName=application, VersionLabels=[label], aws_retry=True
        )
    for item in answer["ApplicationVersions"]:
        if item["VersionLabel"] == label and item["ApplicationName"] == application:
            arn = item.get("ApplicationVersionArn")
            bundle = item.get("SourceBundle") or {}
            return Version(
                version_label=label,
                status=item.get("Status", "").upper(),
                arn=arn,
                description=item.get("Description"),
                location=Location(bundle["S3Bucket"], bundle["S3Key"]) if bundle.get("S3Key") else None,
                tags=_tags(client, arn, label) if with_tags and arn else None,
            )
    return None


def _tags(client: t.Any, arn: str, label: str) -> dict[str, str]:
    with attempting(f"list the tags of version {label!r}"):
        answer = client.list_tags_for_resource(ResourceArn=arn, aws_retry=True)
    return versions.user_tags({tag["Key"]: tag.get("Value", "") for tag in answer.get("ResourceTags") or []})


def _bucket_exists(client: t.Any, bucket: str) -> bool:
    try:
        with attempting(
            f"look at the bucket {bucket!r}", "It may belong to another account, or s3:ListBucket is not allowed"
        ):
            client.head_bucket(Bucket=bucket, aws_retry=True)
    except AwsError as error:
        if error.code in _NOTHING_THERE:
            return False
        raise
    return True


def _object_sha256(client: t.Any, location: Location) -> str | None:
    """Return the hash of the object, as it was noted with the upload or else of its content; None: no object."""
    try:
        with attempting(f"look at {location}"):
            head = client.head_object(Bucket=location.bucket, Key=location.key, aws_retry=True)
    except AwsError as error:
        if error.code in _NOTHING_THERE:
            return None
        raise
    noted = head.get("Metadata", {}).get("sha256")
    if noted:
        return str(noted)
    digest = hashlib.sha256()
    with attempting(f"read {location}"):
        body = client.get_object(Bucket=location.bucket, Key=location.key, aws_retry=True)["Body"]
        for chunk in body.iter_chunks(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _apply(clients: Clients, step: Step) -> None:
    with attempting(f"{step.op} {step.resource!r}"):
        if isinstance(step, versions.CreateApplication):
            clients.beanstalk.create_application(
                ApplicationName=step.resource, **_tag_arguments(step.tags), aws_retry=True
            )
        elif isinstance(step, versions.DeleteApplication):
            clients.beanstalk.delete_application(ApplicationName=step.resource, aws_retry=True)
        elif isinstance(step, versions.CreateStorageLocation):
            _create_storage_location(clients.beanstalk, step.resource)
        elif isinstance(step, versions.UploadBundle):
            _upload(clients.s3, step)
        elif isinstance(step, versions.CreateVersion):
            _create_version(clients.beanstalk, step)
        elif isinstance(step, versions.DescribeVersion):
            clients.beanstalk.update_application_version(
                ApplicationName=step.application_name,
                VersionLabel=step.resource,
                Description=step.description,
                aws_retry=True,
            )
        elif isinstance(step, versions.TagVersion):
            clients.beanstalk.update_tags_for_resource(
                ResourceArn=step.arn,
                TagsToAdd=ansible_dict_to_boto3_tag_list(dict(step.add)),
                TagsToRemove=list(step.remove),
                aws_retry=True,
            )
        elif isinstance(step, versions.DeleteVersion):
            clients.beanstalk.delete_application_version(
                ApplicationName=step.application_name,
                VersionLabel=step.resource,
                DeleteSourceBundle=True,
                aws_retry=True,
            )


def _create_storage_location(client: t.Any, expected: str) -> None:
    bucket = client.create_storage_location(aws_retry=True)["S3Bucket"]
    if bucket != expected:
        raise AntennaError(
            f"The service's bucket is {bucket!r}, and {expected!r} was expected: give it as the parameter bucket."
        )


def _upload(client: t.Any, step: versions.UploadBundle) -> None:
    with open(step.bundle.path, "rb") as body:  # noqa: PTH123 - a path as the person gave it
        client.put_object(
            Bucket=step.location.bucket,
            Key=step.location.key,
            Body=body,
            ContentType="application/zip",
            Metadata={"sha256": step.bundle.sha256},
            aws_retry=True,
        )


def _create_version(client: t.Any, step: versions.CreateVersion) -> None:
    wanted = step.wanted
    description = {} if wanted.description is None else {"Description": wanted.description}
    client.create_application_version(
        ApplicationName=wanted.application_name,
        VersionLabel=step.resource,
        SourceBundle={"S3Bucket": step.location.bucket, "S3Key": step.location.key},
        Process=wanted.process,
        **description,
        **_tag_arguments((wanted.tags or {}).items()),
        aws_retry=True,
    )


def _tag_arguments(tags: t.Iterable[tuple[str, str]]) -> dict[str, t.Any]:
    listed = ansible_dict_to_boto3_tag_list(dict(tags))
    return {"Tags": listed} if listed else {}
