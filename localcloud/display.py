# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the cloud tells, as lines for people. Pure: it is given what there is, and whether colours are wanted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Told = Mapping[str, Any]

_COLOURS = {"red": "31", "green": "32", "yellow": "33", "grey": "90", "bold": "1"}
_STYLES = {
    **dict.fromkeys(("Green", "Ready", "Ok", "available", "Deployed", "running", "RUNNING"), "green"),
    **dict.fromkeys(("Yellow", "Warning", "WARN", "Info", "Updating", "Launching", "InProgress"), "yellow"),
    **dict.fromkeys(("Red", "Severe", "Degraded", "ERROR", "FATAL", "Failed", "failed"), "red"),
    **dict.fromkeys(("Grey", "NoData", "Unknown", "TRACE", "DEBUG"), "grey"),
}
# Of no use to a person, or repeated elsewhere.
_UNTOLD = frozenset({"docker_id", "image", "ports", "container", "events"})
_WIDEST_RESOURCE = 48
_MOST_RESOURCES = 5


@dataclass(frozen=True)
class Cell:
    """A piece of text with the name of a colour."""

    text: str
    style: str = ""

    @classmethod
    def of(cls, word: object) -> Cell:
        """A word in the colour that it has wherever it appears."""
        return cls(str(word), _STYLES.get(str(word), ""))

    def painted(self, colours: bool, width: int = 0) -> str:
        padded = self.text.ljust(width)
        return f"\033[{_COLOURS[self.style]}m{padded}\033[0m" if colours and self.style else padded


def status(found: Told, colours: bool = False) -> list[str]:
    """Everything there is, in sections.

    :param found: What `status --json` prints.
    """
    lines: list[str] = []
    for title, rows in (
        ("Environments", _environments(found["environments"])),
        ("Distributions", _rows(found["distributions"], "status", "url", "domain")),
        ("Databases", _rows(found["databases"], "status", "engine", "endpoint", "availability_zone")),
        ("Caches", _caches(found.get("caches", {}))),
        ("Cloud", _cloud(found)),
        ("Recent events", [_event(item) for item in found.get("events", ())]),
    ):
        lines += [Cell(title, "bold").painted(colours), *_table(rows or [[Cell("none", "grey")]], colours), ""]
    return lines[:-1]


def changes(before: Told, now: Told) -> list[str]:
    """What has changed between two looks, one line each, and the events that are new."""
    old, new = dict(_facts(before)), dict(_facts(now))
    told = [f"{name}: {old[name]} -> {new[name]}" for name in new if name in old and old[name] != new[name]]
    told += [f"{name}: {new[name]}" for name in new if name not in old]
    told += [f"{name}: gone" for name in old if name not in new]
    known = list(before.get("events", ()))
    return told + [" ".join(cell.text for cell in _event(item)) for item in now.get("events", ()) if item not in known]


def faults(rules: Sequence[Told], colours: bool = False) -> list[str]:
    """The rules in force."""
    header = ("id", "kind", "service", "operation", "resource", "probability", "seconds", "count", "struck")
    rows = [[Cell(name, "bold") for name in header]]
    rows += [[Cell("-" if rule[name] is None else str(rule[name])) for name in header] for rule in rules]
    return _table(rows, colours, indent=0)


def actions(entries: Sequence[Told], colours: bool = False) -> list[str]:
    """The IAM actions that calls needed, each with how often and on what; of many resources only some.

    :param entries: Of the journal.
    """
    needed: dict[str, list[str]] = {}
    for entry in entries:
        for action, resource in entry["needs"]:
            needed.setdefault(action, []).append(resource)
    rows = [[Cell(name, "bold") for name in ("action", "times", "on")]]
    for action, resources in sorted(needed.items()):
        on = sorted(set(resources))
        shown = [Cell(one) for one in on[:_MOST_RESOURCES]]
        if len(on) > _MOST_RESOURCES:
            shown.append(Cell(f"and {len(on) - _MOST_RESOURCES} more", "grey"))
        rows.append([Cell(action), Cell(str(len(resources))), shown[0]])
        rows += [[Cell(""), Cell(""), one] for one in shown[1:]]
    return _table(rows, colours, indent=0)


JOURNAL_WIDTHS = {"number": 6, "time": 12, "caller": 12, "access": 6, "operation": 44, "resource": _WIDEST_RESOURCE}


def journal_header(colours: bool = False) -> str:
    """The heads of the columns of `journal_line`."""
    heads = [name.ljust(width) for name, width in JOURNAL_WIDTHS.items()]
    return Cell("  ".join([*heads, "seconds", "outcome"]), "bold").painted(colours)


