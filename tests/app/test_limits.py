"""Limits: a body that is too large, too deep or not what the route takes is refused, whichever route it is sent to."""

from __future__ import annotations

import gzip

import pytest
from flask.testing import FlaskClient

from app.factory import BODY_BYTES_MAX
from tests.app.conftest import KEY

PAGES_CALLBACK = {
    "output": ".._pages_content.children..._pages_store.data..",
    "outputs": [{"id": "_pages_content", "property": "children"}, {"id": "_pages_store", "property": "data"}],
    "inputs": [
        {"id": "_pages_location", "property": "pathname", "value": "/"},
        {"id": "_pages_location", "property": "search", "value": ""},
    ],
    "changedPropIds": ["_pages_location.pathname"],
}
CALLBACK, INGEST = "/_dash-update-component", "/api/ingest/signals"
POSTED = (CALLBACK, INGEST, "/api/changes", "/api/report", "/api/channels/signals.latest/export")
LARGEST = 16 * 1024 * 1024
HEADERS = {"Authorization": f"Bearer {KEY}"}


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("chunked", [False, True], ids=["its size told", "in chunks"])
def test_a_body_over_every_limit_is_refused(client: FlaskClient, path: str, chunked: bool) -> None:
    raw = b'"' + b"x" * LARGEST + b'"'
    told = {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input_terminated": True, "CONTENT_LENGTH": ""} if chunked else {}
    answer = client.post(path, data=raw, content_type="application/json", headers=HEADERS, environ_overrides=told)
    # what is cut off at the limit is no JSON any more
    assert answer.status_code in ((400, 404, 413) if chunked else (404, 413)), answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", POSTED)
@pytest.mark.parametrize("raw", [b"[" * 100_000, b'{"a":' * 50_000, b"nul", b"\x00\xff"])
def test_a_body_that_is_nested_without_end_or_no_json_is_a_fault_of_its_sender(
    client: FlaskClient, path: str, raw: bytes
) -> None:
    answer = client.post(path, data=raw, content_type="application/json", headers=HEADERS)
    assert 400 <= answer.status_code < 500 or answer.status_code == 202, answer.text
    if answer.status_code == 202:
        assert answer.get_json()["accepted"] == 0


def test_a_small_body_that_inflates_to_a_large_one_is_refused(client: FlaskClient) -> None:
    bomb = gzip.compress(b" " * 20_000_000)
    assert len(bomb) < BODY_BYTES_MAX
    answer = client.post(
        INGEST, data=bomb, content_type="application/json", headers={**HEADERS, "Content-Encoding": "gzip"}
    )
    assert answer.status_code == 413


@pytest.mark.parametrize("value", [5, None, [], {}, "//evil.example", "/../../etc/passwd", "\x00", "/" + "a" * 100_000])
@pytest.mark.parametrize("field", [0, 1], ids=["pathname", "search"])
def test_a_forged_place_gets_a_page_or_a_refusal_and_never_an_error(
    client: FlaskClient, field: int, value: object
) -> None:
    inputs = [dict(one) for one in PAGES_CALLBACK["inputs"]]  # type: ignore[call-overload]
    inputs[field]["value"] = value
    answer = client.post(CALLBACK, json={**PAGES_CALLBACK, "inputs": inputs})
    assert answer.status_code in (200, 204, 400), answer.text
    assert "Traceback" not in answer.text


@pytest.mark.parametrize("path", ["/?self=1", "/explore?self=1&parameters=2", "/?%00=%ff"])
def test_parameters_that_are_called_like_ours_change_nothing(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 200
    search = path.partition("?")[2]
    inputs = [dict(one) for one in PAGES_CALLBACK["inputs"]]  # type: ignore[call-overload]
    inputs[1]["value"] = f"?{search}"
    assert client.post(CALLBACK, json={**PAGES_CALLBACK, "inputs": inputs}).status_code == 200
