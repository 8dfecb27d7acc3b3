"""Tracing over HTTP and by the command; correlation ids from the request to the log."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
import structlog
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.cli import main
from app.doors import Doors
from app.factory import Web
from app.loading import load_declarations
from app.settings import Settings
from app.viewer_reports import ViewerReports
from services.accounts import OPEN, Principal
from services.processor import Processor
from tests.app.conftest import KEY


@pytest.fixture
def processor(web: Web) -> Processor:
    return Processor(web.broker, load_declarations(), web.publisher.telemetry, worker="worker-1")


def _post(client: FlaskClient, **headers: str) -> Any:
    given = {"Authorization": f"Bearer {KEY}", **{name.replace("_", "-"): text for name, text in headers.items()}}
    return client.post("/api/ingest/signals", json={"id": "s-1", "name": "hello", "value": 1.5}, headers=given)


def test_an_event_is_followed_by_the_id_that_a_router_gave_its_request(
    client: FlaskClient, processor: Processor, settings: Settings
) -> None:
    answer = _post(client, X_Request_ID="a1b2-c3")
    assert (answer.status_code, answer.headers["X-Request-ID"]) == (202, "a1b2-c3")
    processor.drain()
    (trace,) = client.get("/api/trace/a1b2-c3").json["traces"]
    assert (trace["id"], trace["lane"], trace["state"]) == ("s-1", "signals.0", "processed")
    assert {one["channel"] for one in trace["committed"]} == set(trace["channels"]) != set()
    environment = {"REDIS_URL": settings.redis_url, "HEADWATER_DATA": str(settings.data)}
    told = CliRunner().invoke(main, ["trace", "s-1"], env=environment)
    assert told.exit_code == 0, told.output
    assert "event s-1 of lane signals.0, correlation id a1b2-c3" in told.output
    assert "not sampled" in told.output
    missing = CliRunner().invoke(main, ["trace", "nothing"], env=environment)
    assert missing.exit_code == 1
    assert "nothing: no event of that id" in missing.output


@pytest.mark.parametrize("given", ["", "a b", "x" * 65, 'a"b'])
def test_a_request_without_a_usable_id_gets_one_of_its_own(client: FlaskClient, given: str) -> None:
    answer = _post(client, **({"X_Request_ID": given} if given else {}))
    assert len(answer.headers["X-Request-ID"]) == 16


def test_what_is_logged_for_a_request_carries_its_id(web: Web) -> None:
    seen: list[Any] = []
    bound = structlog.contextvars.get_contextvars
    web.server.add_url_rule("/healthz/seen", view_func=lambda: seen.append(bound()) or "")
    web.server.test_client().get("/healthz/seen", headers={"X-Request-ID": "r-9"})
    assert seen == [{"correlation_id": "r-9"}]
    assert structlog.contextvars.get_contextvars() == {}


def test_only_an_admin_may_trace(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = Principal("reader", channels=("*",))
    monkeypatch.setattr(Doors, "principal", lambda self: reader)
    assert client.get("/api/trace/x").status_code == 403
    monkeypatch.setattr(Doors, "principal", lambda self: None)
    assert client.get("/api/trace/x").status_code == 401


def test_what_a_viewer_says_that_it_painted_is_kept_where_it_can_be_true(web: Web) -> None:
    telemetry = web.publisher.telemetry
    telemetry.take_samples()
    reports = ViewerReports(telemetry, load_declarations(), ["/flights"])
    good = ["flights.board", "/flights", "k3f9", 4, 5, 10, 20, 30]
    wrong: list[Any] = [
        ["no.such", "/flights", "k3f9", 4, 5, 10, 20, 30], ["flights.board", "/flights", "k3f9", 4, 5, 10, 20, -1],
        ["flights.board", "/flights", "x" * 99, 4, 5, 10, 20, 30], ["flights.board"], 7,
    ]
    reports("v1", OPEN, {"samples": [good, *wrong]})
    assert orjson.loads(telemetry.take_samples()) == [["v1", "/flights", "flights.board", "k3f9", 4, 5, 10, 20, 30]]
