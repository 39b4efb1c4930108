# Copyright: Contributors to the antenna.aws collection
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CloudFront Functions really run, within their limits."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from multidict import CIMultiDict

from localcloud.cloudfront.events import (
    Where,
    changed_response,
    generated_response,
    multi_values,
    pairs_of,
    request_event,
    response_event,
    rewritten,
)
from localcloud.cloudfront.functions import FunctionError, FunctionInvalid, FunctionRunner, check_code
from localcloud.cloudfront.replies import Reply, ViewerRequest

VIEWER = ViewerRequest(
    method="GET",
    scheme="https",
    path="/projects",
    query="a=1&a=2",
    headers=CIMultiDict({"Host": "localhost", "Cookie": "c=d", "X-Forwarded-Proto": "http"}),
    ip="127.0.0.1",
)
WHERE = Where("E1", "d1.cloudfront.net")


def run(code: str, viewer: ViewerRequest = VIEWER) -> dict[str, Any]:
    return FunctionRunner(code).run(request_event(WHERE, viewer)).returned


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
    viewer = replace(VIEWER, path='/"+(()=>{throw 1})()+"\u2028\'`${1}')
    assert run("function handler(event) { return event.request; }", viewer)["uri"] == viewer.path


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


@pytest.mark.parametrize("statement", ["const ant = 1;", "let ant;", "let [ant] = [];", "async function dig() {}"])
def test_the_first_runtime_knows_less(statement: str) -> None:
    code = f"function handler(event) {{ {statement} return event.request; }}"
    check_code(code, "cloudfront-js-2.0")
    with pytest.raises(FunctionError, match="is not supported in"):
        check_code(code, "cloudfront-js-1.0")
    said = f"function handler(event) {{ var said = '{statement}'; /* {statement} */ return event.request; }}"
    check_code(said, "cloudfront-js-1.0")


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
        runner.run(request_event(WHERE, VIEWER))
    assert runner.run(request_event(WHERE, replace(VIEWER, path="/ok"))).returned["uri"] == "/ok"


def test_values_and_pairs_are_inverse() -> None:
    pairs = (("a", "1"), ("a", "2"), ("b", ""))
    assert pairs_of(multi_values(pairs)) == pairs


def test_what_is_written_to_the_console_is_of_one_run() -> None:
    runner = FunctionRunner("function handler(event) { console.log('saw', event.request); return event.request; }")
    for path in ("/a", "/b"):
        (line,) = runner.run(request_event(WHERE, replace(VIEWER, path=path))).lines
        assert line.startswith("saw {") and path in line


def test_a_rewritten_request_keeps_what_functions_do_not_see() -> None:
    event = request_event(WHERE, VIEWER)["request"]
    assert set(event["headers"]) == {"host"}
    changed = rewritten(VIEWER, {**event, "uri": "/index.html", "headers": {"x-a": {"value": "1"}}})
    assert (changed.path, changed.query) == ("/index.html", "a=1&a=2")
    assert dict(changed.headers) == {"X-Forwarded-Proto": "http", "x-a": "1", "Host": "localhost", "Cookie": "c=d"}


REPLY = Reply(
    200, CIMultiDict({"Content-Type": "text/html", "Content-Length": "3", "Set-Cookie": "a=b; Secure"}), b"abc", "Hit"
)


def test_a_response_event_shows_headers_and_cookies() -> None:
    event = response_event(WHERE, VIEWER, REPLY)
    assert event["context"]["eventType"] == "viewer-response"
    assert event["response"] == {
        "statusCode": 200,
        "statusDescription": "OK",
        "headers": {"content-type": {"value": "text/html"}, "content-length": {"value": "3"}},
        "cookies": {"a": {"value": "b", "attributes": "Secure"}},
    }


def test_a_changed_response_keeps_its_body_unless_it_is_given_one() -> None:
    kept = changed_response(REPLY, {"statusCode": 200, "headers": {"x-a": {"value": "1"}}})
    assert (kept.body, dict(kept.headers)) == (b"abc", {"Content-Length": "3", "x-a": "1"})
    replaced = changed_response(REPLY, {"statusCode": 404, "body": {"encoding": "base64", "data": "eA=="}})
    assert (replaced.status, replaced.body, replaced.headers["Content-Length"]) == (404, b"x", "1")


@pytest.mark.parametrize("name", ["x-edge-location", "X-Amz-Cf-Id", "connection", "x-forwarded-proto"])
def test_headers_that_functions_may_not_add(name: str) -> None:
    with pytest.raises(FunctionInvalid):
        generated_response({"statusCode": 200, "headers": {name: {"value": "x"}}})
