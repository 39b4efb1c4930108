# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Application versions, and the steps from what is there to what is wanted. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step

UNPROCESSED = "UNPROCESSED"
PROCESSED = "PROCESSED"
FAILED = "FAILED"
IN_PROGRESS = frozenset({"PROCESSING", "BUILDING"})

_SYSTEM_TAGS = ("aws:", "elasticbeanstalk:")


@dataclass(frozen=True)
class SourceBundle:
    """A bundle on this machine."""

    path: str
    sha256: str


@dataclass(frozen=True)
class Location:
    """Where a bundle lies in S3."""

    bucket: str
    key: str

    def __str__(self) -> str:
        return f"s3://{self.bucket}/{self.key}"


@dataclass(frozen=True)
class WantedVersion:
    """A version as declared; without a label, the application alone. ``None`` leaves alone."""

    application_name: str
    version_label: str | None = None
    source_bundle: SourceBundle | None = None
    bucket: str | None = None
    description: str | None = None
    tags: t.Mapping[str, str] | None = None
    purge_tags: bool = True
    application_tags: t.Mapping[str, str] | None = None
    process: bool = False

    @property
    def key(self) -> str:
        """The bundle's key in the bucket."""
        return f"{self.application_name}/{self.version_label}.zip"


@dataclass(frozen=True)
class Version:
    """A version as observed; the status in upper case, as the service writes it."""

    version_label: str
    status: str
    arn: str | None = None
    description: str | None = None
    location: Location | None = None
    tags: t.Mapping[str, str] | None = None


@dataclass(frozen=True)
class Observed:
    """What is there.

    ``location`` is where the version's bundle lies, or will; ``sha256`` is the hash of what lies there, None: nothing.
    """

    application_exists: bool
    version: Version | None = None
    location: Location | None = None
    bucket_exists: bool = False
    sha256: str | None = None


@dataclass(frozen=True)
class CreateApplication(Step):
    """Create the application."""

    tags: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class DeleteApplication(Step):
    """Delete the application with its versions; environments that run are not terminated."""


@dataclass(frozen=True)
class CreateStorageLocation(Step):
    """Have the service create its bucket of this account and region."""


@dataclass(frozen=True)
class UploadBundle(Step):
    """Put the bundle into S3."""

    bundle: SourceBundle = SourceBundle("", "")
    location: Location = Location("", "")


@dataclass(frozen=True)
class CreateVersion(Step):
    """Create the version from the bundle in S3."""

    wanted: WantedVersion = WantedVersion("")
    location: Location = Location("", "")


@dataclass(frozen=True)
class DescribeVersion(Step):
    """Change the version's description."""

    application_name: str = ""
    description: str = ""


@dataclass(frozen=True)
class TagVersion(Step):
    """Change the version's tags."""

    arn: str = ""
    add: tuple[tuple[str, str], ...] = ()
    remove: tuple[str, ...] = ()


@dataclass(frozen=True)
class DeleteVersion(Step):
    """Delete the version and its bundle."""

    application_name: str = ""


def plan_present(wanted: WantedVersion, observed: Observed) -> Plan:
    """Return the steps to the declared version. Raises AntennaError when its label has other content already."""
    steps: list[Step] = []
    if not observed.application_exists:
        steps.append(
            CreateApplication(
                "create application",
                wanted.application_name,
                "there is no application of this name",
                tags=tuple(sorted((wanted.application_tags or {}).items())),
            )
        )
    if wanted.version_label is None:
        return Plan(tuple(steps))
    if observed.version is None:
        return Plan((*steps, *_creation(wanted, observed)))
    return Plan((*steps, *_changes(wanted, observed, observed.version)))


def plan_absent(wanted: WantedVersion, observed: Observed) -> Plan:
    """Return the steps that remove the version, or without a label the application."""
    if wanted.version_label is None:
        gone = DeleteApplication("delete application", wanted.application_name, "the application must not exist")
        return Plan((gone,) if observed.application_exists else ())
    if observed.version is None:
        return Plan()
    return Plan(
        (
            DeleteVersion(
                "delete version",
                wanted.version_label,
                "the version must not exist",
                application_name=wanted.application_name,
            ),
        )
    )


def project(observed: Observed, plan: Plan) -> Observed:
    """Return what will be observed when the plan has been applied."""
    for step in plan.steps:
        observed = _project_step(observed, step)
    return observed


