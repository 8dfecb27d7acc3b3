"""HTTP API: every route answers as the protocol says, over a real broker."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from app.factory import Web, create_app
from app.loading import load_declarations
from app.settings import Settings
from services.broker import Broker, caps
from services.embedded import EmbeddedBroker
from services.processor import Processor
from services.telemetry import Telemetry
from tests.app.conftest import FLIGHTS_KEY, KEY

SIGNAL = {"id": "s1", "name": "a", "value": 1.5}


@pytest.fixture
def processor(settings: Settings) -> Iterator[Processor]:
    """A worker's processor beside the web app; a test drains it."""
    broker = Broker(settings.redis_url)
    yield Processor(broker, load_declarations(), Telemetry("test", "worker"), worker="test")
    broker.close()


def post(
    client: FlaskClient, body: Any, *, feed: str = "signals", key: str = KEY, kind: str = "application/json",
    **headers: str,
) -> TestResponse:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    given = {"Authorization": f"Bearer {key}", **{name.replace("_", "-"): value for name, value in headers.items()}}
    return client.post(f"/api/ingest/{feed}", data=raw, content_type=kind, headers=given)


def receipt(answer: TestResponse) -> tuple[int, int, list[tuple[int, str]]]:
    assert answer.status_code == 202, answer.text
    body = answer.get_json()
    return body["accepted"], body["duplicates"], [(one["index"], one["reason"]) for one in body["rejected"]]


def test_one_event_an_array_and_lines_are_accepted(client: FlaskClient) -> None:
    lines = b'{"name":"c","value":3}\n\n{"name":"d","value":4}\r\n'
    assert receipt(post(client, SIGNAL)) == (1, 0, [])
    assert receipt(post(client, [{"name": "b", "value": 2}, SIGNAL])) == (1, 1, [])
    assert receipt(post(client, lines, kind="application/x-ndjson")) == (2, 0, [])
    zipped = gzip.compress(lines)
    assert receipt(post(client, zipped, kind="application/x-ndjson", Content_Encoding="gzip")) == (2, 0, [])


def test_each_refused_record_has_its_index_and_reason_and_the_others_are_accepted(client: FlaskClient) -> None:
    records = [{"name": "a", "value": "x"}, {"name": "b", "value": 1}, {"value": 1}, 7, {"name": "c", "value": 2}]
    expected = [(0, "wrong_type"), (2, "missing_field"), (3, "wrong_type")]
    assert receipt(post(client, records)) == (2, 0, expected)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b'{"name":"a","value":NaN}', "not_finite"),
        (b'{"name":"a","value":1e999}', "not_finite"),
        (b'{"name":"\\ud800","value":1}', "bad_text"),
        (b'{"name":"a","value":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "too_deep"),
        (b'{"name":"a","value":1,"created_at":1}', "bad_timestamp"),
        (b'{"name":"a","value":1,"created_at":9000000000000}', "future_timestamp"),
        (b'{"name":"a","value":1,"id":""}', "bad_id"),
        (b'{"name":"' + b"a" * 300 + b'","value":1}', "too_large"),
    ],
)
def test_what_a_tolerant_parser_would_take_is_refused_with_its_reason(
    client: FlaskClient, line: bytes, reason: str
) -> None:
    good = b'{"name":"b","value":1}'
    assert receipt(post(client, line)) == (0, 0, [(0, reason)])
    assert receipt(post(client, good + b"\n" + line, kind="application/x-ndjson")) == (1, 0, [(1, reason)])


def test_an_empty_array_is_a_sign_of_life(client: FlaskClient, web: Web, processor: Processor) -> None:
    assert receipt(post(client, [])) == (0, 0, [])
    processor.drain()
    feed = web.broker.lane_progress(load_declarations().feeds["signals"].all_lanes())
    assert all(progress.alive_at > 0 for progress in feed.values())


@pytest.mark.parametrize("body", [b"", b"{", b"\xff\xfe", b"nonsense"])
def test_an_unreadable_body_is_400(client: FlaskClient, body: bytes) -> None:
    answer = post(client, body)
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "unreadable"


def test_an_unreadable_line_is_named(client: FlaskClient) -> None:
    answer = post(client, b'{"name":"a","value":1}\n{', kind="application/x-ndjson")
    assert answer.status_code == 400
    assert answer.get_json()["detail"].startswith("line 2: not JSON")


