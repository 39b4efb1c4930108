# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations on environments' options."""

from __future__ import annotations

from collections.abc import Mapping

from moto.core.responses import ActionResult

from localcloud.elasticbeanstalk import balancer, optionrules, options, optionviews, platforms, views
from localcloud.elasticbeanstalk.exceptions import (
    ConfigurationValidation,
    InvalidParameterCombination,
    InvalidParameterValue,
    MissingRequiredParameter,
)
from localcloud.elasticbeanstalk.instancetypes import architectures
from localcloud.elasticbeanstalk.models import Environment
from localcloud.elasticbeanstalk.optionrules import Problem
from localcloud.elasticbeanstalk.options import Key
from localcloud.elasticbeanstalk.platforms import Platform
from localcloud.elasticbeanstalk.responses.core import Core, option_key
from localcloud.elasticbeanstalk.views import Description


class Configuration(Core):
    """Option settings."""

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

    def _validate(self, extension: Mapping[Key, str], direct: Mapping[Key, str], old: Mapping[Key, str] | None) -> None:
        """:param old: The settings of the environment that is updated, None for a new one.

        :raises ConfigurationValidation: When the service would refuse the settings; it names the first defect.
        """
        problems = [
            *optionrules.extension_problems(extension),
            *self._problems(options.effective(extension, direct), old),
        ]
        if problems:
            raise ConfigurationValidation(problems[0].message)
        words = balancer.unsupported(options.effective(extension, direct))
        if words is not None:
            raise ConfigurationValidation(words)

    @staticmethod
    def _problems(settings: Mapping[Key, str], old: Mapping[Key, str] | None) -> list[Problem]:
        found = optionrules.problems(settings, architectures())
        return found + (optionrules.unchangeable(old, settings) if old is not None else [])

    # -- operations -----------------------------------------------------------------------------------------------

    def describe_configuration_settings(self) -> ActionResult:
        environment = self._configured()
        draft = environment.draft
        if draft is None:
            return ActionResult({"ConfigurationSettings": [self._configuration(environment, None, "deployed")]})
        deployed = self._configuration(environment, draft.deployed, "deployed")
        return ActionResult(
            {"ConfigurationSettings": [deployed, self._configuration(environment, draft.settings, draft.status)]}
        )

    def _configured(self) -> Environment:
        """The environment whose configuration is meant."""
        self._service.application(self._needed("ApplicationName"))
        name, template = self._get_param("EnvironmentName"), self._get_param("TemplateName")
        if name is not None and template is not None:
            raise InvalidParameterCombination("You cannot specify both an EnvironmentName and a TemplateName.")
        if template is not None:
            raise InvalidParameterValue(f"No Configuration Template named '{template}' found.")
        if name is None:
            raise MissingRequiredParameter("Either EnvironmentName or TemplateName must be specified.")
        return self._service.environment(name, None)

    def _configuration(self, environment: Environment, settings: Mapping[Key, str] | None, status: str) -> Description:
        version = self._service.application(environment.application).versions.get(environment.version_label)
        source = f"https://{version.bucket}.s3.{self.region}.amazonaws.com/{version.key}" if version else None
        return views.configuration(environment, environment.settings if settings is None else settings, status, source)

    def describe_configuration_options(self) -> ActionResult:
        name, platform = self._get_param("EnvironmentName"), self._platform()
        settings: Mapping[Key, str] = self._option_settings()
        if name is not None:
            environment = self._service.environment(name, None)
            platform, settings = platform or environment.platform, environment.settings
        platform = platform or self._needed_platform()
        asked = self._get_param("Options")
        keys = [option_key(item) for item in asked] if asked else None
        return ActionResult(
            {
                "SolutionStackName": platform.solution_stack,
                "PlatformArn": platform.arn(self.region),
                "Options": optionviews.describe(keys, settings),
            }
        )

    def validate_configuration_settings(self) -> ActionResult:
        environment = self._configured()
        settings = options.effective(environment.extension, environment.direct, self._option_settings())
        messages = [views.message(problem) for problem in self._problems(settings, environment.settings)]
        return ActionResult({"Messages": messages})
