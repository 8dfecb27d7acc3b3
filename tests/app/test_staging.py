"""Staging keys: only a deployment that issued one can be loaded, and only its holder keeps a source back."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from app.cli import main
from app.factory import Web
from app.loading import load_declarations
from app.settings import Settings
from services.ingestion import FeedIntake, Ingestion
from services.positions import wall_clock
from services.telemetry import Telemetry
from tests.app.conftest import KEY
from tests.waiting import wait_until

STAGING = "a-key-for-staging-only"


@pytest.fixture
def settings(broker_url: str, tmp_path: Path) -> Settings:
    keys = (f"all:{KEY}:*", f"staging:{STAGING}:host,signals,for-staging")
    return Settings(redis_url=broker_url, data=tmp_path, ingest_keys=keys)


def _asked(client: FlaskClient, path: str, key: str, body: object = None) -> tuple[int, dict[str, object]]:
    headers = {"Authorization": f"Bearer {key}"}
    answer = client.get(path, headers=headers) if body is None else client.post(path, headers=headers, json=body)
    return answer.status_code, answer.get_json()


def test_a_staging_key_is_told_what_it_may_load_and_any_other_is_refused(client: FlaskClient) -> None:
    assert _asked(client, "/api/staging", STAGING) == (200, {"key": "staging", "feeds": ["host", "signals"]})
    status, told = _asked(client, "/api/staging", KEY)
    assert (status, told["error"]) == (403, "not_staging")
    assert "headwater keys add … --staging" in str(told["detail"])
    assert _asked(client, "/api/staging", "nobody-knows-this-one")[0] == 401


@pytest.mark.parametrize(
    ("feed", "body", "expected"),
    [
        ("host", {"for_s": 601}, (400, "bad_hold")),
        ("host", {"for_s": True}, (400, "bad_hold")),
        ("host", [], (400, "bad_hold")),
        ("signals", {"for_s": 5}, (409, "not_pulled")),
        ("flights", {"for_s": 5}, (404, "unknown_feed")),
        ("operations", {"for_s": 5}, (404, "unknown_feed")),
    ],
)
def test_a_hold_that_cannot_be_is_refused(
    client: FlaskClient, feed: str, body: object, expected: tuple[int, str]
) -> None:
    status, told = _asked(client, f"/api/staging/hold/{feed}", STAGING, body)
    assert (status, told["error"]) == expected


def test_a_held_source_waits_and_goes_on_with_what_it_has_when_it_is_let_in_again(
    web: Web, client: FlaskClient
) -> None:
    declarations = load_declarations()
    feed = declarations.feeds["host"]
    assert _asked(client, "/api/staging/hold/host", KEY, {"for_s": 60})[0] == 403
    assert not web.broker.held("host")
    assert _asked(client, "/api/staging/hold/host", STAGING, {"for_s": 60})[0] == 200
    ingestion = Ingestion(web.broker, declarations, Telemetry("worker-1", "worker"), wall_clock)
    given, stop = threading.Event(), threading.Event()
    intake = FeedIntake(ingestion, feed, stop, wall_clock)

    def give() -> None:
        intake.alive()
        given.set()

    thread = threading.Thread(target=give)
    thread.start()
    assert not given.wait(1.2)
    assert _asked(client, "/api/staging/hold/host", STAGING, {"for_s": 0})[0] == 200
    wait_until(given.is_set, 5, "the source goes on")
    stop.set()
    thread.join()


def test_a_staging_key_is_issued_by_command(tmp_path: Path) -> None:
    data = {"HEADWATER_DATA": str(tmp_path / "data")}
    added = CliRunner().invoke(main, ["keys", "add", "load", "--feeds", "signals", "--staging"], env=data)
    assert added.exit_code == 0, added.stderr
    assert "signals,for-staging" in CliRunner().invoke(main, ["keys", "list"], env=data).stdout
    named = CliRunner().invoke(main, ["keys", "add", "load", "--feeds", "for-staging"], env=data)
    assert (named.exit_code, "no such feed" in named.stderr) == (1, True)
