# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All of an account's CloudFront as the API changes it. Moto finds `urls` beside a module that is called so."""

from __future__ import annotations

import json
import re
import string
import threading
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import moto.cloudfront.models as moto_models
from moto.core.base_backend import BackendDict
from moto.utilities.utils import PARTITION_NAMES

from localcloud.cloudfront import prerequisites
from localcloud.cloudfront.distribution import (
    Config,
    behaviors_of,
    complete_config,
    functions_of,
    origins_of,
    read_config,
)
from localcloud.cloudfront.exceptions import (
    CloudFrontError,
    check_if_match,
    invalid_argument,
    not_found,
    require_if_match,
    unsupported,
)
from localcloud.cloudfront.functions import CODE_LIMIT, RUNTIMES, TIME_LIMIT, FunctionError, FunctionRunner, check_code
from localcloud.cloudfront.policystore import ResponseHeadersPolicies
from localcloud.cloudfront.resources import (
    Distribution,
    Function,
    FunctionVersion,
    Invalidation,
    OriginAccessControl,
    random_id,
    resource_id,
    runtime,
)

WILDCARD_LIMIT = 15
PATH_LIMIT = 3000


class CloudFrontBackend(moto_models.CloudFrontBackend):  # type: ignore[misc]
    """All of one account's CloudFront. Public keys, key groups and key value stores are as moto keeps them."""

    def __init__(self, region_name: str, account_id: str) -> None:
        super().__init__(region_name, account_id)
        self.lock = threading.RLock()
        self.distributions: dict[str, Distribution] = {}
        self.access_controls: dict[str, OriginAccessControl] = {}
        self.functions: dict[str, Function] = {}
        self.response_headers_policies = ResponseHeadersPolicies(self._names_headers_policy)

    def reset(self) -> None:
        for distribution in list(self.distributions.values()):
            runtime().close_listeners(distribution.id)
        super().reset()

    # Distributions

    def create_distribution(self, given: Config, tags: list[dict[str, str]]) -> Distribution:
        with self.lock:
            config = complete_config(given)
            self._check_references(config, None)
            reference = config["CallerReference"]
            for existing in self.distributions.values():
                if existing.config["CallerReference"] == reference:
                    raise CloudFrontError(
                        "DistributionAlreadyExists",
                        "The caller reference that you are using to create a distribution is associated with another "
                        f"distribution. Already exists: {existing.id}",
                        409,
                    )
            distribution = self._new_distribution(config)
            distribution.ports = runtime().open_listeners(distribution)
            self.distributions[distribution.id] = distribution
            self.tagger.tag_resource(distribution.arn, tags)
            return distribution

    def _new_distribution(self, config: Config) -> Distribution:
        now = runtime().clock()
        identifier = resource_id()
        return Distribution(
            id=identifier,
            arn=f"arn:aws:cloudfront::{self.account_id}:distribution/{identifier}",
            account_id=self.account_id,
            domain_name=f"d{random_id(string.ascii_lowercase + string.digits)}.cloudfront.net",
            config=config,
            edge=read_config(config),
            etag=resource_id(),
            modified_at=now,
            deployed_at=now + runtime().deploy_seconds(),
        )

    def distribution(self, identifier: str) -> Distribution:
        found = self.distributions.get(identifier)
        if found is None:
            raise not_found("NoSuchDistribution", "distribution")
        return found

    def update_distribution(self, identifier: str, given: Config, if_match: str | None) -> Distribution:
        require_if_match(if_match)
        with self.lock:
            distribution = self.distribution(identifier)
            check_if_match(if_match, distribution.etag)
            config = complete_config(given)
            if config["CallerReference"] != distribution.config["CallerReference"]:
                raise CloudFrontError("IllegalUpdate", "The update contains modifications that are not allowed.")
            self._check_references(config, distribution)
            distribution.change(config, runtime().clock(), runtime().deploy_seconds())
            runtime().open_listeners(distribution)
            return distribution

    def delete_distribution(self, identifier: str, if_match: str | None) -> None:
        require_if_match(if_match)
        with self.lock:
            distribution = self.distribution(identifier)
            check_if_match(if_match, distribution.etag)
            if distribution.config["Enabled"] or distribution.status(runtime().clock()) != "Deployed":
                raise CloudFrontError(
                    "DistributionNotDisabled", "The distribution you are trying to delete has not been disabled.", 409
                )
            del self.distributions[identifier]
            self.tagger.delete_all_tags_for_resource(distribution.arn)
            runtime().close_listeners(identifier)

    def _check_references(self, config: Config, own: Distribution | None) -> None:
        for origin in origins_of(config):
            self._check_access_control(origin)
        for association in functions_of(config):
            self._check_function(association)
        for behavior in behaviors_of(config):
            if wanted := behavior.get("ResponseHeadersPolicyId"):
                self.response_headers_policies.get(wanted)
            for group in behavior["TrustedKeyGroups"].get("Items") or []:
                if group not in self.key_groups:
                    raise CloudFrontError("TrustedKeyGroupDoesNotExist", f"The key group {group} does not exist.")
        prerequisites.check(self.account_id, config)
        taken = {
            alias: other.id
            for other in self.distributions.values()
            if own is None or other.id != own.id
            for alias in other.config["Aliases"].get("Items") or []
        }
        for alias in config["Aliases"].get("Items") or []:
            if alias in taken:
                raise CloudFrontError(
                    "CNAMEAlreadyExists",
                    f"One or more of the CNAMEs you provided are already associated with a different resource: {alias}",
                    409,
                )

    def _check_access_control(self, origin: Config) -> None:
        wanted = origin["OriginAccessControlId"]
        if not wanted:
            return
        if wanted not in self.access_controls:
            raise CloudFrontError("InvalidOriginAccessControl", f"The origin access control {wanted} is not valid.")
        if origin.get("S3OriginConfig") is None:
            raise CloudFrontError(
                "InvalidDomainNameForOriginAccessControl",
                f"The origin {origin['Id']} is not a bucket; an origin access control for S3 cannot be used with it.",
            )

    def _check_function(self, association: Config) -> None:
        if association["EventType"] not in ("viewer-request", "viewer-response"):
            raise unsupported(f"functions at {association['EventType']}")
        arn = association["FunctionARN"]
        function = next((item for item in self.functions.values() if item.arn == arn), None)
        if function is None or function.live is None:
            raise CloudFrontError(
                "InvalidFunctionAssociation",
                f"The function ARN {arn} does not name a function that is published in the LIVE stage.",
            )

    def public_keys_of(self, groups: Sequence[str]) -> dict[str, str]:
        """The public keys of key groups, in PEM, by their ids."""
        ids = {key for group in groups if group in self.key_groups for key in self.key_groups[group].items}
        return {key: self.public_keys[key].encoded_key for key in ids if key in self.public_keys}

    def delete_public_key(self, key_id: str) -> None:
        if key_id not in self.public_keys:
            raise not_found("NoSuchPublicKey", "public key")
        super().delete_public_key(key_id)

    def _names_headers_policy(self, identifier: str) -> bool:
        return any(
            behavior.get("ResponseHeadersPolicyId") == identifier
            for distribution in self.distributions.values()
            for behavior in behaviors_of(distribution.config)
        )

    # Invalidations

    def create_invalidation(self, identifier: str, paths: list[str], reference: str) -> Invalidation:
        with self.lock:
            distribution = self.distribution(identifier)
            _check_paths(paths)
            for existing in distribution.invalidations:
                if existing.caller_reference == reference:
                    return _same_batch(existing, paths)
            now = runtime().clock()
            _check_room(distribution.in_progress(now), paths)
            invalidation = Invalidation(
                id=resource_id("I"),
                caller_reference=reference,
                paths=tuple(paths),
                created_at=now,
                completes_at=now + runtime().invalidation_seconds(),
            )
            distribution.invalidations.append(invalidation)
            return invalidation

    def invalidation(self, distribution_id: str, identifier: str) -> Invalidation:
        for found in self.distribution(distribution_id).invalidations:
            if found.id == identifier:
                return found
        raise not_found("NoSuchInvalidation", "invalidation")

    # Origin access controls

    def create_access_control(self, given: Config) -> OriginAccessControl:
        with self.lock:
            config = self._complete_access_control(given, None)
            control = OriginAccessControl(resource_id(), resource_id(), config)
            self.access_controls[control.id] = control
            return control

    def access_control(self, identifier: str) -> OriginAccessControl:
        found = self.access_controls.get(identifier)
        if found is None:
            raise not_found("NoSuchOriginAccessControl", "origin access control")
        return found

    def update_access_control(self, identifier: str, given: Config, if_match: str | None) -> OriginAccessControl:
        with self.lock:
            control = self.access_control(identifier)
            check_if_match(if_match, control.etag)
            config = self._complete_access_control(given, identifier)
            self.access_controls[identifier] = replace(control, config=config, etag=resource_id())
            return self.access_controls[identifier]

    def delete_access_control(self, identifier: str, if_match: str | None) -> None:
        with self.lock:
            control = self.access_control(identifier)
            check_if_match(if_match, control.etag)
            for distribution in self.distributions.values():
                if any(origin["OriginAccessControlId"] == identifier for origin in origins_of(distribution.config)):
                    raise CloudFrontError(
                        "OriginAccessControlInUse",
                        "Cannot delete the origin access control because it's in use by one or more distributions.",
                        409,
                    )
            del self.access_controls[identifier]

    def _complete_access_control(self, given: Config, own: str | None) -> Config:
        config = {"Description": ""} | given
        for key, known in (
            ("SigningProtocol", ("sigv4",)),
            ("SigningBehavior", ("always", "never", "no-override")),
        ):
            if config.get(key) not in known:
                raise invalid_argument(f"The parameter {key} must be one of {', '.join(known)}.")
        if config.get("OriginAccessControlOriginType") != "s3":
            raise unsupported(f"origin access controls for {config.get('OriginAccessControlOriginType')}")
        if not re.fullmatch(r".{1,64}", config.get("Name", "")):
            raise invalid_argument("The parameter Name must have 1 to 64 characters.")
        if any(other.name == config["Name"] and other.id != own for other in self.access_controls.values()):
            raise CloudFrontError(
                "OriginAccessControlAlreadyExists",
                f"An origin access control with the name {config['Name']} already exists.",
                409,
            )
        return config

    # Functions

    def create_function(self, name: str, given: Config, code: bytes, tags: list[dict[str, str]]) -> Function:
        with self.lock:
            if not re.fullmatch(r"[a-zA-Z0-9-_]{1,64}", name or ""):
                raise invalid_argument("The parameter Name must have 1 to 64 letters, digits, hyphens or underscores.")
            if name in self.functions:
                raise CloudFrontError(
                    "FunctionAlreadyExists", f"A function with the name {name} already exists in this account.", 409
                )
            now = runtime().clock()
            arn = f"arn:aws:cloudfront::{self.account_id}:function/{name}"
            function = Function(name, arn, now, _function_version(given, code, now))
            self.functions[name] = function
            self.tagger.tag_resource(arn, tags)
            return function

    def function(self, name: str) -> Function:
        found = self.functions.get(name)
        if found is None:
            raise not_found("NoSuchFunctionExists", "function")
        return found

    def update_function(self, name: str, given: Config, code: bytes, if_match: str | None) -> Function:
        with self.lock:
            function = self.function(name)
            check_if_match(if_match, function.development.etag)
            function.development = _function_version(given, code, runtime().clock())
            return function

    def publish_function(self, name: str, if_match: str | None) -> Function:
        with self.lock:
            function = self.function(name)
            check_if_match(if_match, function.development.etag)
            function.live = replace(function.development, etag=resource_id(), modified_at=runtime().clock())
            return function

    def delete_function(self, name: str, if_match: str | None) -> None:
        with self.lock:
            function = self.function(name)
            check_if_match(if_match, function.development.etag)
            if self.is_associated(function.arn):
                raise CloudFrontError(
                    "FunctionInUse",
                    "Cannot delete the function because it's attached to one or more cache behaviors.",
                    409,
                )
            del self.functions[name]
            self.tagger.delete_all_tags_for_resource(function.arn)

    def try_function(self, name: str, stage: str, event: bytes, if_match: str | None) -> dict[str, Any]:
        """What TestFunction says of a run: output or error message, the lines written, and the share of the time."""
        version = self.function(name).version(stage)
        check_if_match(if_match, version.etag)
        runner = FunctionRunner(version.code)
        try:
            given = json.loads(event)
            kind = given["context"]["eventType"] if isinstance(given, dict) else None
            run = runner.run(given)
        except (ValueError, KeyError, TypeError) as error:
            raise invalid_argument("The parameter EventObject is not an event as functions get it.") from error
        except FunctionError as error:
            return {"FunctionErrorMessage": str(error), "FunctionExecutionLogs": [], "ComputeUtilization": "0"}
        finally:
            runner.close()
        answers = kind == "viewer-response" or "statusCode" in run.returned
        return {
            "ComputeUtilization": str(min(100, int(100 * run.seconds / TIME_LIMIT))),
            "FunctionExecutionLogs": list(run.lines),
            "FunctionErrorMessage": "",
            "FunctionOutput": json.dumps({"response" if answers else "request": run.returned}),
        }

    def is_associated(self, arn: str) -> bool:
        return any(
            association["FunctionARN"] == arn
            for distribution in self.distributions.values()
            for association in functions_of(distribution.config)
        )

    def live_function(self, arn: str) -> FunctionVersion | None:
        return next((function.live for function in self.functions.values() if function.arn == arn), None)

    # Tags

    def check_resource(self, arn: str) -> None:
        if not any(resource.arn == arn for resource in self.iter_tagged_resources()):
            raise not_found("NoSuchResource", f"resource {arn}")

    def tag_resource(self, arn: str, tags: dict[str, str]) -> None:
        self.check_resource(arn)
        self.tagger.tag_resource(arn, self.tagger.convert_dict_to_tags_input(tags))

    def untag_resource(self, arn: str, tag_keys: list[str]) -> None:
        self.check_resource(arn)
        self.tagger.untag_resource_using_names(arn, tag_keys)

    def tags_of(self, arn: str) -> list[dict[str, str]]:
        self.check_resource(arn)
        return list(self.tagger.list_tags_for_resource(arn)["Tags"])


