"""History over HTTP: rows of an interval from the archive, as JSON or CSV, and clear refusals."""

from __future__ import annotations

import csv
import io
import threading
from dataclasses import replace
from typing import Any

import pytest
from flask.testing import FlaskClient

import headwater
from app.factory import Web
from app.loading import load_declarations
from app.past import Busy, Turns
from app.settings import Settings
from services.archive.archiver import Archiver
from services.database import Database, migrate
from services.database.tables import archive_gaps
from services.positions import wall_clock
from services.processor import Processor
from services.telemetry import Telemetry
from tests.app.conftest import KEY
from tests.waiting import wait_until

NAMES = ("n0", "n1", "=1+1")


@pytest.fixture
def filled(web: Web, settings: Settings, client: FlaskClient) -> FlaskClient:
    """A client of a web whose archive holds three signals."""
    declarations = load_declarations()
    database = Database(settings.database_address)
    migrate(database)
    for number, name in enumerate(NAMES):
        record = {"name": name, "value": number - 0.5}
        headers = {"Authorization": f"Bearer {KEY}"}
        assert client.post("/api/ingest/signals", json=record, headers=headers).status_code == 202
    telemetry = Telemetry("test", "worker")
    Processor(web.broker, declarations, telemetry, worker="w").drain()
    Archiver(web.broker, database, declarations, telemetry, worker="w").drain()
    database.close()
    return client


def names(channel: str) -> str:
    return f"/api/channels/{channel}/history"


def signals_channel() -> str:
    found: list[str] = [c.name for c in load_declarations().channels.values() if c.feed.name == "signals"]
    return next(name for name in found if load_declarations().channels[name].kind == "latest")


def test_the_rows_of_the_last_hour_come_as_json(filled: FlaskClient) -> None:
    answer = filled.get(names(signals_channel()))
    body: dict[str, Any] = answer.get_json()
    assert answer.status_code == 200
    assert {row["key"]: row["value"] for row in body["rows"]} == {"n0": -0.5, "n1": 0.5, "=1+1": 1.5}
    assert body["complete_until"] == body["until"] > body["since"] > body["kept_since"]
    assert (body["gaps"], body["recorded"], body["by"]) == ([], False, "row")


def test_the_same_rows_come_as_csv_in_which_no_text_is_a_formula(filled: FlaskClient) -> None:
    answer = filled.get(names(signals_channel()) + "?format=csv&since=2020-01-01T00:00:00Z")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert {row["key"]: row["value"] for row in rows} == {"n0": "-0.5", "n1": "0.5", "'=1+1": "1.5"}
    assert answer.headers["Headwater-Gaps"] == "0"
    assert answer.headers["Content-Disposition"].startswith('attachment; filename="signals.')


@pytest.mark.parametrize(
    ("asked", "detail"),
    [
        ("since=yesterday", "since: 'yesterday': give milliseconds since 1970 in UTC"),
        ("until=2026-01-01T00:00:00", "until: '2026-01-01T00:00:00': give milliseconds"),
        ("since=2000&until=1000", "since: 2000 is not before until: 1000"),
        ("format=xml", "format: 'xml': give one of json, csv"),
        ("by=day", "by: 'day': give one of row, hour"),
        ("points=7", "points: '7': give 50 to 5000 points a line"),
        ("key=", "key: '' has 0 characters: give a row's key"),
        (f"key={'n' * 4001}", "has 4001 characters: give a row's key"),
        ("key=n1&by=hour", "by: 'hour' beside key: the changes of a row are as they were, leave by out"),
        ("key=n1&points=100", "points: '100' beside key"),
    ],
)
def test_a_wrong_question_is_answered_with_the_remedy(filled: FlaskClient, asked: str, detail: str) -> None:
    answer = filled.get(f"{names(signals_channel())}?{asked}")
    assert answer.status_code == 400
    assert answer.get_json()["error"] == "bad_interval"
    assert detail in answer.get_json()["detail"]


def test_a_series_comes_as_the_course_that_a_chart_draws(filled: FlaskClient, web: Web) -> None:
    ref = next(c for c in load_declarations().channels.values() if c.feed.name == "signals" and c.kind == "series")
    body: dict[str, Any] = filled.get(f"{names(ref.name)}?points=100").get_json()
    snapshot = filled.get(f"/api/channels/{ref.name}/snapshot").get_json()
    assert snapshot["data"]["points"] == body["points"] != {}
    assert body["position"] == {"epoch": snapshot["epoch"], "seq": snapshot["seq"]}
    assert (body["by"], body["gaps"], body["recorded"]) == ("row", [], False)
    assert body["kept_since"] < body["since"] < body["until"]


def test_what_is_missing_is_told_with_rows_and_with_a_course(filled: FlaskClient, settings: Settings) -> None:
    ref = next(c for c in load_declarations().channels.values() if c.feed.name == "signals" and c.kind == "series")
    now, database = wall_clock(), Database(settings.database_address)
    gap = {"since": now - 9_000, "until": now - 4_000, "events": 0, "reason": "deltas_trimmed"}
    with database.writing() as connection:
        row = gap | {"feed": "signals", "channel": ref.name, "recorded_at": now}
        connection.execute(archive_gaps.insert().values(row))
    database.close()
    for asked in ("", "?points=100"):
        assert filled.get(names(ref.name) + asked).get_json()["gaps"] == [gap]


