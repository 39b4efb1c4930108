# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a watch's ending comes to: a module's result, and for a failure also the words for people."""

from __future__ import annotations

import typing as t

from ansible_collections.antenna.aws.plugins.module_utils._core.clock import Clock
from ansible_collections.antenna.aws.plugins.module_utils._core.errors import AntennaError, AwsError
from ansible_collections.antenna.aws.plugins.module_utils._eb import operation, remedies, tasks
from ansible_collections.antenna.aws.plugins.module_utils._eb.evidence import diagnosis, evidence, remedy_result
from ansible_collections.antenna.aws.plugins.module_utils._eb.logs import LogsApi
from ansible_collections.antenna.aws.plugins.module_utils._eb.observation import Containers, Goal
from ansible_collections.antenna.aws.plugins.module_utils._eb.remedies import Found
from ansible_collections.antenna.aws.plugins.module_utils._eb.verdict import Failure, Success, Verdict
from ansible_collections.antenna.aws.plugins.module_utils._eb.watch import Ending, Progress

Logs = t.Mapping[str, t.Sequence[str]]

# Last words arrive some seconds after they were written: they are read until they stay the same.
_LOG_TRIES = 3
_LOG_ARRIVAL = 1.0


def result(ending: Ending, goal: Goal, logs: Logs | None = None, found: t.Sequence[Found] = ()) -> dict[str, t.Any]:
    """Return the module's result, the same keys always."""
    return {
        "changed": False,
        "verdict": _name(ending.verdict),
        "reasons": _reasons(ending.verdict),
        "remedies": [remedy_result(remedy) for remedy in found],
        "seconds": round(ending.seconds, 1),
        "evidence": evidence(ending.observation, goal, logs or {}),
    }


def failure(ending: Ending, goal: Goal, logs: Logs, trouble: str, tell: t.Callable[[Progress], None]) -> AntennaError:
    """Return the error that a failed watch is, and tell of it. ``trouble`` is why there are no logs."""
    decided = ending.verdict if isinstance(ending.verdict, Failure) else Failure(("The verdict is not known.",))
    found = remedies.find(decided, ending.observation, goal, logs)
    lines = [*diagnosis(decided, ending.observation, goal, logs, found), *([trouble] if trouble else [])]
    label = f" with version {goal.version_label}" if goal.version_label else ""
    head = f"Environment {goal.environment_name}{label} is not healthy ({ending.seconds:.0f} s)."
    tell(Progress(f"+{ending.seconds:.0f}s", "ERROR", head))
    for line in lines:
        tell(Progress("", "", line))
    return AntennaError("\n".join((head, *lines)), **result(ending, goal, logs, found))


def last_words(api: LogsApi, goal: Goal, ending: Ending, clock: Clock) -> tuple[dict[str, tuple[str, ...]], str]:
    """Return the last lines that matter, and in words why there are none."""
    seen = ending.observation
    if seen.environment is None:
        return {}, ""
    known = {container.name for task in seen.tasks or () for container in task.containers} | set(goal.containers or ())
    # Without a request it is the present state that failed, and what tells why may be old.
    since = goal.since if goal.follows_a_request else None
    lives = tasks.last_lives(seen.tasks or (), _worth_hearing(ending, goal))
    found: dict[str, tuple[str, ...]] = {}
    try:
        for _try in range(_LOG_TRIES):
            before, found = found, api.last_lines(goal.environment_name, lives, seen.instance_ids, known, since)
            heard = len([name for name in found if not name.startswith("eb-")]) >= len(lives)
            if not lives or (heard and found == before):
                break
            clock.sleep(_LOG_ARRIVAL)
    except AwsError as error:
        return found, error.message
    except Exception as error:  # the verdict is worth more than the last words
        return found, f"The logs could not be understood ({type(error).__name__}: {error})."
    return found, ""


def _worth_hearing(ending: Ending, goal: Goal) -> Containers:
    """Return those to blame; where neither one of them nor the service says what is wrong, all that should run."""
    seen = ending.observation
    blamed = ending.verdict.containers if isinstance(ending.verdict, Failure) else ()
    if blamed or operation.event_failures(seen, goal):
        return blamed
    return tuple(
        container
        for task in tasks.current_tasks(seen.tasks or ())
        for container in task.containers
        if tasks.should_run(container, goal)
    )


def _name(decided: Verdict) -> str:
    if isinstance(decided, Success):
        return "healthy"
    return "failed" if isinstance(decided, Failure) else "waiting"


def _reasons(decided: Verdict) -> list[str]:
    if isinstance(decided, Success):
        return [decided.summary]
    return list(decided.reasons if isinstance(decided, Failure) else decided.unmet)