def _function_version(given: Config, code: bytes, now: float) -> FunctionVersion:
    if given.get("Runtime") not in RUNTIMES:
        raise invalid_argument(f"The parameter Runtime must be one of {', '.join(RUNTIMES)}.")
    if (given.get("KeyValueStoreAssociations") or {}).get("Quantity"):
        raise unsupported("key value stores")
    if len(code) > CODE_LIMIT:
        raise CloudFrontError("FunctionSizeLimitExceeded", f"The function is larger than {CODE_LIMIT} bytes.", 413)
    text = code.decode("utf-8")
    try:
        check_code(text, given["Runtime"])
    except FunctionError as error:
        raise invalid_argument(f"The function's code is not valid: {error}") from error
    return FunctionVersion(text, {"Comment": "", **given}, resource_id(), now)


def _check_paths(paths: list[str]) -> None:
    if not paths:
        raise invalid_argument("Your request contains no invalidation paths.")
    for path in paths:
        if not path.startswith("/") or "*" in path[:-1] or len(path) > 4000:
            raise invalid_argument(f"Your request contains one or more invalid invalidation paths: {path}")


def _same_batch(existing: Invalidation, paths: list[str]) -> Invalidation:
    if sorted(existing.paths) != sorted(paths):
        raise CloudFrontError(
            "InvalidationBatchAlreadyExists",
            f"The caller reference {existing.caller_reference} was used for an invalidation of other paths.",
        )
    return existing


def _check_room(in_progress: list[Invalidation], paths: list[str]) -> None:
    running = [path for invalidation in in_progress for path in invalidation.paths]
    wildcards = sum(path.endswith("*") for path in (*running, *paths))
    if wildcards > WILDCARD_LIMIT or len(running) + len(paths) - wildcards > PATH_LIMIT:
        raise CloudFrontError(
            "TooManyInvalidationsInProgress",
            "You have exceeded the maximum number of allowable InProgress invalidation batch requests.",
        )


cloudfront_backends: BackendDict[CloudFrontBackend] = BackendDict(
    CloudFrontBackend, "cloudfront", use_boto3_regions=False, additional_regions=PARTITION_NAMES
)