def test_the_changes_of_one_row_come_as_json_and_as_csv(filled: FlaskClient) -> None:
    asked = f"{names(signals_channel())}?key=%3D1%2B1&since=2020-01-01T00:00:00Z"
    body: dict[str, Any] = filled.get(asked).get_json()
    snapshot = filled.get(f"/api/channels/{signals_channel()}/snapshot").get_json()
    assert [(row["key"], row["value"]) for row in body["rows"]] == [("=1+1", 1.5)]
    assert (body["key"], body["gaps"], body["recorded"]) == ("=1+1", [], False)
    assert body["position"] == {"epoch": snapshot["epoch"], "seq": snapshot["seq"]}
    answer = filled.get(asked + "&format=csv")
    rows = list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))
    assert [(row["key"], row["value"]) for row in rows] == [("'=1+1", "1.5")]
    assert answer.headers["Headwater-Since"] == str(body["since"])
    assert filled.get(f"{names(signals_channel())}?key=nothing").get_json()["rows"] == []


def test_only_a_latest_has_rows_by_key(filled: FlaskClient) -> None:
    ref = next(c for c in load_declarations().channels.values() if c.feed.name == "signals" and c.kind == "log")
    answer = filled.get(f"{names(ref.name)}?key=n1")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "no_rows")


def test_only_a_series_has_a_course(filled: FlaskClient) -> None:
    answer = filled.get(f"{names(signals_channel())}?points=100")
    assert (answer.status_code, answer.get_json()["error"]) == (400, "no_series")


def test_who_would_read_the_archive_while_others_do_is_asked_to_come_again(
    filled: FlaskClient, web: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.past.READING_WAIT_S", 0.01)
    api: Any = web.server.view_functions["history"]
    turns = api.__self__.readings
    with turns.one(), turns.one():
        answer = filled.get(names(signals_channel()))
        assert (answer.status_code, answer.get_json()["error"]) == (503, "busy")
        assert answer.headers["Retry-After"] == "1"
    assert filled.get(names(signals_channel())).status_code == 200


def test_no_more_than_two_wait_for_the_archive_so_that_threads_are_left_for_everything_else() -> None:
    turns, ends, waiting = Turns(), threading.Event(), []

    def read() -> None:
        with turns.one():
            waiting.append(ends.wait(30))

    readers = [threading.Thread(target=read) for _ in range(4)]
    for reader in readers:
        reader.start()
    wait_until(lambda: turns.places._value == 0, what="two that read and two that wait")
    with pytest.raises(Busy), turns.one():
        raise AssertionError("a fifth one had its turn")
    ends.set()
    for reader in readers:
        reader.join()
    assert waiting == [True] * 4
    with turns.one():
        pass


def test_an_unknown_channel_and_one_that_keeps_nothing_are_404(filled: FlaskClient) -> None:
    assert filled.get(names("no.such")).get_json()["error"] == "unknown_channel"
    nothing = filled.get(names("operations.feeds"))
    assert (nothing.status_code, nothing.get_json()["error"]) == (404, "no_history")
    assert filled.get(names(signals_channel()) + "?by=hour").get_json()["error"] == "no_history"


def test_a_database_without_tables_is_503_with_the_remedy(client: FlaskClient) -> None:
    answer = client.get(names(signals_channel()))
    assert (answer.status_code, answer.get_json()["error"]) == (503, "database_down")
    assert "headwater release" in answer.get_json()["detail"]


def test_the_door_for_analysis_reads_what_the_settings_name(filled: FlaskClient, settings: Settings) -> None:
    values = headwater.frame("signals", 0, wall_clock() + 1, settings=settings)["value"]
    assert list(values) == [-0.5, 0.5, 1.5]


def test_readiness_tells_of_an_archive_that_is_behind_and_is_not_decided_by_it(filled: FlaskClient, web: Web) -> None:
    headers = {"Authorization": f"Bearer {KEY}"}
    assert filled.post("/api/ingest/signals", json={"name": "n4", "value": 1}, headers=headers).status_code == 202
    now = wall_clock()
    for lane, told in web.broker.lane_progress(load_declarations().lanes()).items():
        behind = replace(told, at=now, unarchived_since=now - 90_000)
        web.broker._redis.set(f"hw:{{{lane}}}:progress", behind.encoded())
    ready = filled.get("/readyz")
    assert ready.status_code == 200, ready.get_json()
    waits = "1 events are not archived, the oldest for 90 s"
    assert ready.get_json()["checks"]["archive"] == f"lane signals.0: {waits}"
    assert ready.get_json()["lanes"]["signals.0"] == waits
    assert 'headwater_lane_unarchived_events{lane="signals.0"} 1' in filled.get("/metrics").get_data(as_text=True)