@pytest.mark.parametrize("header", [None, "", "Bearer", "Bearer wrong", f"Basic {KEY}", KEY])
def test_without_a_known_key_ingest_answers_401(client: FlaskClient, header: str | None) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = client.post("/api/ingest/signals", json=SIGNAL, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["WWW-Authenticate"] == "Bearer"


def test_a_key_may_post_to_its_own_feeds_only(client: FlaskClient) -> None:
    assert post(client, SIGNAL, key=FLIGHTS_KEY).status_code == 403
    assert receipt(post(client, [], feed="flights", key=FLIGHTS_KEY)) == (0, 0, [])


def test_an_unknown_feed_is_404(client: FlaskClient) -> None:
    assert post(client, SIGNAL, feed="nope").get_json()["error"] == "unknown_feed"
    assert post(client, SIGNAL, feed="nope").status_code == 404


def test_a_body_over_the_limit_is_413_also_when_it_is_so_only_inflated(client: FlaskClient) -> None:
    large = b"[" + b" " * (2 << 20) + b"]"
    assert post(client, large).status_code == 413
    assert post(client, gzip.compress(large), Content_Encoding="gzip").status_code == 413


def test_more_records_than_one_request_may_hold_are_413_and_none_is_taken(client: FlaskClient) -> None:
    answer = post(client, [{"id": f"n{n}", "name": "a", "value": n} for n in range(5_001)])
    assert answer.status_code == 413
    assert "at most 5000" in answer.get_json()["detail"]
    assert receipt(post(client, [{"id": "n0", "name": "a", "value": 0}])) == (1, 0, [])


@pytest.mark.parametrize(
    ("kind", "encoding"),
    [("text/plain", "identity"), ("application/x-www-form-urlencoded", "identity"), ("application/json", "br")],
)
def test_other_types_and_encodings_are_415(client: FlaskClient, kind: str, encoding: str) -> None:
    assert post(client, SIGNAL, kind=kind, Content_Encoding=encoding).status_code == 415


@pytest.mark.parametrize("cut", [b"not gzip", gzip.compress(b"[]", mtime=0)[:-4]])
def test_a_broken_gzip_stream_is_400(client: FlaskClient, cut: bytes) -> None:
    assert post(client, cut, Content_Encoding="gzip").status_code == 400


def test_a_full_backlog_is_429_with_retry_after(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(caps, "BACKLOG_LIMIT_BYTES", 1)
    post(client, [{"name": "a", "value": 1}])
    answer = post(client, [{"name": "a", "value": 2}])
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) >= 1


def test_with_the_broker_away_routes_answer_503_and_say_so(own_broker: EmbeddedBroker, settings: Settings) -> None:
    web = create_app(settings.model_copy(update={"redis_url": own_broker.url}))
    client = web.server.test_client()
    own_broker.kill()
    answer = post(client, SIGNAL)
    assert answer.status_code == 503
    assert int(answer.headers["Retry-After"]) >= 1
    assert client.get("/api/channels").status_code == 503
    assert client.get("/healthz").status_code == 200
    ready = client.get("/readyz")
    assert ready.status_code == 503
    assert "broker" in ready.get_json()["checks"]["broker"]
    web.stop()


def test_readiness_needs_a_worker_for_every_lane(client: FlaskClient, processor: Processor) -> None:
    before = client.get("/readyz")
    assert before.status_code == 503
    assert "no worker leads" in before.get_json()["checks"]["worker"]
    assert set(before.get_json()["lanes"].values()) == {"no worker leads it"}
    processor.drain()
    after = client.get("/readyz")
    assert (after.status_code, after.get_json()["status"]) == (200, "ok")
    assert after.get_json()["lanes"] == {str(lane): "ok" for lane in load_declarations().lanes()}


def test_a_posted_event_is_in_the_channels_snapshot_at_its_position(client: FlaskClient, processor: Processor) -> None:
    processor.drain()
    post(client, SIGNAL)
    processor.drain()
    snapshot = client.get("/api/channels/signals.newest/snapshot").get_json()
    assert snapshot["op"] == "snapshot"
    assert snapshot["data"]["rows"]["a"]["value"] == 1.5
    listed = {one["name"]: one for one in client.get("/api/channels").get_json()["channels"]}
    assert listed["signals.newest"]["position"] == {"epoch": snapshot["epoch"], "seq": snapshot["seq"]}
    assert (listed["signals.newest"]["state"], listed["signals.newest"]["cause"]) == ("live", None)


def test_channels_are_described_with_fields_freshness_and_source(client: FlaskClient) -> None:
    answer = client.get("/api/channels").get_json()
    board = next(one for one in answer["channels"] if one["name"] == "flights.board")
    assert board["kind"] == "latest"
    assert board["source"]["recorded"] is True
    assert board["position"] is None, "nothing was written yet"
    assert (board["state"], board["cause"]) == ("stale", "worker_down")
    assert {"name": "delay_min", "label": "Delay", "type": "number", "unit": "min", "decimals": 0} in board["fields"]
    assert board["freshness"]["stale_after_s"] > 0
    assert answer["idempotence"]["ids"] == caps.caps_of(256 * caps.MB, len(answer["lanes"])).ids, "of our own broker"


@pytest.mark.parametrize("name", ["nope", "flights.nope", "flights.board:EWR", ":", "flights"])
def test_an_unknown_channel_is_404(client: FlaskClient, name: str) -> None:
    answer = client.get(f"/api/channels/{name}/snapshot")
    assert answer.status_code == 404
    assert answer.get_json()["error"] == "unknown_channel"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/api/nope", 404), ("GET", "/api/ingest/signals", 404), ("POST", "/api/session", 405),
        ("PUT", "/api/ingest/signals", 405), ("GET", "/api/", 404),
    ],
)
def test_a_route_that_is_not_there_does_not_look_like_success(
    client: FlaskClient, method: str, path: str, status: int
) -> None:
    answer = client.open(path, method=method)
    assert answer.status_code == status
    assert answer.get_json()["error"] in {"unknown_route", "method_not_allowed"}


