# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk's API on moto's routing and serialization."""

from __future__ import annotations

import re
import threading
import uuid
import warnings
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config
from botocore.model import OperationNotFoundError
from moto.core.exceptions import ServiceException
from moto.core.responses import TYPE_RESPONSE, ActionResult, BaseResponse, EmptyResult
from moto.s3.models import s3_backends

from localcloud.elasticbeanstalk import options, platforms, views
from localcloud.elasticbeanstalk.bundle import Bundle, read
from localcloud.elasticbeanstalk.events import Query, Subject
from localcloud.elasticbeanstalk.exceptions import (
    ConfigurationValidation,
    InvalidAction,
    InvalidParameterCombination,
    InvalidParameterValue,
    InvalidRequest,
    MissingRequiredParameter,
    OperationInProgress,
    ResourceNotFound,
    no_application,
    not_ready,
)
from localcloud.elasticbeanstalk.instance import system_tags
from localcloud.elasticbeanstalk.lifecycle import Change, Lifecycle, Operation
from localcloud.elasticbeanstalk.models import Application, Beanstalk, Environment, Status, Version, random_name
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.platforms import Platform

if TYPE_CHECKING:
    from localcloud.cloud import Cloud
    from localcloud.elasticbeanstalk.instance import Instance

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,38}[A-Za-z0-9]")
CNAME_PREFIX = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{2,61}[A-Za-z0-9]")
TAIL_LINES = 100
BUNDLE_LINES = 100_000
LINK_SECONDS = 900
REQUEST_ID = "<RequestId>request-id</RequestId>"


class Services:
    """What the API works on: one Elastic Beanstalk per account and region."""

    def __init__(self, cloud: Cloud, lifecycle: Lifecycle) -> None:
        self.cloud = cloud
        self.lifecycle = lifecycle
        self._lock = threading.Lock()
        self._services: dict[tuple[str, str], Beanstalk] = {}
        self.information: dict[str, list[dict[str, Any]]] = {}

    def of(self, account: str, region: str) -> Beanstalk:
        with self._lock:
            if (account, region) not in self._services:
                self._services[account, region] = Beanstalk(account, region, self.cloud.clock)
                self.lifecycle.add(self._services[account, region])
            return self._services[account, region]


