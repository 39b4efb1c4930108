# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Trouble on demand: rules say which calls fail, how, and how often."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, fields, replace
from fnmatch import fnmatchcase
from typing import Any, Literal, get_args

from localcloud.calls import Call, identify
from localcloud.clock import Clock
from localcloud.errors import Protocol, Refusal, protocol_of, refuse
from localcloud.stale import Answer, Memory, asked

Kind = Literal["throttling", "internal", "unavailable", "denied", "dropped", "slow", "stale"]
KINDS: tuple[Kind, ...] = get_args(Kind)
TIMED = ("slow", "stale")


class InvalidRule(ValueError):
    """The rule cannot be; the message says why."""


@dataclass(frozen=True)
class Rule:
    """Which calls meet which trouble.

    Service, operation and resource may have wildcards. `count` is how many calls it strikes in all (None: no end),
    `probability` how likely it strikes one that fits; with a `seed` the same ones each time. `seconds` are those of
    the cloud's clock: how late a slow answer is, or for how long after a write reads are stale.
    """

    kind: Kind
    service: str = "*"
    operation: str = "*"
    resource: str = "*"
    count: int | None = None
    probability: float = 1.0
    seconds: float = 0.0
    seed: int | None = None

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InvalidRule(f"kind {self.kind!r} is none of {', '.join(KINDS)}")
        if (self.kind in TIMED) != (self.seconds > 0):
            raise InvalidRule(f"{' and '.join(TIMED)} need seconds above 0, and nothing else takes them")
        if not 0 < self.probability <= 1:
            raise InvalidRule(f"probability {self.probability} is not above 0 and at most 1")
        if self.count is not None and self.count < 1:
            raise InvalidRule(f"count {self.count} is not 1 or more")

    @classmethod
    def parse(cls, given: object) -> Rule:
        """The rule of a JSON object.

        :raises InvalidRule: When it is none.
        """
        if not isinstance(given, Mapping) or "kind" not in given:
            raise InvalidRule(f'expected JSON such as {{"kind": "throttling", "count": 3}}; kinds: {", ".join(KINDS)}')
        unknown = given.keys() - {item.name for item in fields(cls)}
        if unknown:
            raise InvalidRule(f"unknown: {', '.join(sorted(map(str, unknown)))}")
        for name, types in _TYPES.items():
            if name in given and (not isinstance(given[name], types) or isinstance(given[name], bool)):
                raise InvalidRule(f"{name} {given[name]!r} has the wrong type")
        return cls(**given)

    def fits(self, call: Call) -> bool:
        """Whether it is about such calls at all."""
        return (
            fnmatchcase(call.service, self.service)
            and fnmatchcase(call.operation, self.operation)
            and fnmatchcase(call.resource, self.resource)
        )


_TYPES: Mapping[str, tuple[type, ...]] = {
    "kind": (str,),
    "service": (str,),
    "operation": (str,),
    "resource": (str,),
    "count": (int, type(None)),
    "probability": (int, float),
    "seconds": (int, float),
    "seed": (int, type(None)),
}


@dataclass
class _Standing:
    """A rule that is in force, and how often it has struck."""

    id: int
    rule: Rule
    struck: int = 0
    dice: random.Random = field(init=False)

    def __post_init__(self) -> None:
        self.dice = random.Random(self.rule.seed)  # noqa: S311

    @property
    def is_spent(self) -> bool:
        return self.rule.count is not None and self.struck >= self.rule.count

    def strikes(self, call: Call) -> bool:
        if self.is_spent or not self.rule.fits(call) or self.dice.random() >= self.rule.probability:
            return False
        self.struck += 1
        return True


