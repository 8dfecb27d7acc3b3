"""Callback bodies: a forged one is refused as the sender's fault, and tells nothing of what is inside."""

from __future__ import annotations

import json
from typing import Any

import pytest
from dash import ALL, Dash, Input, Output, State, html
from flask.testing import FlaskClient

from app.callback_bodies import DEPTH_MAX, guard_callbacks

PATH = "/_dash-update-component"
PATTERN = {"type": "row", "index": ALL}
NAME = {"id": "name", "property": "value"}


def body(**changed: Any) -> dict[str, Any]:
    """What the page itself would send."""
    return {
        "output": "greeting.children",
        "outputs": {"id": "greeting", "property": "children"},
        "inputs": [{**NAME, "value": "Ada"}],
        "state": [[{"id": {"type": "row", "index": 1}, "property": "value", "value": 2}]],
        "changedPropIds": ["name.value"],
        **changed,
    }


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """An app with one callback that runs here, one that runs in the browser, and none of ours."""
    app = Dash("guarded", pages_folder="", add_log_handler=False)
    app.layout = html.Div(id="greeting")

    @app.callback(Output("greeting", "children"), Input("name", "value"), State(PATTERN, "value"))  # type: ignore[untyped-decorator]
    def greet(name: str, rows: list[int]) -> str:
        return f"{name.upper()} {sum(rows)}"

    app.clientside_callback("() => 1", Output("greeting", "title"), Input("name", "value"))
    guard_callbacks(app)
    client: FlaskClient = app.server.test_client()
    return client


def test_a_page_s_own_body_runs_the_callback(client: FlaskClient) -> None:
    answer = client.post(PATH, json=body())
    assert answer.get_json()["response"]["greeting"]["children"] == "ADA 2"
    assert client.post(PATH, json=body(state=[[]])).status_code == 200, "a pattern that nothing fits"


DEEP: Any = "x"
for _ in range(DEPTH_MAX):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    "forged",
    [
        [],
        "text",
        None,
        {},
        {"output": 1},
        body(output="secret.children"),
        body(output="greeting.title"),
        body(output="__class__.__init__"),
        body(output=["greeting.children"]),
        body(inputs=[]),
        body(inputs=None),
        body(inputs="name"),
        body(inputs=[{}]),
        body(inputs=[None]),
        body(inputs=[[]] * 2),
        body(inputs=[{**NAME, "id": "other"}]),
        body(inputs=[{**NAME, "property": "children"}]),
        body(inputs=[[{**NAME, "value": "a"}, {"id": "other", "property": "value"}]]),
        body(state=[1]),
        body(state=[]),
        body(changedPropIds=5),
        body(changedPropIds=[{}]),
        body(outputs="greeting"),
        body(inputs=[{**NAME, "value": DEEP}]),
    ],
    ids=lambda forged: json.dumps(forged)[:60],
)
def test_a_forged_body_is_refused_without_a_trace_of_what_is_inside(client: FlaskClient, forged: Any) -> None:
    answer = client.post(PATH, json=forged)
    assert answer.status_code == 400, answer.text
    assert answer.get_json()["error"] == "bad_callback"
    assert "Traceback" not in answer.text
    assert ".py" not in answer.text


@pytest.mark.parametrize(
    "raw", [b"", b"{", b"[" * 100_000, b'{"output": NaN}', b"\xff\xfe", b'{"output": "\xed\xa0\x80"}']
)
def test_what_is_no_json_is_refused(client: FlaskClient, raw: bytes) -> None:
    answer = client.post(PATH, data=raw, content_type="application/json")
    assert answer.status_code == 400


def test_a_form_of_another_site_cannot_run_a_callback(client: FlaskClient) -> None:
    assert client.post(PATH, data=json.dumps(body()), content_type="text/plain").status_code == 415


def test_an_error_of_the_callback_itself_is_500_and_says_no_more(client: FlaskClient) -> None:
    answer = client.post(PATH, json=body(inputs=[{**NAME, "value": 5}]))
    assert answer.status_code == 500
    assert "Traceback" not in answer.text
    assert "upper" not in answer.text
