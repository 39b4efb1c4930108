# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on application versions and the bucket of their bundles."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

from moto.core.exceptions import ServiceException
from moto.core.responses import ActionResult, EmptyResult
from moto.s3.models import s3_backends

from localcloud.elasticbeanstalk import retention, views
from localcloud.elasticbeanstalk.bundle import Bundle, read
from localcloud.elasticbeanstalk.events import Subject
from localcloud.elasticbeanstalk.exceptions import (
    InvalidParameterValue,
    S3LocationNotInServiceRegion,
    SourceBundleDeletion,
    TooMany,
    no_application,
)
from localcloud.elasticbeanstalk.models import Application, Version
from localcloud.elasticbeanstalk.responses.applications import Applications
from localcloud.elasticbeanstalk.responses.tags import new_tags

# https://docs.aws.amazon.com/elasticbeanstalk/latest/dg/applications-sourcebundle.html says 500 MB, older guides 512.
LARGEST_BUNDLE = 524288000


class Versions(Applications):
    """Application versions."""

    def create_storage_location(self) -> ActionResult:
        return ActionResult({"S3Bucket": self._storage_location()})

    def create_application_version(self) -> ActionResult:
        name, label = self._needed("ApplicationName"), self._needed("VersionLabel")
        if self._get_param("SourceBuildInformation") or self._get_param("ImageConfiguration"):
            raise InvalidParameterValue("The rehearsal cloud takes application versions from a SourceBundle only.")
        source = self._get_param("SourceBundle")
        if source is None:
            raise InvalidParameterValue("The rehearsal cloud has no sample application: give a SourceBundle.")
        with self._service.lock:
            self._check_new(name, label)
            archive = self._archive(source)
            application = self._service.applications.get(name) or self._create_application(name)
            version = self._add_version(application, label, source)
        if self._get_param("Process"):
            version.status = "PROCESSING"
            threading.Thread(target=self._process, args=(version, archive), daemon=True).start()
        self._apply_policy(application, version)
        return ActionResult({"ApplicationVersion": views.version(self._service, version)})

    def _check_new(self, name: str, label: str) -> None:
        applications = self._service.applications
        if name not in applications and not self._get_param("AutoCreateApplication"):
            raise no_application(name)
        if name in applications and label in applications[name].versions:
            raise InvalidParameterValue(f"Application Version {label} already exists.")
        quota = self.services.quotas.versions
        if sum(len(item.versions) for item in applications.values()) >= quota:
            raise TooMany("TooManyApplicationVersionsException", quota, "Application Versions")

    def _add_version(self, application: Application, label: str, source: Mapping[str, str]) -> Version:
        now = self._now()
        version = Version(
            application=application.name,
            label=label,
            description=self._get_param("Description"),
            bucket=source["S3Bucket"],
            key=source["S3Key"],
            status="UNPROCESSED",
            created=now,
            updated=now,
            tags=new_tags(self._get_param("Tags")),
        )
        application.versions[label] = version
        self._say(application.name, "createApplicationVersion is starting.", label)
        self._say(application.name, f"Created new Application Version: {label}", label)
        self._say(application.name, "createApplicationVersion completed successfully.", label)
        return version

    def _process(self, version: Version, archive: bytes) -> None:
        """Configuration files are looked at, Dockerrun.aws.json is not."""
        self._cloud.clock.wait(self._cloud.latency.of("elasticbeanstalk.version"))
        bundle = read(archive)
        subject = Subject(version.application, version_label=version.label, request_id=self.request_id)
        if bundle.defect is not None:
            self._service.events.add(subject, "ERROR", bundle.defect)
        status = "PROCESSED" if bundle.defect is None else "FAILED"
        message = f"Finished processing application version {version.label}: {status}."
        self._service.events.add(subject, "INFO" if status == "PROCESSED" else "ERROR", message)
        version.updated, version.status = self._now(), status

    def _apply_policy(self, application: Application, newest: Version) -> None:
        """Delete what the application's lifecycle policy does not keep; nobody hears of it when that fails."""
        now, policy = self._now(), retention.policy(application.lifecycle)
        with self._service.lock:
            spared = retention.spared_labels(self._service.all_environments(), application.name, now)
            for version in retention.expired(list(application.versions.values()), newest, policy, spared, now):
                del application.versions[version.label]
                if policy.deletes_bundles:
                    self._delete_object(version.bucket, version.key)

    # -- bundles --------------------------------------------------------------------------------------------------

    def _archive(self, source: Mapping[str, str]) -> bytes:
        """The bundle's bytes.

        :raises InvalidParameterValue: When there is none, or one that is empty or too large.
        """
        bucket, key = source.get("S3Bucket", ""), source.get("S3Key", "")
        found = self._s3_object(bucket, key)
        if not 0 < found.size <= LARGEST_BUNDLE:
            # Seen in public as the console shows it.
            raise InvalidParameterValue(f"Source bundle is empty or exceeds maximum allowed size: {LARGEST_BUNDLE}")
        return bytes(found.value)

    def _s3_object(self, bucket: str, key: str) -> Any:
        backend = s3_backends[self.current_account]["aws"]
        try:
            found = backend.get_object(bucket, key)
        except ServiceException:
            found = None
        if found is None:
            raise InvalidParameterValue(
                f"Unable to download from S3 location (Bucket: {bucket}  Key: {key}). Reason: Not Found"
            )
        if backend.get_bucket(bucket).region_name != self.region:
            raise S3LocationNotInServiceRegion(
                f"The bucket {bucket} of the source bundle is not in the region of the service, {self.region}."
            )
        return found

    def _delete_object(self, bucket: str, key: str) -> bool:
        """Whether the object was there and is gone."""
        backend = s3_backends[self.current_account]["aws"]
        try:
            if backend.get_object(bucket, key) is None:
                return False
            backend.delete_object(bucket, key)
        except ServiceException:
            return False
        return True

    def _bundle(self, application: Application, label: str) -> Bundle:
        """The bundle of a version that may be deployed."""
        version = application.version(label)
        if version.status in ("PROCESSING", "FAILED"):
            raise InvalidParameterValue(
                f"Application version {label} is in an invalid state for this operation: {version.status}."
            )
        return read(bytes(self._s3_object(version.bucket, version.key).value))

    # -- versions that are there ----------------------------------------------------------------------------------

    def describe_application_versions(self) -> ActionResult:
        name, labels = self._get_param("ApplicationName"), self._get_param("VersionLabels")
        found = [
            version
            for application in list(self._service.applications.values())
            if name is None or application.name == name
            for version in list(application.versions.values())
            if (not labels or version.label in labels) and self._visible(version.created)
        ]
        newest = sorted(found, key=lambda version: version.created, reverse=True)
        page, token = self._page(newest, lambda version: f"{version.application}/{version.label}", None)
        described = [views.version(self._service, version) for version in page]
        return ActionResult({"ApplicationVersions": described, **token})

    def update_application_version(self) -> ActionResult:
        version = self._service.application(self._needed("ApplicationName")).version(self._needed("VersionLabel"))
        description = self._get_param("Description")
        if description is not None:
            version.description, version.updated = description, self._now()
        return ActionResult({"ApplicationVersion": views.version(self._service, version)})

    def delete_application_version(self) -> ActionResult:
        """The version goes first: when its bundle then cannot be deleted, it is gone all the same."""
        application = self._service.application(self._needed("ApplicationName"))
        label = self._needed("VersionLabel")
        with self._service.lock:
            version = application.version(label)
            self._check_unused(application, label)
            del application.versions[label]
        self._say(application.name, "deleteApplicationVersion is starting.", label)
        if self._get_param("DeleteSourceBundle") and not self._delete_object(version.bucket, version.key):
            raise SourceBundleDeletion(
                f"Unable to delete the source bundle of application version {label} from S3 location "
                f"(Bucket: {version.bucket}  Key: {version.key}). The application version was deleted."
            )
        self._say(application.name, "deleteApplicationVersion completed successfully.", label)
        return EmptyResult()

    def _check_unused(self, application: Application, label: str) -> None:
        users = [
            item
            for item in self._service.environments(include_terminated=False)
            if item.application == application.name and item.version_label == label
        ]
        if users:
            raise InvalidParameterValue(f"Application version '{label}' is deployed to environment '{users[0].name}'.")
