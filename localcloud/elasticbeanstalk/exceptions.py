# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Elastic Beanstalk's errors, with the service's own codes and messages."""

from __future__ import annotations

from moto.core.exceptions import ServiceException


class ElasticBeanstalkError(ServiceException):  # type: ignore[misc]
    """An error that the service answers with; moto finds the service by this class's module."""

    code = "ElasticBeanstalkServiceException"


class InvalidAction(ElasticBeanstalkError):
    code = "InvalidAction"

    def __init__(self, action: str) -> None:
        super().__init__(f"Could not find operation {action} for version 2010-12-01")


class ValidationError(ElasticBeanstalkError):
    code = "ValidationError"


class MalformedInput(ElasticBeanstalkError):
    code = "MalformedInput"


class InvalidParameterValue(ElasticBeanstalkError):
    code = "InvalidParameterValue"


class InvalidParameterCombination(ElasticBeanstalkError):
    code = "InvalidParameterCombination"


class MissingRequiredParameter(ElasticBeanstalkError):
    code = "MissingRequiredParameter"


class InvalidRequest(ElasticBeanstalkError):
    code = "InvalidRequestException"


class OperationInProgress(ElasticBeanstalkError):
    code = "OperationInProgressFailure"


class ResourceNotFound(ElasticBeanstalkError):
    code = "ResourceNotFoundException"


class ResourceTypeNotSupported(ElasticBeanstalkError):
    code = "ResourceTypeNotSupportedException"


class TooManyTags(ElasticBeanstalkError):
    code = "TooManyTagsException"


class TooMany(ElasticBeanstalkError):
    """More than a quota allows.

    Seen for versions: https://github.com/boto/boto3/issues/920; the others are said likewise.
    """

    def __init__(self, code: str, quota: int, what: str) -> None:
        self.code = code
        super().__init__(
            f"You cannot have more than {quota} {what}. Either remove some {what} or request a limit increase."
        )


class SourceBundleDeletion(ElasticBeanstalkError):
    """The version is deleted, its source bundle is not."""

    code = "SourceBundleDeletionFailure"


class S3LocationNotInServiceRegion(ElasticBeanstalkError):
    code = "S3LocationNotInServiceRegionException"


class ConfigurationValidation(ElasticBeanstalkError):
    """Options that the service refuses; seen as
    https://github.com/hashicorp/terraform/issues/20257 and https://github.com/pulumi/pulumi-aws/issues/3461 show it.
    """

    code = "ConfigurationValidationException"

    def __init__(self, message: str) -> None:
        super().__init__(f"Configuration validation exception: {message}")


def not_ready(environment: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Environment named {environment} is in an invalid state for this operation. Must be Ready."
    )


def not_to_be_terminated(environment: str) -> InvalidParameterValue:
    """Seen in https://github.com/aws/aws-elastic-beanstalk-cli-setup/issues/144, as the words of `not_abortable`."""
    return InvalidParameterValue(
        f"Cannot terminate environment named {environment}. It is currently pending deployment."
    )


def not_abortable(environment: str) -> InvalidParameterValue:
    return InvalidParameterValue(
        f"Environment named {environment} is in an invalid state for this operation. Must be pending deployment."
    )


def no_environment(name: str | None, identifier: str | None) -> InvalidParameterValue:
    if name is not None:
        return InvalidParameterValue(f"No Environment found for EnvironmentName = '{name}'.")
    return InvalidParameterValue(f"No Environment found for EnvironmentId = '{identifier}'.")


def no_application(name: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"No Application named '{name}' found.")


def no_version(label: str) -> InvalidParameterValue:
    return InvalidParameterValue(f"No Application Version named '{label}' found.")
