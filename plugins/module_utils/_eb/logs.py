# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The last lines that an environment's containers and its deployment engine wrote to CloudWatch Logs."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from datetime import datetime, timedelta

from ansible_collections.antenna.aws.plugins.module_utils._eb.api import call, pages
from ansible_collections.antenna.aws.plugins.module_utils._eb.tasks import Life

_ARRIVAL = timedelta(seconds=1)
_ENGINE_LOGS = ("eb-engine.log", "eb-ecs-mgr.log", "eb-hooks.log")


@dataclass(frozen=True)
class LogsApi:
    """Reads log tails. ``client`` is a boto3 client of logs; ``lines`` is how many lines of each log are wanted."""

    client: t.Any
    lines: int = 20

    def last_lines(
        self,
        environment_name: str,
        lives: t.Sequence[Life],
        instance_ids: t.Sequence[str] = (),
        known: t.Iterable[str] = (),
        since: datetime | None = None,
    ) -> dict[str, tuple[str, ...]]:
        """Return the last lines of containers in their lives, and of the instances' deployment engines.

        Keys are names of containers and of engine logs, followed by the instance in parentheses where the environment
        has several. ``known`` are the names of all containers: where several fit a log's path, the longest is meant.
        Nothing of an engine that is older than ``since`` is returned. Logs that are not there are left out.
        Raises AwsError.
        """
        prefix = f"/aws/elasticbeanstalk/{environment_name}/"
        groups = pages(
            f"read log groups below {prefix}",
            self.client.describe_log_groups,
            "logGroups",
            next_key="nextToken",
            logGroupNamePrefix=prefix,
        )
        names = sorted(group.get("logGroupName", "") for group in groups)
        every = [*(life.name for life in lives), *known]
        found: dict[str, tuple[str, ...]] = {}
        for group in names:
            if not group.startswith(prefix):
                continue
            for stream in self._streams(group):
                owner = log_owner(group, stream, every, len(prefix))
                speaker = self._speaker(owner, stream, lives, instance_ids, since)
                if speaker is None:
                    continue
                label = _label(speaker, instance_ids)
                lines = () if label in found else self._tail(group, stream, speaker.started, speaker.ended)
                if lines:
                    found[label] = lines
        return found

    def _speaker(
        self,
        owner: str | None,
        stream: str,
        lives: t.Iterable[Life],
        instance_ids: t.Sequence[str],
        since: datetime | None,
    ) -> Life | None:
        """Return whose words of then the stream has, if they are wanted."""
        where = next((instance for instance in instance_ids if instance in stream), "")
        if owner in _ENGINE_LOGS:
            # Several instances tell of one deployment; those that are not the environment's any more, of none.
            return Life(str(owner), where, "", since) if where or not instance_ids else None
        mine = [life for life in lives if life.name == owner]
        exact = [life for life in mine if life.task_id in stream or life.instance_id == where]
        # A stream that names neither task nor instance may be of any.
        return next(iter(exact or ([] if where else mine)), None)

    def _streams(self, group: str) -> list[str]:
        answer = call(
            f"read the streams of log group {group!r}",
            self.client.describe_log_streams,
            logGroupName=group,
            orderBy="LastEventTime",
            descending=True,
            limit=50,
        )
        return [stream["logStreamName"] for stream in answer.get("logStreams", [])]

    def _tail(self, group: str, stream: str, since: datetime | None, until: datetime | None) -> tuple[str, ...]:
        # Lines arrive with the time at which they were read, a moment after they were written.
        times = {"startTime": since, "endTime": until + _ARRIVAL if until else None}
        between: dict[str, t.Any] = {name: int(date.timestamp() * 1000) for name, date in times.items() if date}
        answer = call(
            f"read log stream {stream!r} of {group!r}",
            self.client.get_log_events,
            logGroupName=group,
            logStreamName=stream,
            limit=self.lines,
            startFromHead=False,
            **between,
        )
        messages = tuple(str(event.get("message", "")).rstrip() for event in answer.get("events", []))
        return messages[-self.lines :]


def _label(speaker: Life, instance_ids: t.Sequence[str]) -> str:
    return f"{speaker.name} ({speaker.instance_id})" if len(instance_ids) > 1 and speaker.instance_id else speaker.name


def log_owner(group: str, stream: str, names: t.Iterable[str], skip: int = 0) -> str | None:
    """Return whose log this is: the engine log's name, or the longest container name that is a word of the path."""
    log = group.rsplit("/", 1)[-1]
    if log in _ENGINE_LOGS:
        return log
    path = f"{group[skip:]}/{stream}"
    fitting = [name for name in names if re.search(rf"(^|[/_.-]){re.escape(name)}($|[/_.-])", path)]
    return max(fitting, key=len) if fitting else None
