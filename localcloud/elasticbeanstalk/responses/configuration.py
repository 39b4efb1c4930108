# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on environments' options."""

from __future__ import annotations

from collections.abc import Mapping

from moto.core.responses import ActionResult

from localcloud.elasticbeanstalk import options, platforms, views
from localcloud.elasticbeanstalk.bundle import Bundle, read
from localcloud.elasticbeanstalk.exceptions import (
    ConfigurationValidation,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingRequiredParameter,
)
from localcloud.elasticbeanstalk.models import Application
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.platforms import Platform
from localcloud.elasticbeanstalk.responses.core import Core, option_key


class Configuration(Core):
    """Option settings."""

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

    def _needed_platform(self) -> Platform:
        platform = self._platform()
        if platform is None:
            raise MissingRequiredParameter("Either SolutionStackName or PlatformArn must be specified.")
        return platform

    def _direct(self, current: Mapping[Key, str]) -> dict[Key, str]:
        """The directly set options after this request."""
        removed = {option_key(item) for item in self._get_param("OptionsToRemove") or []}
        kept = {key: value for key, value in current.items() if key not in removed}
        return {**kept, **self._option_settings()}

    def _option_settings(self) -> dict[Key, str]:
        return {option_key(item): item.get("Value", "") for item in self._get_param("OptionSettings") or []}

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
        platform = platform or self._needed_platform()
        asked = self._get_param("Options")
        keys = [option_key(item) for item in asked] if asked else None
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
