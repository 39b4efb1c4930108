# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run changes, or would change, as a text in Markdown that fits where it is shown. Pure."""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass
from itertools import groupby

_COLOR = re.compile(r"\x1b\[[0-9;]*m")
_WOULD_RUN = "Command would have run if not in check mode"
_NO_CHECK = "does not support check mode"
_HEAD = "### "
_FAILURE = 4000
"""How many characters of a failure are shown."""


@dataclass(frozen=True)
class Change:
    """One thing that a task, or one turn of its loop, changes. ``command``: a command that a check does not run."""

    role: str
    task: str
    item: str = ""
    reasons: tuple[str, ...] = ()
    diff: str = ""
    command: bool = False


@dataclass(frozen=True)
class Changes:
    """What a run said about a host.

    ``check``: it would do so. ``unchecked``: tasks that a check cannot tell anything of. ``failure``: why it ended
    early, empty where it did not.
    """

    host: str
    check: bool
    changes: tuple[Change, ...] = ()
    unchecked: tuple[str, ...] = ()
    failure: str = ""


def change_of(task: str, item: str, result: t.Mapping[str, t.Any], diff: str) -> Change | None:
    """Return what the result of a task is about to change, None for nothing.

    ``task`` is named as Ansible does it: after the role and a colon.
    """
    command = bool(result.get("skipped")) and result.get("msg") == _WOULD_RUN
    if not (command or result.get("changed")):
        return None
    role, name = _named(task)
    plan = result.get("plan") if isinstance(result.get("plan"), list) else []
    reasons = tuple(f"{step.get('op')}: {step.get('reason')}" for step in plan or () if isinstance(step, dict))
    return Change(role, name, item, tuple(dict.fromkeys(reasons)), _plain(diff), command)


def is_unchecked(result: t.Mapping[str, t.Any]) -> bool:
    """Return whether the result is that of a task whose module has no check mode."""
    return bool(result.get("skipped")) and _NO_CHECK in str(result.get("msg", ""))


def markdown(found: t.Sequence[Changes], limit: int) -> str:
    """Return the text about all hosts, of at most ``limit`` characters.

    Differences are left out first, beginning with the longest; then the end of the lists.
    """
    lengths = sorted({len(change.diff) for host in found for change in host.changes}, reverse=True)
    for longest in (*lengths, 0):
        text = _text(found, longest)
        if len(text) <= limit:
            return text
    note = "\n\nThe rest does not fit here: the log of the run has it.\n"
    return text[: limit - len(note)].rpartition("\n")[0] + note


def _text(found: t.Sequence[Changes], longest: int) -> str:
    return "\n".join(line for host in found for line in _host(host, longest)).strip() + "\n"


def _host(host: Changes, longest: int) -> t.Iterator[str]:
    yield f"{_HEAD}{host.host}: {_summary(host)}"
    yield ""
    if host.failure:
        yield from ("It ended early:", "", *_fenced(host.failure[:_FAILURE], "text"), "")
    for role, changes in groupby(host.changes, lambda change: change.role):
        yield from (f"**{role}**" if role else "**playbook**", "")
        for change in changes:
            yield from _change(change, longest)
        yield ""
    if host.unchecked:
        tasks = (f"{name} ({role})" if role else name for role, name in map(_named, dict.fromkeys(host.unchecked)))
        yield from (f"A check cannot tell whether these would change something: {'; '.join(tasks)}.", "")


def _summary(host: Changes) -> str:
    count = len(host.changes)
    if host.failure:
        return "the check failed" if host.check else "the run failed"
    if not count:
        return "nothing would change" if host.check else "nothing changed"
    changes = f"{count} change{'' if count == 1 else 's'}"
    return f"{changes} would be made" if host.check else changes


def _change(change: Change, longest: int) -> t.Iterator[str]:
    item = f": {_code(change.item)}" if change.item else ""
    yield f"- {change.task}{item}{' (known when it runs)' if change.command else ''}"
    for reason in change.reasons:
        yield f"  - {reason}"
    if not change.diff:
        return
    if len(change.diff) > longest:
        yield f"  - {len(change.diff.splitlines())} lines of differences: the log of the run has them"
        return
    yield from ("", "  <details><summary>Differences</summary>", "")
    yield from (f"  {line}" for line in _fenced(change.diff, "diff"))
    yield from ("", "  </details>", "")


def _fenced(text: str, language: str) -> t.Iterator[str]:
    fence = "`" * max(3, 1 + max((len(run) for run in re.findall("`+", text)), default=0))
    yield from (f"{fence}{language}", *text.strip("\n").splitlines(), fence)


def _code(text: str) -> str:
    return f"`{text.replace('`', chr(39))}`"


def _named(task: str) -> tuple[str, str]:
    """Return the role of a task, without its collection, and the task's own name."""
    role, name = task.rpartition(" : ")[::2]
    return role.rpartition(".")[2], name


def _plain(text: str) -> str:
    return _COLOR.sub("", text)