def journal_line(entry: Told, colours: bool = False) -> str:
    """One call; the columns are as wide for every call, so that they stay aligned while calls come in."""
    failed = not 100 <= entry["status"] < 400
    outcome = f"{entry['status'] or '-'} {entry['error']}".rstrip()
    texts = {
        "number": str(entry["number"]),
        "time": entry["time"][11:23],
        "caller": entry["caller"].rpartition("/")[2],
        "access": entry["access"],
        "operation": f"{entry['service']}.{entry['operation'] or '?'}",
        "resource": _shortened(entry["resource"], _WIDEST_RESOURCE),
    }
    columns = [texts[name].ljust(width) for name, width in JOURNAL_WIDTHS.items()]
    line = "  ".join([*columns, f"{entry['duration']:7.3f}"])
    style = "grey" if entry["access"] == "read" and not failed else ""
    return f"{Cell(line, style).painted(colours)}  {Cell(outcome, 'red' if failed else style).painted(colours)}"


def _shortened(text: str, width: int) -> str:
    """The end of a long name tells more than its start, as with ARNs."""
    return text if len(text) <= width else f"…{text[1 - width :]}"


def _environments(environments: Told) -> list[list[Cell]]:
    rows = []
    for name, told in environments.items():
        health = Cell(f"{told['health']} ({told['health_status']})", Cell.of(told["health"]).style)
        version = Cell(str(told["version_label"] or "no version"))
        rows.append([Cell(name, "bold"), Cell.of(told["status"]), health, version, Cell(str(told["url"] or ""))])
        rows += [[Cell(f"    {cause}")] for cause in told["causes"]]
        for instance_id, instance in told.get("instances", {}).items():
            rows += _instance(instance_id, instance)
    return rows


def _instance(instance_id: str, told: Told) -> Iterator[list[Cell]]:
    deployment = Cell.of(told["deployment_status"] or "")
    label = Cell(str(told["version_label"] or ""))
    yield [Cell(f"  {instance_id}"), deployment, Cell.of(told["health_status"]), label]
    yield from ([Cell(f"      {cause}")] for cause in told["causes"])
    for name, container in told["containers"].items():
        yield [Cell(f"    {name}"), Cell.of(container["status"]), Cell(_ending(container))]


def _ending(container: Told) -> str:
    """How a container ended, and how often its task was started anew."""
    parts = []
    if container["exit_code"] is not None:
        parts.append(f"exit code {container['exit_code']}")
    if container["reason"]:
        parts.append(str(container["reason"]))
    if restarts := container.get("restarts"):
        parts.append("restarted once" if restarts == 1 else f"restarted {restarts} times")
    return ", ".join(parts)


def _rows(items: Told, *keys: str) -> list[list[Cell]]:
    return [[Cell(name, "bold"), *(Cell.of(told.get(key) or "") for key in keys)] for name, told in items.items()]


def _caches(groups: Told) -> list[list[Cell]]:
    """Each group, and below it its members, which take each other's roles."""
    rows = []
    for name, told in groups.items():
        rows += _rows({name: told}, "status", "engine", "endpoint")
        for member, it in told.get("members", {}).items():
            rows.append([Cell(f"  {member}"), *(Cell.of(it[key]) for key in ("status", "role", "availability_zone"))])
    return rows


def _cloud(found: Told) -> list[list[Cell]]:
    names = {
        "endpoint": "endpoint",
        "container_endpoint": "for containers",
        "registry": "registry",
        "ca": "authority",
        "account_id": "account",
        "region": "region",
        "latency": "latency",
    }
    return [[Cell(title, "bold"), Cell(str(found[key]))] for key, title in names.items() if key in found]


def _event(told: Told) -> list[Cell]:
    moment = str(told["time"])[11:19]
    return [Cell(moment), Cell.of(told["severity"]), Cell(told["environment"] or ""), Cell(told["message"])]


def _table(rows: Sequence[Sequence[Cell]], colours: bool, indent: int = 2) -> list[str]:
    """Rows with aligned columns; the last cell of a row may be as long as it likes."""
    widths: dict[int, int] = {}
    for row in rows:
        for index, cell in enumerate(row[:-1]):
            widths[index] = max(widths.get(index, 0), len(cell.text))
    lines = []
    for row in rows:
        *firsts, last = row
        padded = [cell.painted(colours, widths[index]) for index, cell in enumerate(firsts)]
        lines.append((" " * indent + "  ".join([*padded, last.painted(colours)])).rstrip())
    return lines


def _facts(found: object, path: tuple[str, ...] = ()) -> Iterable[tuple[str, str]]:
    """Every single thing that is told, under its path."""
    if isinstance(found, Mapping):
        for name, told in found.items():
            if name not in _UNTOLD:
                yield from _facts(told, (*path, str(name)))
    elif isinstance(found, list | tuple):
        yield " ".join(path), "; ".join(map(str, found)) or "none"
    else:
        yield " ".join(path), "none" if found is None else str(found)