class EBResponse(BaseResponse):  # type: ignore[misc]
    """One method per operation, found by moto by its name."""

    services: Services

    def __init__(self) -> None:
        super().__init__(service_name="elasticbeanstalk")
        self.automated_parameter_parsing = True
        self.request_id = str(uuid.uuid4())

    # -- moto -----------------------------------------------------------------------------------------------------

    def parse_parameters(self, request: Any) -> None:
        try:
            super().parse_parameters(request)
        except OperationNotFoundError:
            self.params: dict[str, Any] = {}

    def call_action(self) -> TYPE_RESPONSE:
        """With the request id that events bear, and InvalidAction for what is not implemented."""
        with warnings.catch_warnings():
            # The service's codes are more than its model names.
            warnings.filterwarnings("ignore", category=UserWarning, module="moto")
            try:
                status, headers, body = super().call_action()
            except NotImplementedError:
                status, headers, body = self.serialized(ActionResult(InvalidAction(self._get_action())))
        headers["x-amzn-requestid"] = self.request_id
        if isinstance(body, str):
            body = body.replace(REQUEST_ID, f"<RequestId>{self.request_id}</RequestId>")
        return status, headers, body

    @staticmethod
    def _enrich_response(headers: dict[str, str], body: Any) -> tuple[dict[str, str], Any]:
        # Moto's own replaces all text between the first and the last RequestId: events would be lost.
        if "status" in headers:
            headers["status"] = str(headers["status"])
        return headers, body

    @property
    def _service(self) -> Beanstalk:
        return self.services.of(self.current_account, self.region)

    @property
    def _cloud(self) -> Cloud:
        return self.services.cloud

    @property
    def _lifecycle(self) -> Lifecycle:
        return self.services.lifecycle

    def _needed(self, name: str) -> Any:
        value = self._get_param(name)
        if value is None:
            raise MissingRequiredParameter(f"Required parameter {name} is missing.")
        return value

    def _now(self) -> datetime:
        return self._cloud.clock.now()

    def _say(self, application: str, message: str, label: str | None = None) -> None:
        self._service.events.add(Subject(application, version_label=label, request_id=self.request_id), "INFO", message)

    # -- applications ---------------------------------------------------------------------------------------------

    def create_application(self) -> ActionResult:
        name = self._needed("ApplicationName")
        if name in self._service.applications:
            raise InvalidParameterValue(f"Application {name} already exists.")
        return ActionResult({"Application": views.application(self._service, self._create_application(name))})

    def _create_application(self, name: str, description: str | None = None) -> Application:
        now = self._now()
        created = Application(
            name=name,
            description=description or self._get_param("Description"),
            created=now,
            updated=now,
            lifecycle=self._get_param("ResourceLifecycleConfig") or _no_lifecycle(),
            tags=_tags(self._get_param("Tags")),
        )
        self._service.applications[name] = created
        self._say(name, "createApplication is starting.")
        self._say(name, "createApplication completed successfully.")
        return created

    def describe_applications(self) -> ActionResult:
        names = self._get_param("ApplicationNames")
        found = [item for item in self._service.applications.values() if not names or item.name in names]
        return ActionResult({"Applications": [views.application(self._service, item) for item in found]})

    def update_application(self) -> ActionResult:
        item = self._service.application(self._needed("ApplicationName"))
        description = self._get_param("Description")
        if description is not None:
            item.description, item.updated = description, self._now()
        return ActionResult({"Application": views.application(self._service, item)})

    def update_application_resource_lifecycle(self) -> ActionResult:
        item = self._service.application(self._needed("ApplicationName"))
        item.lifecycle, item.updated = self._needed("ResourceLifecycleConfig"), self._now()
        return ActionResult({"ApplicationName": item.name, "ResourceLifecycleConfig": item.lifecycle})

    def delete_application(self) -> ActionResult:
        name = self._needed("ApplicationName")
        living = [item for item in self._service.environments(include_terminated=False) if item.application == name]
        if name not in self._service.applications:
            return EmptyResult()
        if living and not self._get_param("TerminateEnvByForce"):
            raise OperationInProgress(f"Unable to delete application {name} because it has running environments.")
        for environment in living:
            self._terminate(environment)
        del self._service.applications[name]
        self._say(name, "deleteApplication is starting.")
        self._say(name, "The application has been deleted successfully.")
        return EmptyResult()

    # -- versions -------------------------------------------------------------------------------------------------

    def create_storage_location(self) -> ActionResult:
        return ActionResult({"S3Bucket": self._storage_location()})

    def _storage_location(self) -> str:
        backend, name = s3_backends[self.current_account]["aws"], self._service.bucket
        if name not in backend.buckets:
            backend.create_bucket(name, self.region)
        return name

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
            tags=_tags(self._get_param("Tags")),
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

    def _object(self, bucket: str, key: str) -> bytes:
        try:
            found = s3_backends[self.current_account]["aws"].get_object(bucket, key)
        except ServiceException:
            found = None
        if found is None:
            raise InvalidParameterValue(
                f"Unable to download from S3 location (Bucket: {bucket}  Key: {key}). Reason: Not Found"
            )
        return bytes(found.value)

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

    # -- environments ---------------------------------------------------------------------------------------------

    def check_dns_availability(self) -> ActionResult:
        cname = self._cname(self._needed("CNAMEPrefix"))
        return ActionResult({"Available": not self._service.cname_taken(cname), "FullyQualifiedCNAME": cname})

    def _cname(self, prefix: str) -> str:
        if not CNAME_PREFIX.fullmatch(prefix):
            raise InvalidParameterValue(
                f"Value {prefix} at 'CNAMEPrefix' failed to satisfy constraint: Member must contain only letters, "
                "digits, and the dash character and may not start or end with a dash"
            )
        return f"{prefix.lower()}.{self.region}.elasticbeanstalk.com"

    def create_environment(self) -> ActionResult:
        service = self._service
        with service.lock:
            environment, bundle = self._new_environment()
            service.add(environment)
        environment.bundle, environment.extension = bundle, dict(bundle.option_settings)
        self._storage_location()
        self._lifecycle.create(self._operation(environment), service)
        return ActionResult(views.environment(environment))

    def _new_environment(self) -> tuple[Environment, Bundle]:
        service, now = self._service, self._now()
        application = service.application(self._needed("ApplicationName"))
        name = self._needed("EnvironmentName")
        self._refuse_unsupported("TemplateName", "GroupName", "OperationsRole", "EnvironmentDescription")
        if not NAME.fullmatch(name):
            raise InvalidParameterValue(
                f"Value {name} at 'EnvironmentName' failed to satisfy constraint: Member must be from 4 to 40 "
                "characters in length and contain only letters, digits, and hyphens, without a hyphen at its ends"
            )
        if any(item.name == name for item in service.environments(include_terminated=False)):
            raise InvalidParameterValue(f"Environment {name} already exists.")
        _check_tier(self._get_param("Tier"))
        prefix = self._get_param("CNAMEPrefix")
        cname = self._cname(prefix) if prefix else self._random_cname(name)
        if service.cname_taken(cname):
            raise InvalidParameterValue(f"DNS name ({cname}) is not available.")
        label = self._get_param("VersionLabel")
        if label is None:
            raise InvalidParameterValue("The rehearsal cloud has no sample application: give a VersionLabel.")
        bundle = self._bundle(application, label)
        direct = self._direct({})
        self._validate(options.effective(bundle.option_settings, direct))
        return (
            Environment(
                id=f"e-{random_name(10)}",
                name=name,
                application=application.name,
                region=self.region,
                account=self.current_account,
                platform=self._platform() or _no_platform(),
                description=self._get_param("Description"),
                cname=cname,
                version_label=label,
                status="Launching",
                direct=direct,
                extension={},
                tags=_tags(self._get_param("Tags")),
                created=now,
                updated=now,
            ),
            bundle,
        )

    def _random_cname(self, name: str) -> str:
        return f"{name.lower()}.eba-{random_name(8)}.{self.region}.elasticbeanstalk.com"

    def _refuse_unsupported(self, *names: str) -> None:
        for name in names:
            if self._get_param(name) is not None:
                raise InvalidParameterValue(f"The rehearsal cloud does not implement {name}.")

    def _bundle(self, application: Application, label: str) -> Bundle:
        version = application.version(label)
        if version.status in ("PROCESSING", "FAILED"):
            raise InvalidParameterValue(
                f"Application version {label} is in an invalid state for this operation: {version.status}."
            )
        return read(self._object(version.bucket, version.key))

    def _platform(self) -> Platform | None:
        arn, stack = self._get_param("PlatformArn"), self._get_param("SolutionStackName")
        if arn is not None and stack is not None:
            raise InvalidParameterCombination("PlatformArn and SolutionStackName are mutually exclusive.")
        if arn is not None:
            return platforms.by_arn(arn, self.region)
        return platforms.by_solution_stack(stack) if stack is not None else None

    def _direct(self, current: Mapping[Key, str]) -> dict[Key, str]:
        """The directly set options after this request."""
        removed = {_key(item) for item in self._get_param("OptionsToRemove") or []}
        kept = {key: value for key, value in current.items() if key not in removed}
        return {**kept, **self._option_settings()}

    def _option_settings(self) -> dict[Key, str]:
        return {_key(item): item.get("Value", "") for item in self._get_param("OptionSettings") or []}

    def _validate(self, settings: Mapping[Key, str]) -> None:
        problems = options.problems(settings)
        if problems:
            raise ConfigurationValidation(problems[0].message)
        environment_type = Key(options.ENVIRONMENT, "EnvironmentType")
        if settings.get(environment_type) != "SingleInstance":
            raise ConfigurationValidation(
                f"Invalid option value: '{settings.get(environment_type, 'LoadBalanced')}' (Namespace: "
                f"'{environment_type.namespace}', OptionName: '{environment_type.name}'): The rehearsal cloud "
                "implements SingleInstance only."
            )
        size = options.properties_size(settings)
        if size > options.PROPERTIES_LIMIT:
            # Seen in https://github.com/meteor-up/mup-aws-beanstalk/issues/42, there as an event.
            raise ConfigurationValidation(
                "Service:AmazonCloudFormation, Message:Template format error: Parameter 'EnvironmentVariables' default "
                f"value '[****]' length is greater than {options.PROPERTIES_LIMIT}."
            )

    def _operation(self, environment: Environment) -> Operation:
        return Operation(self._service, environment, self.request_id)

    def _environment(self) -> Environment:
        name, identifier = self._get_param("EnvironmentName"), self._get_param("EnvironmentId")
        if name is None and identifier is None:
            raise MissingRequiredParameter("Either EnvironmentId or EnvironmentName must be specified.")
        return self._service.environment(name, identifier)

    def _begin(self, environment: Environment, status: Status) -> None:
        """Only a Ready environment accepts a change."""
        with self._service.lock:
            if environment.status != "Ready":
                raise not_ready(environment.name)
            environment.status = status
            environment.abortable = status == "Updating"

    def update_environment(self) -> ActionResult:
        environment = self._environment()
        if self._get_param("Tier") is not None:
            raise InvalidParameterValue("Cannot change environment tier")
        self._refuse_unsupported("TemplateName", "GroupName")
        if environment.status != "Ready":
            raise not_ready(environment.name)
        change = self._change(environment)
        description = self._get_param("Description")
        self._begin(environment, "Updating")
        if description is not None:
            environment.description = description
        self._lifecycle.update(self._operation(environment), self._service, change)
        return ActionResult(views.environment(environment))

    def _change(self, environment: Environment) -> Change:
        label = self._get_param("VersionLabel")
        application = self._service.application(environment.application)
        bundle = self._bundle(application, label) if label is not None else None
        extension = bundle.option_settings if bundle is not None else environment.extension
        direct = self._direct(environment.direct)
        self._validate(options.effective(extension, direct))
        platform = self._platform()
        return Change(label, bundle, direct, platform if platform is not environment.platform else None)

    def terminate_environment(self) -> ActionResult:
        environment = self._environment()
        self._terminate(environment)
        return ActionResult(views.environment(environment))

    def _terminate(self, environment: Environment) -> None:
        if environment.status == "Terminating":
            raise not_ready(environment.name)
        if environment.status != "Ready" and not self._get_param("ForceTerminate"):
            raise not_ready(environment.name)
        environment.abort.set()
        environment.status = "Terminating"
        self._lifecycle.terminate(self._operation(environment), self._service)

    def abort_environment_update(self) -> ActionResult:
        environment = self._environment()
        with self._service.lock:
            if not environment.abortable:
                raise InvalidParameterValue(
                    f"Environment named {environment.name} is in an invalid state for this operation. "
                    "Must have an abortable operation in progress."
                )
            environment.abort.set()
            environment.status = "Aborting"
        self._operation(environment).say("INFO", "abortEnvironmentUpdate is starting.")
        return EmptyResult()

    def restart_app_server(self) -> ActionResult:
        environment = self._environment()
        self._begin(environment, "Updating")
        self._lifecycle.restart(self._operation(environment), self._service)
        return EmptyResult()

    def rebuild_environment(self) -> ActionResult:
        environment = self._environment()
        self._begin(environment, "Updating")
        self._lifecycle.rebuild(self._operation(environment), self._service)
        return EmptyResult()

    def describe_environments(self) -> ActionResult:
        back_to = _aware(self._get_param("IncludedDeletedBackTo"))
        wanted: list[tuple[Any, Callable[[Environment], object]]] = [
            (_listed(self._get_param("ApplicationName")), lambda item: item.application),
            (_listed(self._get_param("VersionLabel")), lambda item: item.version_label),
            (self._get_param("EnvironmentIds"), lambda item: item.id),
            (self._get_param("EnvironmentNames"), lambda item: item.name),
        ]
        include = self._get_param("IncludeDeleted")
        found = [
            item
            for item in self._service.environments(include_terminated=include is not False)
            if all(not values or of(item) in values for values, of in wanted)
            and (back_to is None or item.terminated is None or item.terminated >= back_to)
        ]
        page, token = self._page(found, 1000)
        return ActionResult({"Environments": [views.environment(item) for item in page], **token})

    def describe_environment_resources(self) -> ActionResult:
        environment = self._environment()
        instances = [{"Id": environment.instance.id}] if environment.instance is not None else []
        names: dict[str, list[Any]] = {
            name: []
            for name in (
                "AutoScalingGroups",
                "LaunchConfigurations",
                "LaunchTemplates",
                "LoadBalancers",
                "Triggers",
                "Queues",
            )
        }
        resources = {"EnvironmentName": environment.name, "Instances": instances, **names}
        return ActionResult({"EnvironmentResources": resources})

    # -- configuration --------------------------------------------------------------------------------------------

    def describe_configuration_settings(self) -> ActionResult:
        self._service.application(self._needed("ApplicationName"))
        self._refuse_unsupported("TemplateName")
        environment = self._service.environment(self._needed("EnvironmentName"), None)
        draft = environment.draft
        settings = environment.settings
        if draft is None:
            return ActionResult({"ConfigurationSettings": [views.configuration(environment, settings, "deployed")]})
        sets = [views.configuration(environment, settings, "deployed")]
        sets.append(views.configuration(environment, draft.settings, draft.status))
        return ActionResult({"ConfigurationSettings": sets})

    def describe_configuration_options(self) -> ActionResult:
        name = self._get_param("EnvironmentName")
        platform = self._platform()
        single = False
        if name is not None:
            environment = self._service.environment(name, None)
            platform = platform or environment.platform
            single = environment.setting(options.ENVIRONMENT, "EnvironmentType") == "SingleInstance"
        platform = platform or _no_platform()
        asked = self._get_param("Options")
        keys = [_key(item) for item in asked] if asked else None
        return ActionResult(
            {
                "SolutionStackName": platform.solution_stack,
                "PlatformArn": platform.arn(self.region),
                "Options": options.describe(keys, single),
            }
        )

    def validate_configuration_settings(self) -> ActionResult:
        self._service.application(self._needed("ApplicationName"))
        self._refuse_unsupported("TemplateName")
        self._service.environment(self._needed("EnvironmentName"), None)
        messages = [
            {
                "Message": problem.message,
                "Severity": "error",
                "Namespace": problem.key.namespace,
                "OptionName": problem.key.name,
            }
            for problem in options.problems(self._option_settings())
        ]
        return ActionResult({"Messages": messages})

    # -- events, health -------------------------------------------------------------------------------------------

    def describe_events(self) -> ActionResult:
        self._refuse_unsupported("TemplateName")
        query = Query(
            application=self._get_param("ApplicationName"),
            environment=self._get_param("EnvironmentName"),
            environment_id=self._get_param("EnvironmentId"),
            version_label=self._get_param("VersionLabel"),
            request_id=self._get_param("RequestId"),
            severity=self._get_param("Severity"),
            start=_aware(self._get_param("StartTime")),
            end=_aware(self._get_param("EndTime")),
        )
        page, token = self._page(self._service.events.find(query), 1000)
        return ActionResult({"Events": [views.event(item) for item in page], **token})

    def describe_environment_health(self) -> ActionResult:
        environment = self._enhanced("DescribeEnvironmentHealth")
        return ActionResult(views.environment_health(environment, set(self._get_param("AttributeNames") or [])))

    def describe_instances_health(self) -> ActionResult:
        environment = self._enhanced("DescribeInstancesHealth")
        found = views.instances_health(environment, set(self._get_param("AttributeNames") or []))
        return ActionResult({"InstanceHealthList": found, "RefreshedAt": environment.health_time})

    def _enhanced(self, operation: str) -> Environment:
        environment = self._environment()
        if not environment.enhanced:
            raise InvalidRequest(f"{operation} is not supported.")
        return environment

    # -- logs on demand -------------------------------------------------------------------------------------------

    def request_environment_info(self) -> ActionResult:
        environment, kind = self._environment(), self._needed("InfoType")
        if kind not in ("tail", "bundle"):
            raise InvalidParameterValue(f"The rehearsal cloud does not implement InfoType {kind}.")
        operation = self._operation(environment)
        operation.say("INFO", "requestEnvironmentInfo is starting.")
        instance = environment.instance
        if instance is None:
            operation.say("ERROR", "Failed to pull logs for environment instances.")
            return EmptyResult()
        text = instance.tail(TAIL_LINES if kind == "tail" else BUNDLE_LINES)
        self._keep_information(environment, instance, kind, text)
        count = len(instance.containers())
        word = "tailing" if kind == "tail" else "bundling"
        operation.say("INFO", f"[Instance: {instance.id}] Successfully finished {word} {count} log(s)")
        operation.say("INFO", "Pulled logs for environment instances.")
        return EmptyResult()

    def _keep_information(self, environment: Environment, instance: Instance, kind: str, text: str) -> None:
        now = self._now()
        key = f"resources/environments/logs/{kind}/{environment.id}/{instance.id}/TailLogs-{int(now.timestamp())}.txt"
        bucket = self._storage_location()
        s3_backends[self.current_account]["aws"].put_object(bucket, key, text.encode())
        entry = {
            "InfoType": kind,
            "Ec2InstanceId": instance.id,
            "SampleTimestamp": now,
            "Message": self._link(bucket, key),
        }
        self.services.information.setdefault(environment.id, []).insert(0, entry)

    def _link(self, bucket: str, key: str) -> str:
        client: Any = boto3.client(
            "s3",
            region_name=self.region,
            endpoint_url=self._cloud.endpoint,
            aws_access_key_id="instance",
            aws_secret_access_key="instance",  # noqa: S106 - the rehearsal cloud does not check signatures
            config=Config(s3={"addressing_style": "path"}),
        )
        return str(client.generate_presigned_url("get_object", {"Bucket": bucket, "Key": key}, LINK_SECONDS))

    def retrieve_environment_info(self) -> ActionResult:
        environment, kind = self._environment(), self._needed("InfoType")
        entries = [item for item in self.services.information.get(environment.id, []) if item["InfoType"] == kind]
        newest = {item["Ec2InstanceId"]: item for item in reversed(entries)}
        return ActionResult({"EnvironmentInfo": list(newest.values())})

    # -- platforms ------------------------------------------------------------------------------------------------

    def list_available_solution_stacks(self) -> ActionResult:
        names = [item.solution_stack for item in platforms.PLATFORMS]
        details = [{"SolutionStackName": name, "PermittedFileTypes": ["zip", "json"]} for name in names]
        return ActionResult({"SolutionStacks": names, "SolutionStackDetails": details})

    def list_platform_branches(self) -> ActionResult:
        found = platforms.branches(self._get_param("Filters") or [])
        return ActionResult({"PlatformBranchSummaryList": [views.branch(item) for item in found]})

    def list_platform_versions(self) -> ActionResult:
        page, token = self._page(platforms.versions(self._get_param("Filters") or []), 100)
        return ActionResult(
            {"PlatformSummaryList": [views.platform_summary(item, self.region) for item in page], **token}
        )

    def describe_platform_version(self) -> ActionResult:
        found = platforms.by_arn(self._needed("PlatformArn"), self.region)
        return ActionResult({"PlatformDescription": views.platform(found, self.region)})

    def describe_account_attributes(self) -> ActionResult:
        quotas = {
            "ApplicationQuota": 75,
            "ApplicationVersionQuota": 1000,
            "EnvironmentQuota": 200,
            "ConfigurationTemplateQuota": 2000,
            "CustomPlatformQuota": 50,
        }
        return ActionResult({"ResourceQuotas": {name: {"Maximum": value} for name, value in quotas.items()}})

    # -- tags -----------------------------------------------------------------------------------------------------

    def list_tags_for_resource(self) -> ActionResult:
        arn = self._needed("ResourceArn")
        found = self._tagged(arn)
        tags = dict(found.tags)
        if isinstance(found, Environment):
            tags = {**tags, **system_tags(found), "Name": found.name}
        described = [{"Key": key, "Value": value} for key, value in sorted(tags.items())]
        return ActionResult({"ResourceArn": arn, "ResourceTags": described})

    def update_tags_for_resource(self) -> ActionResult:
        found = self._tagged(self._needed("ResourceArn"))
        if isinstance(found, Environment):
            self._begin(found, "Updating")
            # Tags are changed by an update of the environment that nobody can stop.
            found.abortable = False
        removed = set(self._get_param("TagsToRemove") or [])
        kept = {key: value for key, value in found.tags.items() if key not in removed}
        found.tags = {**kept, **_tags(self._get_param("TagsToAdd"))}
        if isinstance(found, Environment):
            self._lifecycle.tags_changed(self._operation(found), self._service)
        return EmptyResult()

    def _tagged(self, arn: str) -> Application | Version | Environment:
        service = self._service
        for environment in service.environments(include_terminated=False):
            if environment.arn == arn:
                return environment
        for application in service.applications.values():
            if service.application_arn(application.name) == arn:
                return application
            for version in application.versions.values():
                if service.version_arn(version) == arn:
                    return version
        raise ResourceNotFound(f"Resource not found for arn '{arn}'.")

    # -- pages ----------------------------------------------------------------------------------------------------

    def _page(self, items: list[Any], largest: int) -> tuple[list[Any], dict[str, str]]:
        """The part that MaxRecords and NextToken ask for, and the token of the next; a token is a position."""
        token = self._get_param("NextToken") or "0"
        if not token.isdecimal():
            raise InvalidParameterValue("Invalid NextToken.")
        size = min(self._get_param("MaxRecords") or largest, largest)
        end = int(token) + size
        return items[int(token) : end], {"NextToken": str(end)} if end < len(items) else {}


