"""From a sample to a feed: what is odd in it is said, and what is drafted runs and takes the sample."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from app.cli import main
from app.loading import Project, load_contract, load_declarations, load_pages
from services.events import Refused, Validator
from services.samples.profiling import Sample, drafted
from services.samples.reading import read_file

START = 1_767_225_600_000
RECORDS: list[Any] = [
    {"id": "1", "created_at": START, "order": "A1", "price": 10.5, "lines": [1], "customer": {"Name": "x"}},
    {"id": "2", "created_at": START + 1_000, "order": "A2", "price": 11, "note": "hello"},
    {"id": "2", "created_at": START + 1_000, "order": "A2", "price": 11, "note": "hello"},
    {"id": "3", "created_at": START - 14_500, "order": "A3", "price": "n/a", "note": None},
    {"id": "4", "created_at": START + 3_000, "order": "A3", "price": 12.25},
    7,
]


def _run(*arguments: str) -> Result:
    return CliRunner().invoke(main, list(arguments))


def _file(folder: Path, records: list[Any] = RECORDS) -> Path:
    path = folder / "orders.ndjson"
    path.write_text("".join(f"{json.dumps(one)}\n" for one in records))
    return path


def test_shape_missing_and_odd_values_duplicates_order_and_peak_are_said(tmp_path: Path) -> None:
    said = _run("profile", str(_file(tmp_path)))
    assert said.exit_code == 0, said.output
    for line in (
        "records: 6, 1 of them no JSON objects",
        "duplicates: 1 by id",
        "out of order: 1, up to 15.5 s behind",
        "peak: 1 a second",
        "key: order, 3 of them",
        "  price: number, odd 1 ('n/a'), 10.5 to 12.25",
        "  note: text, missing 2, null 1, 1 different, up to 5 characters",
        "  lines: nested, missing 4, a list or an object: a field holds a single value",
        '    source=Http(mapping=SourceMapping({"customer_name": "customer.Name"})),',
        "    customer_name = Text(required=False, max_length=50)",
        "    lateness_s=16,",
    ):
        assert line in said.stdout.splitlines(), line


@pytest.mark.parametrize("kind", ["json", "csv", "parquet"])
def test_the_same_is_found_in_each_kind_of_file(tmp_path: Path, kind: str) -> None:
    rows = [{"code": f"c{n % 3}", "ts": START + n * 2_000, "value": n / 2, "on": n % 2 == 0} for n in range(12)]
    path = tmp_path / f"rows.{kind}"
    if kind == "json":
        path.write_text(json.dumps(rows))
    elif kind == "csv":
        path.write_text("code,ts,value,on\n" + "".join(f"{r['code']},{r['ts']},{r['value']},{r['on']}\n" for r in rows))
    else:
        from arro3.core import Table
        from arro3.io import write_parquet

        write_parquet(Table.from_pydict(_columns(rows)), str(path))
    sample = Sample()
    for batch in read_file(path):
        sample.take(batch)
    found = sample.profile()
    assert (found.records, found.key_path, found.keys, found.every_s, found.time_path) == (12, "code", 3, 2.0, "ts")
    types = {one.name: one.type for one in drafted(found, "rows", polled=False).fields}
    assert types == {"code": "text", "ts": "moment", "value": "number", "on": "flag"}


def _columns(rows: list[dict[str, Any]]) -> Any:
    from arro3.core import Array, DataType

    types = {"code": DataType.string(), "ts": DataType.int64(), "value": DataType.float64(), "on": DataType.bool()}
    return {name: Array([row[name] for row in rows], kind) for name, kind in types.items()}


def test_what_is_drafted_into_a_project_loads_takes_the_sample_and_fills_the_envelope(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    more = ["--answer", "sources=orders=push@1", "--answer", "peak_events_per_s=2"]
    assert _run("contract", "new", str(folder), "--defaults", *more).exit_code == 0
    burst = [
        {"id": str(n), "created_at": START + n, "order": f"o{n}", "price": n / 4, "shop": "north"} for n in range(300)
    ]
    path = _file(tmp_path, burst)
    refused = _run("profile", str(path), "--into", str(folder))
    assert (refused.exit_code, "there already; --replace writes over it" in refused.stderr) == (1, True)
    written = _run("profile", str(path), "--into", str(folder), "--replace")
    assert written.exit_code == 0, written.output
    assert "envelope: events_per_s = 300 instead of 2, rows = 300 instead of 200" in written.stdout
    # its package is new: one of the same name was loaded when the draft was checked
    again = tmp_path / "again"
    folder.rename(again)
    project = Project.at(again)
    declarations = load_declarations(project)
    assert {one.path for one in load_pages(declarations, project)} >= {"/"}
    contract = load_contract(declarations, project)
    assert contract is not None
    assert contract.scope.envelope is not None
    assert contract.scope.envelope.events_per_s == 300
    validator = Validator(declarations.feeds["orders"])
    for one in burst:
        try:
            validator.event(one, START + 1_000)
        except Refused as refusal:
            pytest.fail(f"{one}: {refusal}")


def test_records_of_another_shape_are_read_by_the_mapping_that_is_drafted(tmp_path: Path) -> None:
    folder = tmp_path / "board"
    assert _run("contract", "new", str(folder), "--defaults", "--answer", "sources=trips=push@1").exit_code == 0
    trips = [
        {"uuid": f"u{n}", "pickedUpAt": 1_767_225_600 + n, "Fare-Total": n / 4, "from": {"zone": f"z{n % 5}"},
         **{f"A{m}": m for m in range(20)}}
        for n in range(50)
    ]  # fmt: skip
    path = tmp_path / "trips.json"
    path.write_text(json.dumps([{**one, "timestamp": one["pickedUpAt"]} for one in trips]))
    written = _run("profile", str(path), "--into", str(folder), "--replace")
    assert written.exit_code == 0, written.output
    text = (folder / "feeds/trips.py").read_text()
    assert 'created_at=GivenTime("timestamp", unit="s"),' in text
    assert 'id="uuid",' in text
    assert max(map(len, text.splitlines())) <= 120
    moved = tmp_path / "moved"
    folder.rename(moved)
    feed = load_declarations(Project.at(moved)).feeds["trips"]
    assert feed.source.mapping is not None
    read, validator = feed.source.mapping.reader(feed), Validator(feed)
    for n, one in enumerate(trips):
        event = json.loads(validator.event(read({**one, "timestamp": one["pickedUpAt"]}), START + 3_600_000).body)
        assert (event["id"], event["created_at"]) == (f"u{n}", 1_000 * (1_767_225_600 + n))
        assert (event["fare_total"], event["from_zone"]) == (n / 4, f"z{n % 5}")


@pytest.fixture
def address() -> Iterator[str]:
    """A source that has something new every other time it is asked."""
    asked = [0]

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked[0] += 1
            body = json.dumps([{"id": f"{asked[0] // 2}", "item": "a", "value": 1.5}]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/stock.json"
    server.shutdown()
    server.server_close()


def test_a_live_source_is_asked_until_the_time_is_over_and_its_refresh_interval_is_found(address: str) -> None:
    said = _run("profile", address, "--for", "2s", "--every", "0.1s")
    assert said.exit_code == 0, said.output
    every = next(line for line in said.stdout.splitlines() if line.startswith("refresh interval: "))
    assert 0.15 < float(every.split()[2]) < 0.9, every
    assert "time: no field is a time; an event's time is that of its arrival" in said.stdout
    assert 'source=HttpPoll("env:STOCK_URL", every_s=0.1),' in said.stdout


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["nothing-there"], 2, "no file, address or feed that is pulled; give one, or one of flights, host"),
        (["host", "--for", "soon"], 2, "give a time such as 30s, 10m or 1h"),
        (["http://127.0.0.1:9/x", "--for", "1s"], 1, "give an address that answers with JSON"),
        (["{bad}"], 1, "bad.json:2: "),
    ],
)
def test_a_sample_that_cannot_be_read_is_said(tmp_path: Path, arguments: list[str], code: int, told: str) -> None:
    (tmp_path / "bad.json").write_text('{"a": 1}\n{"a": \n')
    said = _run("profile", *(one.replace("{bad}", str(tmp_path / "bad.json")) for one in arguments))
    assert (said.exit_code, told in said.stderr) == (code, True), said.output