def user_tags(tags: t.Mapping[str, str]) -> dict[str, str]:
    """Return the tags that are not the service's own."""
    return {key: value for key, value in tags.items() if not key.startswith(_SYSTEM_TAGS)}


def _creation(wanted: WantedVersion, observed: Observed) -> t.Iterator[Step]:
    label, bundle, location = str(wanted.version_label), wanted.source_bundle, observed.location
    if bundle is None or location is None:
        raise AntennaError(
            f"Application {wanted.application_name!r} has no version {label!r}, and creating it takes source_bundle."
        )
    if not observed.bucket_exists:
        if wanted.bucket is not None:
            raise AntennaError(
                f"The bucket {wanted.bucket!r} for the bundle of version {label!r} does not exist: create it, or leave "
                "bucket out to use the service's own."
            )
        yield CreateStorageLocation("create bucket", location.bucket, "the service has no bucket here yet")
    if observed.sha256 is None:
        yield UploadBundle("upload", str(location), "the bundle is not in S3", bundle=bundle, location=location)
    elif observed.sha256 != bundle.sha256:
        raise AntennaError(
            f"{location} holds another bundle than {bundle.path}: choose another version_label, or delete the object."
        )
    yield CreateVersion(
        "create version",
        label,
        f"application {wanted.application_name} has no version of this label",
        wanted=wanted,
        location=location,
    )


def _changes(wanted: WantedVersion, observed: Observed, version: Version) -> t.Iterator[Step]:
    if version.status == FAILED:
        raise AntennaError(
            f"Version {version.version_label!r} of application {wanted.application_name!r} could not be processed by "
            "the service: look at the application's events, delete the version (state: absent), and try a corrected "
            "bundle."
        )
    yield from _content(wanted, observed, version)
    if wanted.description is not None and wanted.description != (version.description or ""):
        yield DescribeVersion(
            "describe version",
            version.version_label,
            "the description differs",
            application_name=wanted.application_name,
            description=wanted.description,
        )
    yield from _tags(wanted, version)


def _content(wanted: WantedVersion, observed: Observed, version: Version) -> t.Iterator[Step]:
    bundle, location = wanted.source_bundle, observed.location
    if bundle is None or location is None:
        return
    if observed.sha256 is None:
        yield UploadBundle(
            "upload", str(location), "the version's bundle is gone from S3", bundle=bundle, location=location
        )
    elif observed.sha256 != bundle.sha256:
        raise AntennaError(
            f"Version {version.version_label!r} of application {wanted.application_name!r} exists with another bundle "
            f"({location}) than {bundle.path}: a version cannot be changed, so choose another version_label."
        )


def _tags(wanted: WantedVersion, version: Version) -> t.Iterator[Step]:
    if wanted.tags is None or version.tags is None or version.arn is None:
        return
    add = {key: value for key, value in wanted.tags.items() if version.tags.get(key) != value}
    remove = sorted(key for key in version.tags if key not in wanted.tags) if wanted.purge_tags else []
    if add or remove:
        yield TagVersion(
            "tag version",
            version.version_label,
            "tags differ: " + ", ".join([*sorted(add), *(f"{key} (removed)" for key in remove)]),
            arn=version.arn,
            add=tuple(sorted(add.items())),
            remove=tuple(remove),
        )


def _project_step(observed: Observed, step: Step) -> Observed:
    version = observed.version
    if isinstance(step, CreateApplication):
        return replace(observed, application_exists=True)
    if isinstance(step, DeleteApplication):
        return Observed(application_exists=False)
    if isinstance(step, CreateStorageLocation):
        return replace(observed, bucket_exists=True)
    if isinstance(step, UploadBundle):
        return replace(observed, sha256=step.bundle.sha256)
    if isinstance(step, CreateVersion):
        return replace(observed, version=_created(step))
    if isinstance(step, DeleteVersion):
        return replace(observed, version=None, sha256=None)
    if isinstance(step, DescribeVersion) and version is not None:
        return replace(observed, version=replace(version, description=step.description))
    if isinstance(step, TagVersion) and version is not None:
        kept = {key: value for key, value in (version.tags or {}).items() if key not in step.remove}
        return replace(observed, version=replace(version, tags={**kept, **dict(step.add)}))
    raise TypeError(f"unknown step {step!r}")


def _created(step: CreateVersion) -> Version:
    return Version(
        version_label=step.resource,
        status=PROCESSED if step.wanted.process else UNPROCESSED,
        description=step.wanted.description,
        location=step.location,
        tags=step.wanted.tags,
    )
