# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs CloudFront Functions (runtime cloudfront-js-2.0) in V8, without network, timers or files.

The event is the documented one (version 1.0). A function that takes too long, uses too much memory or throws ends the
request as it does at AWS; how much of AWS's ten-millisecond budget it would use is not measured.
"""

from __future__ import annotations

import json
import threading
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from py_mini_racer import JSEvalException, JSOOMException, JSParseException, JSPromise, JSTimeoutException, MiniRacer

RUNTIME = "cloudfront-js-2.0"
CODE_LIMIT = 10 * 1024
TIME_LIMIT = 0.5
MEMORY_LIMIT = 32 * 1024 * 1024

_PRELUDE = """
for (const name of ['eval', 'WebAssembly', 'setTimeout', 'clearTimeout']) {
  globalThis[name] = undefined;
}
"""
_CALL = """
(function (event) {
  const result = handler(JSON.parse(event));
  return result && typeof result.then === 'function' ? result.then((v) => JSON.stringify(v)) : JSON.stringify(result);
})
"""


class FunctionError(Exception):
    """The function's code is not valid, or its run failed."""


@dataclass(frozen=True)
class FunctionEvent:
    """A viewer's request as a function sees it. Header names are in lower case."""

    distribution_id: str
    distribution_domain: str
    event_type: str
    request_id: str
    viewer_ip: str
    method: str
    uri: str
    query: tuple[tuple[str, str], ...]
    headers: tuple[tuple[str, str], ...]
    cookies: tuple[tuple[str, str], ...]

    def to_json(self) -> str:
        return json.dumps(
            {
                "version": "1.0",
                "context": {
                    "distributionDomainName": self.distribution_domain,
                    "distributionId": self.distribution_id,
                    "eventType": self.event_type,
                    "requestId": self.request_id,
                },
                "viewer": {"ip": self.viewer_ip},
                "request": {
                    "method": self.method,
                    "uri": self.uri,
                    "querystring": multi_values(self.query),
                    "headers": multi_values(self.headers),
                    "cookies": multi_values(self.cookies),
                },
            }
        )


def multi_values(pairs: tuple[tuple[str, str], ...]) -> dict[str, Any]:
    """`{name: {value, multiValue?}}`, the shape of query strings, headers and cookies in events."""
    grouped: dict[str, list[str]] = {}
    for name, value in pairs:
        grouped.setdefault(name, []).append(value)
    return {name: _multi_value(values) for name, values in grouped.items()}


def _multi_value(values: list[str]) -> dict[str, Any]:
    if len(values) == 1:
        return {"value": values[0]}
    return {"value": values[0], "multiValue": [{"value": value} for value in values]}


def pairs_of(values: Any) -> tuple[tuple[str, str], ...]:
    """The reverse of multi_values, for what a function returned."""
    if not isinstance(values, Mapping):
        return ()
    pairs: list[tuple[str, str]] = []
    for name, item in values.items():
        if not isinstance(item, Mapping):
            raise FunctionError(f"the value of {name!r} must be an object with a value")
        several = item.get("multiValue") or [item]
        pairs += [(str(name), str(one.get("value", ""))) for one in several]
    return tuple(pairs)


class FunctionRunner:
    """One function's code in a context of its own. Raises FunctionError where the code does not load."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._lock = threading.Lock()
        self._context = _loaded(code)
        self._closing = weakref.finalize(self, self._context.close)

    def run(self, event: FunctionEvent) -> dict[str, Any]:
        """The object that the handler returned; raises FunctionError."""
        with self._lock:
            try:
                return self._call(event)
            except (JSTimeoutException, TimeoutError) as error:
                # What a run that was cut off has left on the heap would count against the next one.
                self._start_again()
                raise FunctionError(f"the function ran for more than {TIME_LIMIT} s") from error
            except JSOOMException as error:
                self._start_again()
                raise FunctionError("the function used too much memory") from error

    def _call(self, event: FunctionEvent) -> dict[str, Any]:
        try:
            answer = self._context.eval(f"{_CALL}({json.dumps(event.to_json())})", timeout_sec=TIME_LIMIT)
            if isinstance(answer, JSPromise):
                answer = answer.get(timeout=TIME_LIMIT)
        except (JSTimeoutException, JSOOMException):
            raise
        except JSEvalException as error:
            raise FunctionError(_first_line(error)) from error
        if not isinstance(answer, str):
            raise FunctionError("the function returned neither a request nor a response")
        returned = json.loads(answer)
        if not isinstance(returned, dict):
            raise FunctionError("the function returned neither a request nor a response")
        return returned

    def close(self) -> None:
        """End the context. An open one would keep the process from ending, so garbage collection closes it too."""
        self._closing()

    def _start_again(self) -> None:
        self.close()
        self._context = _loaded(self._code)
        self._closing = weakref.finalize(self, self._context.close)


def check_code(code: str) -> None:
    """Raise FunctionError where the code would not load."""
    FunctionRunner(code).close()


def _loaded(code: str) -> MiniRacer:
    context = MiniRacer()
    try:
        context.set_hard_memory_limit(MEMORY_LIMIT)
        context.eval(_PRELUDE, timeout_sec=TIME_LIMIT)
        context.eval(code, timeout_sec=TIME_LIMIT)
        if not context.eval("typeof handler === 'function'", timeout_sec=TIME_LIMIT):
            raise FunctionError("the code does not define a function named handler")
    except (JSParseException, JSEvalException, JSTimeoutException) as error:
        context.close()
        raise FunctionError(_first_line(error)) from error
    except FunctionError:
        context.close()
        raise
    return context


def _first_line(error: Exception) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
