# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the service's events say about the operation that a request started. Pure."""

from __future__ import annotations

import typing as t
from datetime import datetime

from ansible_collections.antenna.aws.plugins.module_utils._eb.model import READY, Event
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Goal, Observation

_FAILED_EXACTLY = frozenset(
    {
        "Failed to launch environment.",
        "Failed to deploy application.",
        "Failed to deploy configuration.",
        "The environment was reverted to the previous configuration setting.",
        "Environment tag update failed.",
    }
)
_FAILED_PREFIXES = (
    "Create environment operation is complete, but with ",
    "Update environment operation is complete, but with ",
    "ECS Application sourcebundle validation error:",
)
_SUCCEEDED_EXACTLY = frozenset(
    {
        "Environment update completed successfully.",
        "Environment tag update completed successfully.",
        "restartAppServer completed successfully.",
    }
)
_SUCCEEDED_PREFIXES = ("Successfully launched environment:",)
# An update of tags, or of options that the instances need not know, deploys nothing.
_DEPLOYS = (
    "createEnvironment is starting.",
    "Deploying new version to instance(s).",
    "New application version was deployed to running EC2 instances.",
    "Batch 1: Starting application deployment",
)


def relevant_events(events: t.Iterable[Event], goal: Goal) -> tuple[Event, ...]:
    """Return the events that belong to this deployment, oldest first."""
    return tuple(sorted((event for event in events if _is_ours(event, goal)), key=lambda event: event.date))


def event_failures(observation: Observation, goal: Goal) -> list[str]:
    """Return those of our events that say that the operation fails, in words."""
    return [
        f"{event.severity}: {event.message}"
        for event in relevant_events(observation.events, goal)
        if event.is_error or _says_failed(event.message)
    ]


def is_over(observation: Observation, goal: Goal) -> bool:
    """Tell whether the environment is Ready because our operation ended, and not because it has yet to begin."""
    environment = observation.environment
    if environment is None or environment.status != READY:
        return False
    if not goal.follows_a_request:
        return True
    return any(_says_over(event) for event in relevant_events(observation.events, goal))


def says_success(observation: Observation, goal: Goal) -> bool:
    """Tell whether the service says that our request was carried out."""
    return any(_says_succeeded(event) for event in relevant_events(observation.events, goal))


def over_at(observation: Observation, goal: Goal) -> datetime | None:
    """Return when our operation ended, if it has."""
    if not is_over(observation, goal):
        return None
    ends = [event.date for event in relevant_events(observation.events, goal) if _says_over(event)]
    return max(ends) if ends else goal.since


def began_at(observation: Observation, goal: Goal) -> datetime | None:
    """Return when our operation began, if that is known.

    A request's own first event tells more than ``since``: between the two, what was there before may have started anew.
    """
    if not goal.follows_a_request:
        return goal.since
    ours = relevant_events(observation.events, goal)
    return ours[0].date if ours else None


def is_of_it(date: datetime | None, observation: Observation, goal: Goal) -> bool:
    """Tell whether something of that date is of this deployment; what has no date may be."""
    began = began_at(observation, goal)
    return is_newer(date, began) if began is not None else not goal.follows_a_request


def deploys(observation: Observation, goal: Goal) -> bool:
    """Tell whether this request deploys to every instance.

    The same version may have been deployed before: label and status alone do not tell which deployment they are of.
    """
    ours = relevant_events(observation.events, goal) if goal.follows_a_request else ()
    return any(event.message.startswith(_DEPLOYS) for event in ours)


def is_newer(date: datetime | None, since: datetime | None) -> bool:
    """Tell whether something is of this deployment; what has no date may be."""
    return date is None or since is None or date > since


def _is_ours(event: Event, goal: Goal) -> bool:
    if goal.request_id:
        return event.request_id == goal.request_id
    return goal.since is not None and event.date > goal.since


def _says_failed(message: str) -> bool:
    return (
        message in _FAILED_EXACTLY
        or message.startswith(_FAILED_PREFIXES)
        or (message.startswith("Launched environment") and "However, there were issues during launch." in message)
    )


def _says_succeeded(event: Event) -> bool:
    return event.message in _SUCCEEDED_EXACTLY or event.message.startswith(_SUCCEEDED_PREFIXES)


def _says_over(event: Event) -> bool:
    return _says_succeeded(event) or _says_failed(event.message)