def _key(item: Mapping[str, str]) -> Key:
    return Key(item.get("Namespace", ""), item.get("OptionName", ""))


def _tags(items: Iterable[Mapping[str, str]] | None) -> dict[str, str]:
    return {item["Key"]: item.get("Value", "") for item in items or []}


def _listed(value: str | None) -> list[str]:
    return [] if value is None else [value]


def _aware(moment: datetime | None) -> datetime | None:
    """Moto parses times without their zone, which is UTC."""
    return moment.replace(tzinfo=UTC) if moment is not None and moment.tzinfo is None else moment


def _check_tier(tier: Mapping[str, str] | None) -> None:
    if tier is not None and (tier.get("Name", "WebServer"), tier.get("Type", "Standard")) != ("WebServer", "Standard"):
        raise InvalidParameterValue("The rehearsal cloud implements the tier WebServer/Standard only.")


def _no_platform() -> Platform:
    raise MissingRequiredParameter("Either SolutionStackName or PlatformArn must be specified.")


def _no_lifecycle() -> dict[str, Any]:
    return {
        "VersionLifecycleConfig": {
            "MaxCountRule": {"Enabled": False, "MaxCount": 200, "DeleteSourceFromS3": False},
            "MaxAgeRule": {"Enabled": False, "MaxAgeInDays": 180, "DeleteSourceFromS3": False},
        }
    }
