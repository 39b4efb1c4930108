# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs CloudFront Functions in V8, without network, timers or files.

The event is the documented one (version 1.0). A function that takes too long, uses too much memory or throws ends the
request as it does at AWS; how much of AWS's ten-millisecond budget it would use is not measured.
"""

from __future__ import annotations

import json
import re
import threading
import time
import weakref
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from py_mini_racer import JSEvalException, JSOOMException, JSParseException, JSPromise, JSTimeoutException, MiniRacer

FIRST_RUNTIME = "cloudfront-js-1.0"
RUNTIMES = (FIRST_RUNTIME, "cloudfront-js-2.0")
CODE_LIMIT = 10 * 1024
TIME_LIMIT = 0.5
MEMORY_LIMIT = 32 * 1024 * 1024

_NO_CODE = re.compile(r"""//[^\n]*|/\*.*?\*/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`""", re.DOTALL)
_SECOND_RUNTIME_ONLY = re.compile(r"(?<![\w.$])(const|let)\s+[\w$\[{]|(?<![\w.$])(async|await)\s+[\w$(]")
"""Statements that V8 knows and the first runtime does not (Developer Guide, "JavaScript runtime 1.0 features")."""

_PRELUDE = """
for (const name of ['eval', 'WebAssembly', 'setTimeout', 'clearTimeout']) {
  globalThis[name] = undefined;
}
const $lines = [];
{
  const text = (word) => typeof word === 'string' ? word : JSON.stringify(word);
  const write = (...words) => { $lines.push(words.map(text).join(' ')); };
  globalThis.console = {log: write, info: write, warn: write, error: write, debug: write};
}
"""
_CALL = """
(function (event) {
  $lines.length = 0;
  const ended = (returned) => JSON.stringify({returned: returned, lines: $lines});
  const result = handler(JSON.parse(event));
  return result && typeof result.then === 'function' ? result.then(ended) : ended(result);
})
"""


class FunctionError(Exception):
    """The function's code is not valid, or its run failed."""


class FunctionInvalid(FunctionError):
    """The function ran, and CloudFront does not take what it returned."""


@dataclass(frozen=True)
class Run:
    """What the handler returned, what it wrote to the console, and how long it took in seconds."""

    returned: dict[str, Any]
    lines: tuple[str, ...]
    seconds: float


class FunctionRunner:
    """One function's code in a context of its own. Raises FunctionError where the code does not load."""

    def __init__(self, code: str) -> None:
        self._code = code
        self._lock = threading.Lock()
        self._context = _loaded(code)
        self._closing = weakref.finalize(self, self._context.close)

    def run(self, event: Mapping[str, Any]) -> Run:
        """Call the handler.

        :raises FunctionError: When it does not end well, or returns no object.
        """
        with self._lock:
            try:
                return self._call(json.dumps(event))
            except (JSTimeoutException, TimeoutError) as error:
                # What a run that was cut off has left on the heap would count against the next one.
                self._start_again()
                raise FunctionError(f"the function ran for more than {TIME_LIMIT} s") from error
            except JSOOMException as error:
                self._start_again()
                raise FunctionError("the function used too much memory") from error

    def _call(self, event: str) -> Run:
        started = time.monotonic()
        try:
            answer = self._context.eval(f"{_CALL}({json.dumps(event)})", timeout_sec=TIME_LIMIT)
            if isinstance(answer, JSPromise):
                answer = answer.get(timeout=TIME_LIMIT)
        except (JSTimeoutException, JSOOMException):
            raise
        except JSEvalException as error:
            raise FunctionError(_first_line(error)) from error
        outcome = json.loads(str(answer))
        if not isinstance(outcome.get("returned"), dict):
            raise FunctionError("the function returned neither a request nor a response")
        return Run(outcome["returned"], tuple(outcome["lines"]), time.monotonic() - started)

    def close(self) -> None:
        """End the context. An open one would keep the process from ending, so garbage collection closes it too."""
        self._closing()

    def _start_again(self) -> None:
        self.close()
        self._context = _loaded(self._code)
        self._closing = weakref.finalize(self, self._context.close)


def check_code(code: str, runtime: str) -> None:
    """Raise FunctionError where the code would not load."""
    found = _SECOND_RUNTIME_ONLY.search(_NO_CODE.sub("''", code)) if runtime == FIRST_RUNTIME else None
    if found:
        raise FunctionError(f"{found[1] or found[2]} is not supported in {runtime}")
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
