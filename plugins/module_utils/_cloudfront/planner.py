# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to be done to CloudFront, decided without calling it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.config import created, differences, overlay, plain
from ansible_collections.antenna.aws.plugins.module_utils._cloudfront.model import (
    AccessControlObserved,
    AccessControlWanted,
    DistributionObserved,
    DistributionWanted,
    FunctionObserved,
    FunctionWanted,
    InvalidationObserved,
    InvalidationWanted,
)
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError
from ansible_collections.antenna.aws.plugins.module_utils._core.plan import Plan, Step

MAX_PATHS = 3000
MAX_WILDCARDS = 15
MAX_PATH_LENGTH = 4000
MAX_FUNCTION_BYTES = 10 * 1024

# CloudFront's defaults, used where a new access control or function leaves them out.
ACCESS_CONTROL_DEFAULTS: Mapping[str, str] = {
    "description": "",
    "origin_type": "s3",
    "signing_behavior": "always",
    "signing_protocol": "sigv4",
}
FUNCTION_RUNTIME = "cloudfront-js-2.0"


# Distribution --------------------------------------------------------------------------------------------------------


def distribution_config(wanted: DistributionWanted, observed: DistributionObserved | None) -> dict[str, Any]:
    """The whole configuration, in AWS's shape, that makes the distribution what is wanted."""
    if observed is None:
        return created(wanted.config, wanted.caller_reference, wanted.name)
    return overlay(observed.config, wanted.config)


def distribution_tags(wanted: DistributionWanted, observed: DistributionObserved | None) -> dict[str, str]:
    """The tags that the distribution shall have. ``Name`` is how it is found, so it is always among them."""
    there = dict(observed.tags) if observed else {}
    if wanted.tags is None:
        return {**there, "Name": wanted.name}
    # Tags of AWS's own cannot be removed by anyone else.
    kept = {key: value for key, value in there.items() if not wanted.purge_tags or key.startswith("aws:")}
    return {**kept, **wanted.tags, "Name": wanted.name}


def plan_distribution(wanted: DistributionWanted, observed: DistributionObserved | None) -> Plan:
    """The steps from the distribution that is there to the one that is wanted.

    :raises AntennaError: when it has to be made and lacks what CloudFront needs for that.
    """
    if not wanted.present:
        return Plan(_distribution_removal(observed))
    if observed is None:
        if not wanted.config:
            # Nothing is declared, so nothing is to be made: such a task only waits for what another one makes.
            return Plan(())
        _demand_creatable(wanted)
        return Plan((Step("create", wanted.name, f"no distribution has the tag Name={wanted.name}"),))
    return Plan((*_distribution_update(wanted, observed), *_distribution_tagging(wanted, observed)))


def _demand_creatable(wanted: DistributionWanted) -> None:
    missing = [
        option
        for option, key in (("origins", "Origins"), ("default_cache_behavior", "DefaultCacheBehavior"))
        if key not in wanted.config
    ]
    if missing:
        raise AntennaError(
            f"No distribution has the tag Name={wanted.name}, and to make it {' and '.join(missing)} must be given."
        )
    demand_targets(wanted.config)


def demand_targets(config: Mapping[str, Any]) -> None:
    """Refuse behaviors whose origin is not declared.

    :raises AntennaError: naming the behavior and the origins that there are.
    """
    if "Origins" not in config:
        return
    origins = [origin["Id"] for origin in config["Origins"].get("Items") or []]
    behaviors = [("default_cache_behavior", config.get("DefaultCacheBehavior") or {})]
    for behavior in (config.get("CacheBehaviors") or {}).get("Items") or []:
        behaviors.append((f"cache_behaviors[{behavior['PathPattern']}]", behavior))
    for place, behavior in behaviors:
        target = behavior.get("TargetOriginId")
        if target is not None and target not in origins:
            raise AntennaError(
                f"{place} targets the origin {target!r}, which is not declared. Declared are: {', '.join(origins)}."
            )


def _distribution_removal(observed: DistributionObserved | None) -> tuple[Step, ...]:
    if observed is None:
        return ()
    delete = Step("delete", observed.id, "state is absent")
    if observed.config.get("Enabled"):
        return (Step("disable", observed.id, "CloudFront deletes disabled distributions only"), delete)
    return (delete,)


def _distribution_update(wanted: DistributionWanted, observed: DistributionObserved) -> tuple[Step, ...]:
    changed = differences(plain(observed.config), plain(distribution_config(wanted, observed)))
    return (Step("update", observed.id, f"{', '.join(changed)} differ from what is declared"),) if changed else ()


def _distribution_tagging(wanted: DistributionWanted, observed: DistributionObserved) -> tuple[Step, ...]:
    after = distribution_tags(wanted, observed)
    added = sorted(key for key, value in after.items() if observed.tags.get(key) != value)
    removed = sorted(set(observed.tags) - set(after))
    steps = []
    if added:
        steps.append(Step("tag", observed.id, f"{', '.join(added)} missing or different"))
    if removed:
        steps.append(Step("untag", observed.id, f"{', '.join(removed)} not declared"))
    return tuple(steps)


# Function ------------------------------------------------------------------------------------------------------------


def function_config(wanted: FunctionWanted, observed: FunctionObserved | None) -> dict[str, Any]:
    """The FunctionConfig that the function shall have; what is not declared stays."""
    config = dict(observed.config) if observed else {"Comment": wanted.name, "Runtime": FUNCTION_RUNTIME}
    declared = {"Comment": wanted.comment, "Runtime": wanted.runtime}
    return {**config, **{key: value for key, value in declared.items() if value is not None}}


def function_code(wanted: FunctionWanted, observed: FunctionObserved | None) -> bytes:
    """The code that the function shall have."""
    if wanted.code is not None:
        return wanted.code
    return observed.code if observed else b""