def test_the_session_tells_who_asks(client: FlaskClient) -> None:
    assert client.get("/api/session").get_json() == {"principal": "open", "roles": ["admin"]}


def test_metrics_tell_of_every_process_lane_and_stage(client: FlaskClient, web: Web, processor: Processor) -> None:
    post(client, SIGNAL)
    processor.drain()
    telemetry = Telemetry("worker-1", "worker")
    telemetry.count("processed", 3)
    telemetry.observe("ingested_to_processed", 0.25, 4)
    web.broker.write_telemetry("worker-1", telemetry.payload())
    answer = client.get("/metrics")
    assert answer.content_type.startswith("text/plain; version=0.0.4")
    lines = answer.text.splitlines()
    assert 'headwater_processed_total{process="worker-1",role="worker"} 3' in lines
    assert 'headwater_stage_seconds_count{stage="ingested_to_processed"} 4' in lines
    assert 'headwater_lane_accepted_total{lane="signals.0"} 1' in lines
    assert 'headwater_lane_backlog_events{lane="signals.0"} 0' in lines
    names = [line.split()[2] for line in lines if line.startswith("# TYPE")]
    assert len(names) == len(set(names))
    assert all(name.startswith("headwater_") for name in names)


def test_answers_of_the_api_are_kept_by_no_cache(client: FlaskClient) -> None:
    for path in ("/healthz", "/readyz", "/api/session", "/api/channels"):
        assert client.get(path).headers["Cache-Control"] == "no-store", path


def test_a_viewer_without_a_socket_reports_what_it_measured(client: FlaskClient, web: Web) -> None:
    line = ["view_second", "host.now", "/host", [5, [], []], "poll"]
    report = {"op": "report", "viewer": "a", "lines": [line]}
    assert client.post("/api/report", json=report).status_code == 204
    assert client.post("/api/report", json={"op": "ping", "t": 1}).status_code == 400
    assert client.post("/api/report", data=b"{}", content_type="text/plain").status_code == 415
    elsewhere = {"Origin": "https://elsewhere.example"}
    assert client.post("/api/report", json=report, headers=elsewhere).status_code == 403
    (sheet,) = web.publisher.telemetry.take_sheets(all_of_it=True)
    assert [(key.stage, key.transport) for key in sheet.lines] == [("view_second", "poll")]
