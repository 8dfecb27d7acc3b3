"""What a viewer takes away: files as CSV and Parquet, stamped; long ones are streamed, and end where nobody reads."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from arro3.io import read_parquet
from flask.testing import FlaskClient

from app.exports import outlet as outlets
from app.exports.formats import WrongValue, write
from app.exports.outlet import Outlet, Sink
from app.exports.routes import AT_ONCE
from app.exports.sheet import STAMP, Row, Sheet, Stamp
from app.factory import Web
from app.loading import load_declarations
from app.settings import Settings
from services.archive.archiver import Archiver
from services.database import Database, migrate
from services.processor import Processor
from services.telemetry import Telemetry
from tests.app.conftest import KEY
from tests.waiting import wait_until

NAMES = ("n0", "Zürich", "=1+1")


@pytest.fixture
def filled(web: Web, settings: Settings, client: FlaskClient) -> FlaskClient:
    """A client of a web that holds three signals, in the broker and in the archive."""
    declarations, telemetry = load_declarations(), Telemetry("test", "worker")
    database = Database(settings.database_address)
    migrate(database)
    records = [{"id": f"i{n}", "name": name, "value": n - 0.5} for n, name in enumerate(NAMES)]
    answer = client.post("/api/ingest/signals", json=records, headers={"Authorization": f"Bearer {KEY}"})
    assert answer.get_json()["accepted"] == len(NAMES)
    Processor(web.broker, declarations, telemetry, worker="w").drain()
    Archiver(web.broker, database, declarations, telemetry, worker="w").drain()
    database.close()
    return client


def channel(kind: str) -> str:
    found = load_declarations().channels.values()
    return next(one.name for one in found if one.feed.name == "signals" and one.kind == kind)


def address(kind: str = "latest") -> str:
    return f"/api/channels/{channel(kind)}/export"


def always() -> bool:
    return True


def as_csv(body: bytes) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(body.decode("utf-8-sig"))))


def as_parquet(body: bytes) -> list[dict[str, Any]]:
    table = read_parquet(body).read_all()
    columns = {name: table.column(name).to_pylist() for name in table.column_names}
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def unframed(body: bytes) -> tuple[bytes, list[dict[str, Any]]]:
    """The file in a framed answer, and what its frames told."""
    file, told = b"", []
    while body:
        head, _, body = body.partition(b"\n")
        told.append(json.loads(head))
        file, body = file + body[: told[-1]["bytes"]], body[told[-1]["bytes"] :]
    return file, told


def test_the_present_state_comes_as_csv_at_the_position_of_the_snapshot(filled: FlaskClient) -> None:
    snapshot = filled.get(f"/api/channels/{channel('latest')}/snapshot").get_json()
    answer = filled.get(address())
    rows = as_csv(answer.data)
    assert {row["key"]: row["value"] for row in rows} == {"n0": "-0.5", "Zürich": "0.5", "'=1+1": "1.5"}
    assert {(row["stamp_epoch"], row["stamp_seq"]) for row in rows} == {(snapshot["epoch"], str(snapshot["seq"]))}
    title = load_declarations().feeds["signals"].source.title
    assert all(row["stamp_source"].startswith(title) for row in rows)
    assert all(int(row["stamp_event_age_ms"]) >= 0 and row["stamp_exported_at"].endswith("Z") for row in rows)
    assert answer.headers["Content-Disposition"].startswith(f'attachment; filename="{channel("latest")}-at-')
    assert answer.data.startswith("\ufeff".encode()), "a spreadsheet reads it as UTF-8"


def test_the_same_state_comes_as_parquet_with_typed_columns(filled: FlaskClient) -> None:
    rows = as_parquet(filled.get(address() + "?format=parquet").data)
    assert {row["key"]: row["value"] for row in rows} == {"n0": -0.5, "Zürich": 0.5, "=1+1": 1.5}
    assert list(rows[0])[-len(STAMP) :] == list(STAMP)
    assert rows[0]["stamp_exported_at"].tzinfo is not None


def test_what_a_viewer_shows_becomes_a_file_at_the_viewers_own_position(filled: FlaskClient) -> None:
    shown = {
        "format": "csv", "columns": ["name", "value"], "rows": [{"name": "@x", "value": 2}],
        "position": {"epoch": "e", "seq": 7}, "created_at": 5,
    }
    (row,) = as_csv(filled.post(address(), json=shown).data)
    assert list(row) == ["name", "value", *STAMP]
    assert (row["name"], row["value"], row["stamp_epoch"], row["stamp_seq"]) == ("'@x", "2", "e", "7")
    assert int(row["stamp_event_age_ms"]) > 0
    assert (row["stamp_shown"], row["stamp_shown_at"]) == ("live", row["stamp_exported_at"])
    held = {**shown, "shown": "paused", "shown_at": 1_700_000_000_000}
    (row,) = as_csv(filled.post(address(), json=held).data)
    assert (row["stamp_shown"], row["stamp_shown_at"]) == ("paused", "2023-11-14T22:13:20.000Z")
    (typed,) = as_parquet(filled.post(address(), json={**shown, "format": "parquet"}).data)
    assert (typed["name"], typed["value"], typed["stamp_seq"]) == ("@x", 2.0, 7)


@pytest.mark.parametrize(
    ("shown", "detail"),
    [
        ([], "body: Input should be"),
        ({"rows": [], "columns": ["nope"]}, "columns: \\['nope'\\]: '[a-z.]+' has key"),
        ({"rows": [1]}, "rows.0: Input should be a valid dictionary"),
        ({"rows": [], "format": "xml"}, "format: Input should be 'csv' or 'parquet'"),
        ({"rows": [{"value": "much"}], "columns": ["value"]}, "column 'value': 'much': give a value of type number"),
    ],
)
def test_what_cannot_be_a_file_is_refused_with_the_remedy(filled: FlaskClient, shown: Any, detail: str) -> None:
    answer = filled.post(address(), json=shown)
    assert (answer.status_code, answer.get_json()["error"]) == (400, "bad_export")
    assert re.search(detail, answer.get_json()["detail"])


@pytest.mark.parametrize("kind", ["latest", "series"])
def test_an_interval_comes_whole_in_both_formats_and_says_how_far_it_is(filled: FlaskClient, kind: str) -> None:
    past = filled.get(f"/api/channels/{channel(kind)}/history").get_json()["rows"]
    asked = f"{address(kind)}?since=2020-01-01T00:00:00Z"
    rows = as_csv(filled.get(asked).data)
    assert len(rows) == len(past) == len(NAMES)
    assert {row["value"] for row in rows} == {"-0.5", "0.5", "1.5"}
    file, told = unframed(filled.get(f"{asked}&format=parquet&progress=1").data)
    assert [row["value"] for row in as_parquet(file)] == [row["value"] for row in past]
    assert (told[-1]["rows"], told[-1]["done"]) == (len(NAMES), True)
    assert [one["until"] for one in told] == sorted(one["until"] for one in told)


def test_an_interval_without_anything_is_a_file_without_rows(filled: FlaskClient) -> None:
    asked = f"{address()}?since=2020-01-01T00:00:00Z&until=2020-01-02T00:00:00Z"
    assert as_csv(filled.get(asked).data) == []
    assert as_parquet(filled.get(f"{asked}&format=parquet").data) == []


def test_unknown_channels_and_wrong_intervals_are_refused(filled: FlaskClient) -> None:
    assert filled.get("/api/channels/no.such/export").get_json()["error"] == "unknown_channel"
    assert filled.get(f"{address()}?since=2000&until=1000").get_json()["error"] == "bad_interval"
    assert filled.get(f"{address()}?format=xml").get_json()["error"] == "bad_export"
    nothing = filled.get("/api/channels/operations.feeds/export?since=1")
    assert (nothing.status_code, nothing.get_json()["error"]) == (404, "no_history")


def test_more_intervals_at_once_than_there_are_places_for_are_asked_to_come_again(
    filled: FlaskClient, web: Web
) -> None:
    asked = f"{address()}?since=2020-01-01T00:00:00Z"
    for _ in range(3):  # a place is given back
        assert filled.get(asked).status_code == 200
    places = web.exports.places
    for _ in range(AT_ONCE):
        wait_until(lambda: places.acquire(blocking=False), what="a free place")
    answer = filled.get(asked)
    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "5")


# The parts ---------------------------------------------------------------------------------------


def sheet(**columns: Any) -> Sheet:
    return Sheet(columns, Stamp("c", "e", 1, 0, 0, "recorded data, replayed: x"), {"since": "1"})


@pytest.mark.parametrize("begin", ["=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠"])
def test_no_text_of_a_csv_is_a_formula(begin: str) -> None:
    body = io.BytesIO()
    write("csv", sheet(a="text", b="number"), [[{"a": f"{begin}1", "b": -1}]], body)
    (row,) = as_csv(body.getvalue())
    assert (row["a"], row["b"]) == (f"'{begin}1", "-1")
    assert row["stamp_source"] == "recorded data, replayed: x"


@pytest.mark.parametrize(("text", "cell"), [("a;=1", "a;'=1"), ("a\n-1", "a\n'-1"), ("a-b; c=d, e@f", "a-b; c=d, e@f")])
def test_no_text_begins_a_formula_where_a_spreadsheet_begins_a_cell(text: str, cell: str) -> None:
    body = io.BytesIO()
    write("csv", sheet(a="text"), [[{"a": text}]], body)
    assert as_csv(body.getvalue())[0]["a"] == cell


def test_values_keep_their_types_and_what_is_missing_stays_missing() -> None:
    rows: list[Row] = [{"t": "ä", "n": 1, "i": 2, "f": True, "m": 1_000}, {}]
    body = io.BytesIO()
    write("parquet", sheet(t="text", n="number", i="integer", f="flag", m="moment"), [rows, [], rows], body)
    read = as_parquet(body.getvalue())
    first = {name: read[0][name] for name in "tnif"}
    assert first == {"t": "ä", "n": 1.0, "i": 2, "f": True}
    assert read[0]["m"].isoformat() == "1970-01-01T00:00:01+00:00"
    assert [read[1][name] for name in "tnifm"] == [None] * 5
    assert len(read) == 4
    with pytest.raises(WrongValue, match=r"column 'i': '1\.5': give a value of type integer"):
        write("parquet", sheet(i="integer"), [[{"i": 1.5}]], io.BytesIO())


def endless(stopped: threading.Event) -> Any:
    """A file that is written until nobody takes it."""

    def produce(sink: Sink) -> None:
        def batches() -> Iterator[Sequence[Row]]:
            while True:
                yield [{"n": 1.0}] * 1_000
                sink.note(1_000, 1)

        try:
            write("parquet", sheet(n="number"), batches(), sink)  # type: ignore[arg-type]
        finally:
            stopped.set()

    return produce


def test_the_writing_ends_when_the_client_goes() -> None:
    stopped, ended = threading.Event(), threading.Event()
    outlet = Outlet(endless(stopped), framed=True, ended=ended.set, allowed=always)
    assert b'"done":false' in next(iter(outlet))
    assert not stopped.is_set()
    outlet.close()
    assert stopped.wait(5)
    assert ended.wait(5)


def test_the_writing_ends_when_the_client_takes_nothing_any_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlets, "STALLED_S", 0.5)
    stopped = threading.Event()
    outlet = Outlet(endless(stopped), framed=False, ended=lambda: None, allowed=always)
    assert stopped.wait(10)
    outlet.close()


def test_what_is_taken_away_while_a_file_is_under_way_is_handed_over_no_further() -> None:
    stopped, may = threading.Event(), [True]
    outlet = Outlet(endless(stopped), framed=True, ended=lambda: None, allowed=lambda: may[0])
    assert json.loads(next(outlet).partition(b"\n")[0])["done"] is False
    may[0] = False
    head, _, body = next(outlet).partition(b"\n")
    assert (body, json.loads(head)["done"], json.loads(head)["error"]) == (b"", False, outlets.TAKEN_AWAY)
    assert list(outlet) == [], "not what was ready before, either"
    assert stopped.wait(5), "and the archive is read no further"
    plain = Outlet(endless(threading.Event()), framed=False, ended=lambda: None, allowed=lambda: False)
    with pytest.raises(RuntimeError, match="not the whole file"):
        list(plain)


def test_an_error_is_told_in_a_frame_and_breaks_a_plain_answer_off() -> None:
    def produce(sink: Sink) -> None:
        raise OSError("disk away")

    (frame,) = list(Outlet(produce, framed=True, ended=lambda: None, allowed=always))
    assert json.loads(frame) == {"bytes": 0, "rows": 0, "until": 0, "done": False, "error": "disk away"}
    with pytest.raises(RuntimeError, match="disk away"):
        list(Outlet(produce, framed=False, ended=lambda: None, allowed=always))


def test_no_web_process_loads_the_library_of_parquet_files_at_start() -> None:
    script = "import sys, app.factory; print([n for n in ('arro3', 'pandas') if n in sys.modules])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, timeout=60)
    assert found.stdout.strip() == "[]"
