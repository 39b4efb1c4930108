# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront Functions really run, within their limits."""

from __future__ import annotations

from dataclasses import replace

import pytest

from localcloud.cloudfront.functions import FunctionError, FunctionEvent, FunctionRunner, multi_values, pairs_of

EVENT = FunctionEvent(
    distribution_id="E1",
    distribution_domain="d1.cloudfront.net",
    event_type="viewer-request",
    request_id="r",
    viewer_ip="127.0.0.1",
    method="GET",
    uri="/projects",
    query=(("a", "1"), ("a", "2")),
    headers=(("host", "localhost"),),
    cookies=(("c", "d"),),
)


def run(code: str, event: FunctionEvent = EVENT) -> dict[str, object]:
    return FunctionRunner(code).run(event)


def test_the_request_comes_in_and_goes_out() -> None:
    returned = run("function handler(event) { event.request.uri = '/index.html'; return event.request; }")
    assert returned["uri"] == "/index.html"
    assert returned["querystring"] == {"a": {"value": "1", "multiValue": [{"value": "1"}, {"value": "2"}]}}
    assert returned["headers"] == {"host": {"value": "localhost"}}
    assert returned["cookies"] == {"c": {"value": "d"}}


def test_asynchronous_handlers() -> None:
    code = "async function handler(event) { await null; return {statusCode: 302}; }"
    assert run(code) == {"statusCode": 302}


def test_text_of_the_viewer_is_data_not_code() -> None:
    event = replace(EVENT, uri='/"+(()=>{throw 1})()+"\u2028\'`${1}')
    assert run("function handler(event) { return event.request; }", event)["uri"] == event.uri


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("function handler( {", "SyntaxError"),
        ("function other(event) {}", "handler"),
        ("import cf from 'cloudfront'; function handler(event) {}", "import"),
    ],
)
def test_code_that_does_not_load(code: str, message: str) -> None:
    with pytest.raises(FunctionError, match=message):
        FunctionRunner(code)


# The engine may report the end of a run that was cut off when nobody listens any more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("throw new Error('broken');", "broken"),
        ("for (;;) {}", "more than"),
        ("return new Promise(() => {});", "more than"),
        ("const a = []; for (;;) { a.push(new Array(1000).fill('x' + a.length)); }", "memory|more than"),
        ("return setTimeout(() => 1, 1);", "setTimeout"),
        ("return eval('1');", "eval"),
        ("return undefined;", "neither"),
        ("return 'text';", "neither"),
    ],
)
def test_runs_that_fail_and_the_runner_after_them(body: str, message: str) -> None:
    code = f"function handler(event) {{ if (event.request.uri === '/ok') {{ return event.request; }} {body} }}"
    runner = FunctionRunner(code)
    with pytest.raises(FunctionError, match=message):
        runner.run(EVENT)
    assert runner.run(replace(EVENT, uri="/ok"))["uri"] == "/ok"


def test_values_and_pairs_are_inverse() -> None:
    pairs = (("a", "1"), ("a", "2"), ("b", ""))
    assert pairs_of(multi_values(pairs)) == pairs