class Faults:
    """The rules in force, in the order in which they were added: the first that strikes has the call."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._standing: list[_Standing] = []
        self._last = 0

    def add(self, rule: Rule) -> dict[str, Any]:
        """Put a rule into force and describe it."""
        with self._lock:
            self._last += 1
            standing = _Standing(self._last, rule)
            self._standing.append(standing)
            return _description(standing)

    def remove(self, rule_id: int) -> bool:
        """Take a rule out of force; False when there is none of this id."""
        with self._lock:
            kept = [standing for standing in self._standing if standing.id != rule_id]
            found = len(kept) < len(self._standing)
            self._standing = kept
            return found

    def clear(self) -> None:
        """Take every rule out of force."""
        with self._lock:
            self._standing = []

    def all(self) -> list[dict[str, Any]]:
        """The rules in force, spent ones too, with how often each has struck."""
        with self._lock:
            return [_description(standing) for standing in self._standing]

    def strike(self, call: Call) -> Rule | None:
        """The rule that has this call, which counts as struck by it; none of those for stale reads."""
        with self._lock:
            return next((standing.rule for standing in self._of(stale=False) if standing.strikes(call)), None)

    def staleness(self, call: Call) -> float:
        """For how many seconds after a write such reads may be stale, as far as rules are left that say so."""
        with self._lock:
            left = [standing.rule for standing in self._of(stale=True) if not standing.is_spent]
        return max((rule.seconds for rule in left if rule.fits(call)), default=0.0)

    def strike_stale(self, call: Call) -> bool:
        """Whether this read, which may be stale, is; it counts as struck then."""
        with self._lock:
            return any(standing.strikes(call) for standing in self._of(stale=True))

    def _of(self, *, stale: bool) -> list[_Standing]:
        return [standing for standing in self._standing if (standing.rule.kind == "stale") is stale]


def _description(standing: _Standing) -> dict[str, Any]:
    rule = {item.name: getattr(standing.rule, item.name) for item in fields(Rule)}
    return {"id": standing.id, **rule, "struck": standing.struck}


class FaultMiddleware:
    """WSGI: lets calls meet the trouble that the rules have for them."""

    def __init__(
        self,
        application: Callable[..., Iterable[bytes]],
        faults: Faults,
        clock: Clock,
        caller: Callable[[Call], str],
    ) -> None:
        self._application = application
        self._faults = faults
        self._clock = clock
        self._caller = caller
        self._memory = Memory(clock)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        call = identify(environ)
        rule = self._faults.strike(call)
        if rule is not None and rule.kind == "dropped":
            _cut(environ)
        if rule is not None and rule.kind != "slow":
            return refuse(environ, start_response, call, self._refusal(rule.kind, protocol_of(environ, call), call))
        if rule is not None:
            self._clock.wait(rule.seconds)
        if call.is_write:
            return self._written(environ, start_response, call)
        return self._read(environ, start_response, call)

    def _refusal(self, kind: Kind, protocol: Protocol, call: Call) -> Refusal:
        refusal = refusal_of(kind, protocol)
        action = f"{call.service}:{call.operation}"
        return replace(refusal, message=refusal.message.format(caller=self._caller(call), action=action))

    def _written(self, environ: dict[str, Any], start_response: Callable[..., Any], call: Call) -> Iterable[bytes]:
        try:
            return self._application(environ, start_response)
        finally:
            self._memory.note_write(call.service)

    def _read(self, environ: dict[str, Any], start_response: Callable[..., Any], call: Call) -> Iterable[bytes]:
        seconds = self._faults.staleness(call)
        question = asked(environ, call) if seconds else None
        if question is None:
            return self._application(environ, start_response)
        old = self._memory.before_write(question, call.service, seconds)
        if old is not None and self._faults.strike_stale(call):
            return old.repeat(start_response)
        answer = Answer.of(self._application, environ)
        self._memory.remember(question, call.service, seconds, answer)
        return answer.send(start_response)


def _cut(environ: dict[str, Any]) -> None:
    """End the connection without an answer; the server takes such an error for a client that left."""
    connection: socket.socket = environ["werkzeug.socket"]
    connection.shutdown(socket.SHUT_RDWR)
    raise ConnectionAbortedError("dropped on demand")


def refusal_of(kind: Kind, protocol: Protocol) -> Refusal:
    """The error that services of this protocol answer with."""
    by_protocol = _REFUSALS[kind]
    return by_protocol.get(protocol) or by_protocol["query"]


_DENIED = "User: {caller} is not authorized to perform: {action}"
_INTERNAL = "The request processing has failed because of an unknown error, exception or failure."
_UNAVAILABLE = "The request has failed due to a temporary failure of the server."
_REFUSALS: Mapping[Kind, Mapping[Protocol, Refusal]] = {
    "throttling": {
        "query": Refusal(400, "Throttling", "Rate exceeded"),
        "json": Refusal(400, "ThrottlingException", "Rate exceeded"),
        "rest-json": Refusal(429, "ThrottlingException", "Rate exceeded"),
        "ec2": Refusal(503, "RequestLimitExceeded", "Request limit exceeded."),
        "s3": Refusal(503, "SlowDown", "Please reduce your request rate."),
    },
    "internal": {
        "query": Refusal(500, "InternalFailure", _INTERNAL),
        "ec2": Refusal(500, "InternalError", "An internal error has occurred"),
        "s3": Refusal(500, "InternalError", "We encountered an internal error. Please try again."),
    },
    "unavailable": {
        "query": Refusal(503, "ServiceUnavailable", _UNAVAILABLE),
        "ec2": Refusal(503, "Unavailable", "The server is overloaded and can't handle the request."),
        "s3": Refusal(503, "ServiceUnavailable", "Service is unable to handle request."),
    },
    "denied": {
        "query": Refusal(403, "AccessDenied", _DENIED),
        "json": Refusal(400, "AccessDeniedException", _DENIED),
        "rest-json": Refusal(403, "AccessDeniedException", _DENIED),
        "ec2": Refusal(403, "UnauthorizedOperation", "You are not authorized to perform this operation. " + _DENIED),
        "s3": Refusal(403, "AccessDenied", "Access Denied"),
    },
}
"""By kind and protocol; a protocol that is not there answers as `query` does."""
