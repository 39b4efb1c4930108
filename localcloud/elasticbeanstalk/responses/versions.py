# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on application versions and the bucket of their bundles."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from moto.core.responses import ActionResult, EmptyResult
from moto.s3.models import s3_backends

from localcloud.elasticbeanstalk import views
from localcloud.elasticbeanstalk.bundle import read
from localcloud.elasticbeanstalk.events import Subject
from localcloud.elasticbeanstalk.exceptions import InvalidParameterValue, no_application
from localcloud.elasticbeanstalk.models import Application, Version
from localcloud.elasticbeanstalk.responses.applications import Applications
from localcloud.elasticbeanstalk.responses.core import tags_of


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
        application = self._service.applications.get(name)
        if application is None and not self._get_param("AutoCreateApplication"):
            raise no_application(name)
        if application is not None and label in application.versions:
            raise InvalidParameterValue(f"Application Version {label} already exists.")
        archive = self._object(source["S3Bucket"], source["S3Key"])
        if application is None:
            application = self._create_application(name)
        version = self._add_version(application, label, source)
        if self._get_param("Process"):
            version.status = "PROCESSING"
            threading.Thread(target=self._process, args=(version, archive), daemon=True).start()
        return ActionResult({"ApplicationVersion": views.version(self._service, version)})

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
            tags=tags_of(self._get_param("Tags")),
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

    def describe_application_versions(self) -> ActionResult:
        name, labels = self._get_param("ApplicationName"), self._get_param("VersionLabels")
        found = [
            version
            for application in self._service.applications.values()
            if name is None or application.name == name
            for version in application.versions.values()
            if not labels or version.label in labels
        ]
        newest = sorted(found, key=lambda version: version.created, reverse=True)
        page, token = self._page(newest, 1000)
        described = [views.version(self._service, version) for version in page]
        return ActionResult({"ApplicationVersions": described, **token})

    def update_application_version(self) -> ActionResult:
        version = self._service.application(self._needed("ApplicationName")).version(self._needed("VersionLabel"))
        description = self._get_param("Description")
        if description is not None:
            version.description, version.updated = description, self._now()
        return ActionResult({"ApplicationVersion": views.version(self._service, version)})

    def delete_application_version(self) -> ActionResult:
        application = self._service.application(self._needed("ApplicationName"))
        label = self._needed("VersionLabel")
        version = application.version(label)
        users = [
            item.name
            for item in self._service.environments(include_terminated=False)
            if item.application == application.name and item.version_label == label
        ]
        if users:
            raise InvalidParameterValue(f"Application version '{label}' is deployed to environment '{users[0]}'.")
        del application.versions[label]
        if self._get_param("DeleteSourceBundle"):
            s3_backends[self.current_account]["aws"].delete_object(version.bucket, version.key)
        return EmptyResult()