def plan_function(wanted: FunctionWanted, observed: FunctionObserved | None) -> Plan:
    """The steps from the function that is there to the one that is wanted, in the stage that viewers get.

    :raises AntennaError: when the code is missing or longer than CloudFront takes.
    """
    if not wanted.present:
        return Plan((Step("delete", wanted.name, "state is absent"),) if observed else ())
    _demand_code(wanted, observed)
    publish = _publishing(wanted, observed)
    if observed is None:
        return Plan((Step("create", wanted.name, "there is no function of this name"), *publish))
    changed = _function_changes(wanted, observed)
    update = (Step("update", wanted.name, f"{', '.join(changed)} differ from what is declared"),) if changed else ()
    return Plan((*update, *publish))


def _demand_code(wanted: FunctionWanted, observed: FunctionObserved | None) -> None:
    if wanted.code is None and observed is None:
        raise AntennaError(f"There is no function {wanted.name}, and to make it code must be given.")
    if wanted.code is not None and not 0 < len(wanted.code) <= MAX_FUNCTION_BYTES:
        raise AntennaError(
            f"The code of function {wanted.name} has {len(wanted.code)} bytes; "
            f"CloudFront takes 1 to {MAX_FUNCTION_BYTES}."
        )


def _function_changes(wanted: FunctionWanted, observed: FunctionObserved) -> list[str]:
    config = function_config(wanted, observed)
    changed = [key.lower() for key in ("Comment", "Runtime") if config.get(key) != observed.config.get(key)]
    return changed + (["code"] if function_code(wanted, observed) != observed.code else [])


def _publishing(wanted: FunctionWanted, observed: FunctionObserved | None) -> tuple[Step, ...]:
    if observed is None or observed.live_code is None:
        return (Step("publish", wanted.name, "viewers get no version of it yet"),)
    config, live = function_config(wanted, observed), observed.live_config or {}
    if observed.live_code != function_code(wanted, observed):
        return (Step("publish", wanted.name, "viewers get other code"),)
    if any(config.get(key) != live.get(key) for key in ("Comment", "Runtime")):
        return (Step("publish", wanted.name, "viewers get another configuration"),)
    return ()


# Origin access control -----------------------------------------------------------------------------------------------


def access_control_values(wanted: AccessControlWanted, observed: AccessControlObserved | None) -> dict[str, str]:
    """The values that the access control shall have, by option."""
    result = {}
    for option, default in ACCESS_CONTROL_DEFAULTS.items():
        value = getattr(wanted, option)
        result[option] = value if value is not None else getattr(observed, option) if observed else default
    return result


def plan_access_control(wanted: AccessControlWanted, observed: AccessControlObserved | None) -> Plan:
    """The steps from the access control that is there to the one that is wanted."""
    if not wanted.present:
        return Plan((Step("delete", observed.id, "state is absent"),) if observed else ())
    if observed is None:
        return Plan((Step("create", wanted.name, "there is no origin access control of this name"),))
    changed = [key for key, value in access_control_values(wanted, observed).items() if value != getattr(observed, key)]
    return Plan((Step("update", observed.id, f"{', '.join(changed)} differ from what is declared"),) if changed else ())


# Invalidation --------------------------------------------------------------------------------------------------------


def plan_invalidation(wanted: InvalidationWanted, observed: InvalidationObserved | None) -> Plan:
    """An invalidation is made once for its caller reference, and not at all without paths.

    :raises AntennaError: when the reference was used for other paths.
    """
    if not wanted.paths:
        return Plan(())
    if observed is None:
        reason = f"no known invalidation of {wanted.distribution_id} has the reference {wanted.caller_reference}"
        return Plan((Step("create", ", ".join(wanted.paths[:5]) + _more(wanted.paths[5:]), reason),))
    demand_same_paths(wanted, observed)
    return Plan(())


def demand_same_paths(wanted: InvalidationWanted, observed: InvalidationObserved) -> None:
    """Refuse a reference that was used for other paths, as CloudFront does."""
    if set(observed.paths) != set(wanted.paths):
        raise AntennaError(
            f"The caller reference {wanted.caller_reference} was used by invalidation {observed.id} for other paths "
            f"({', '.join(observed.paths[:5])}{_more(observed.paths[5:])}). Give another caller_reference, or content."
        )


def demand_paths(paths: Sequence[str]) -> tuple[str, ...]:
    """The paths, each once and in a fixed order.

    :raises AntennaError: naming the first path that CloudFront would refuse, or misunderstand.
    """
    for path in paths:
        _demand_path(path)
    result = tuple(sorted(set(paths)))
    wildcards = [path for path in result if path.endswith("*")]
    if len(wildcards) > MAX_WILDCARDS:
        raise AntennaError(f"{len(wildcards)} paths have a wildcard; CloudFront takes {MAX_WILDCARDS} at a time.")
    if len(result) > MAX_PATHS:
        raise AntennaError(f"{len(result)} paths were given; CloudFront takes {MAX_PATHS} at a time. Use /*.")
    return result


def _demand_path(path: str) -> None:
    problem = ""
    if not path.startswith("/"):
        problem = "does not start with /"
    elif "*" in path[:-1]:
        problem = "has a * that is not its last character, which CloudFront would take literally"
    elif len(path) > MAX_PATH_LENGTH:
        problem = f"is longer than {MAX_PATH_LENGTH} characters"
    elif any(not "!" <= character <= "~" for character in path):
        problem = "has characters that must be URL-encoded"
    if problem:
        raise AntennaError(f"The path {path[:200]!r} {problem}.")


def _more(rest: Sequence[str]) -> str:
    return f" and {len(rest)} more" if rest else ""
