# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The only place that calls CloudFront."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.amazon.aws.plugins.module_utils.botocore import is_boto3_error_code
from ansible_collections.amazon.aws.plugins.module_utils.tagging import ansible_dict_to_boto3_tag_list
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.config import wrapped
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import (
    AccessControlObserved,
    DistributionObserved,
    FunctionObserved,
    InvalidationObserved,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError


def _entries(call: Any, result: str, **params: Any) -> Iterator[dict[str, Any]]:
    """All entries of a listing, page by page."""
    marker: dict[str, str] = {}
    while True:
        page = call(aws_retry=True, **params, **marker)[result]
        yield from page.get("Items") or []
        if not page.get("NextMarker"):
            return
        marker = {"Marker": page["NextMarker"]}


# Distributions -------------------------------------------------------------------------------------------------------


def find_distribution(client: Any, name: str) -> DistributionObserved | None:
    """The distribution with this tag ``Name``; None when there is none.

    :raises AntennaError: when several have it.
    """
    found = [
        (summary["Id"], tags)
        for summary in _entries(client.list_distributions, "DistributionList")
        for tags in (distribution_tags(client, summary["ARN"]),)
        if tags.get("Name") == name
    ]
    if len(found) > 1:
        ids = ", ".join(distribution_id for distribution_id, _tags in found)
        raise AntennaError(f"The distributions {ids} all have the tag Name={name}. Leave it on one of them.")
    return get_distribution(client, *found[0]) if found else None


def distribution_tags(client: Any, arn: str) -> dict[str, str]:
    """The tags of a distribution."""
    items = client.list_tags_for_resource(Resource=arn, aws_retry=True)["Tags"].get("Items") or []
    return {item["Key"]: item.get("Value") or "" for item in items}


def get_distribution(client: Any, distribution_id: str, tags: Mapping[str, str]) -> DistributionObserved:
    """The distribution of this id, which has these tags."""
    return _distribution(client.get_distribution(Id=distribution_id, aws_retry=True), tags)


def read_distribution(client: Any, distribution_id: str) -> DistributionObserved | None:
    """The distribution of this id with its tags; None when it is gone."""
    try:
        found = get_distribution(client, distribution_id, {})
    except is_boto3_error_code("NoSuchDistribution"):
        return None
    return replace(found, tags=distribution_tags(client, found.arn))


def _distribution(answer: Mapping[str, Any], tags: Mapping[str, str]) -> DistributionObserved:
    found = answer["Distribution"]
    return DistributionObserved(
        id=found["Id"],
        arn=found["ARN"],
        domain_name=found["DomainName"],
        status=found["Status"],
        etag=answer["ETag"],
        config=found["DistributionConfig"],
        tags=dict(tags),
    )


def create_distribution(client: Any, config: Mapping[str, Any], tags: Mapping[str, str]) -> DistributionObserved:
    """Make the distribution together with its tags, so that it can be found whatever happens next.

    :raises AntennaError: when a distribution has the caller reference already, and not the tag.
    """
    body = {"DistributionConfig": dict(config), "Tags": {"Items": ansible_dict_to_boto3_tag_list(tags)}}
    try:
        answer = client.create_distribution_with_tags(DistributionConfigWithTags=body, aws_retry=True)
    except is_boto3_error_code("DistributionAlreadyExists") as error:
        raise AntennaError(_taken(client, config["CallerReference"], tags["Name"])) from error
    return _distribution(answer, tags)


def _taken(client: Any, reference: str, name: str) -> str:
    for summary in _entries(client.list_distributions, "DistributionList"):
        config = client.get_distribution_config(Id=summary["Id"], aws_retry=True)["DistributionConfig"]
        if config["CallerReference"] == reference:
            return (
                f"Distribution {summary['Id']} was made as {name} (caller reference {reference}) but lacks the tag "
                f"Name={name}. Give it the tag, or give another name or caller_reference."
            )
    return f"CloudFront says that the caller reference {reference} is in use. Give another caller_reference."


def update_distribution(client: Any, observed: DistributionObserved, config: Mapping[str, Any]) -> DistributionObserved:
    """Give the distribution this configuration, unless it changed since it was read."""
    answer = client.update_distribution(
        Id=observed.id, IfMatch=observed.etag, DistributionConfig=dict(config), aws_retry=True
    )
    return _distribution(answer, observed.tags)


def delete_distribution(client: Any, observed: DistributionObserved) -> None:
    """Delete a distribution that is disabled and deployed."""
    client.delete_distribution(Id=observed.id, IfMatch=observed.etag, aws_retry=True)


def tag(client: Any, arn: str, tags: Mapping[str, str]) -> None:
    """Set these tags, leave the others."""
    client.tag_resource(Resource=arn, Tags={"Items": ansible_dict_to_boto3_tag_list(tags)}, aws_retry=True)


def untag(client: Any, arn: str, keys: Sequence[str]) -> None:
    """Remove the tags with these keys."""
    client.untag_resource(Resource=arn, TagKeys={"Items": list(keys)}, aws_retry=True)


# Invalidations -------------------------------------------------------------------------------------------------------


def invalidation_ids(client: Any, distribution_id: str) -> list[str]:
    """The ids of the newest invalidations (at most one page of 100), newest first; empty for an absent distribution."""
    try:
        page = client.list_invalidations(DistributionId=distribution_id, aws_retry=True)["InvalidationList"]
    except is_boto3_error_code("NoSuchDistribution"):
        return []
    newest_first = sorted(page.get("Items") or [], key=lambda item: item["CreateTime"], reverse=True)
    return [item["Id"] for item in newest_first]


def get_invalidation(client: Any, distribution_id: str, invalidation_id: str) -> InvalidationObserved:
    """The invalidation of this id."""
    answer = client.get_invalidation(DistributionId=distribution_id, Id=invalidation_id, aws_retry=True)
    return _invalidation(answer["Invalidation"])


def create_invalidation(
    client: Any, distribution_id: str, paths: Sequence[str], caller_reference: str
) -> InvalidationObserved:
    """Invalidate the paths. A known reference with the same paths is answered with the earlier invalidation."""
    answer = client.create_invalidation(
        DistributionId=distribution_id,
        InvalidationBatch={"Paths": wrapped(paths), "CallerReference": caller_reference},
        aws_retry=True,
    )
    return _invalidation(answer["Invalidation"])


def _invalidation(found: Mapping[str, Any]) -> InvalidationObserved:
    batch = found["InvalidationBatch"]
    return InvalidationObserved(
        id=found["Id"],
        status=found["Status"],
        caller_reference=batch["CallerReference"],
        paths=tuple(batch["Paths"].get("Items") or []),
    )


# Functions -----------------------------------------------------------------------------------------------------------


def find_function(client: Any, name: str) -> FunctionObserved | None:
    """The function of this name with both its stages; None when there is none."""
    development = _function_stage(client, name, "DEVELOPMENT")
    if development is None:
        return None
    summary, etag, code = development
    live = _function_stage(client, name, "LIVE")
    return FunctionObserved(
        name=name,
        arn=summary["FunctionMetadata"]["FunctionARN"],
        etag=etag,
        code=code,
        config=summary["FunctionConfig"],
        live_code=live[2] if live else None,
        live_config=live[0]["FunctionConfig"] if live else None,
        status=summary.get("Status") or "",
    )


def _function_stage(client: Any, name: str, stage: str) -> tuple[dict[str, Any], str, bytes] | None:
    try:
        described = client.describe_function(Name=name, Stage=stage, aws_retry=True)
        code = client.get_function(Name=name, Stage=stage, aws_retry=True)["FunctionCode"].read()
    except is_boto3_error_code("NoSuchFunctionExists"):
        return None
    summary = described["FunctionSummary"]
    if summary["FunctionMetadata"].get("Stage") != stage:
        return None
    return summary, described["ETag"], code


def create_function(client: Any, name: str, config: Mapping[str, Any], code: bytes) -> str:
    """Make the function in the stage DEVELOPMENT. Returns its ETag."""
    answer = client.create_function(Name=name, FunctionConfig=dict(config), FunctionCode=code, aws_retry=True)
    return str(answer["ETag"])


def update_function(client: Any, name: str, etag: str, config: Mapping[str, Any], code: bytes) -> str:
    """Change the stage DEVELOPMENT, unless it changed since it was read. Returns the new ETag."""
    answer = client.update_function(
        Name=name, IfMatch=etag, FunctionConfig=dict(config), FunctionCode=code, aws_retry=True
    )
    return str(answer["ETag"])


def publish_function(client: Any, name: str, etag: str) -> None:
    """Copy the stage DEVELOPMENT, as it was at this ETag, to LIVE."""
    client.publish_function(Name=name, IfMatch=etag, aws_retry=True)


def delete_function(client: Any, name: str, etag: str) -> None:
    """Delete both stages of the function.

    :raises AntennaError: when distributions use it.
    """
    try:
        client.delete_function(Name=name, IfMatch=etag, aws_retry=True)
    except is_boto3_error_code("FunctionInUse") as error:
        raise AntennaError(
            f"Function {name} cannot be deleted: a distribution uses it. Take it from the function_associations first."
        ) from error


# Origin access controls ----------------------------------------------------------------------------------------------


def find_access_control(client: Any, name: str) -> AccessControlObserved | None:
    """The origin access control of this name, which is unique in an account; None when there is none."""
    for summary in _entries(client.list_origin_access_controls, "OriginAccessControlList"):
        if summary["Name"] == name:
            return _access_control(client.get_origin_access_control(Id=summary["Id"], aws_retry=True))
    return None


def _access_control(answer: Mapping[str, Any]) -> AccessControlObserved:
    found = answer["OriginAccessControl"]
    config = found["OriginAccessControlConfig"]
    return AccessControlObserved(
        id=found["Id"],
        etag=answer["ETag"],
        name=config["Name"],
        description=config.get("Description") or "",
        origin_type=config["OriginAccessControlOriginType"],
        signing_behavior=config["SigningBehavior"],
        signing_protocol=config["SigningProtocol"],
    )


def create_access_control(client: Any, name: str, values: Mapping[str, str]) -> AccessControlObserved:
    """Make an origin access control."""
    config = _access_control_config(name, values)
    return _access_control(client.create_origin_access_control(OriginAccessControlConfig=config, aws_retry=True))


def update_access_control(
    client: Any, observed: AccessControlObserved, values: Mapping[str, str]
) -> AccessControlObserved:
    """Change an origin access control, unless it changed since it was read."""
    config = _access_control_config(observed.name, values)
    return _access_control(
        client.update_origin_access_control(
            Id=observed.id, IfMatch=observed.etag, OriginAccessControlConfig=config, aws_retry=True
        )
    )


def delete_access_control(client: Any, observed: AccessControlObserved) -> None:
    """Delete an origin access control.

    :raises AntennaError: when distributions use it.
    """
    try:
        client.delete_origin_access_control(Id=observed.id, IfMatch=observed.etag, aws_retry=True)
    except is_boto3_error_code("OriginAccessControlInUse") as error:
        raise AntennaError(
            f"Origin access control {observed.name} ({observed.id}) cannot be deleted: a distribution uses it."
        ) from error


def _access_control_config(name: str, values: Mapping[str, str]) -> dict[str, str]:
    return {
        "Name": name,
        "Description": values["description"],
        "OriginAccessControlOriginType": values["origin_type"],
        "SigningBehavior": values["signing_behavior"],
        "SigningProtocol": values["signing_protocol"],
    }
