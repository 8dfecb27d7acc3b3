"""Sources: what they hand over becomes events; a replay misses nothing; trouble is told and stays its own."""

from __future__ import annotations

import itertools
import threading
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from headwater import Feed, Freshness, Text
from services.broker import caps
from services.declare import Declarations, FeedSpec, Lane
from services.events import Validator
from services.feeds import flights, host, operations
from services.ingestion import FeedIntake
from services.sources.flights import FlightsReplay
from services.sources.host import HostSource
from services.sources.operations import OperationsSource
from services.sources.reached import Reached
from services.sources.replay import Recording, Replay
from services.sources.runner import SourceRunner, backoff_s
from services.sources.source import Source
from services.sources.trouble import SourceTrouble
from services.telemetry import Telemetry
from tests.system import System, order
from tests.waiting import wait_until

NOW = 1_700_000_000_000
TIMES = st.lists(st.integers(0, 100_000), min_size=1, max_size=50).map(sorted)


class Collector:
    """An intake that keeps what it is given, on a clock that moves with each wait."""

    def __init__(
        self, rounds: int, step_ms: int = 1_000, newest_ms: int = 0, position: str | None = None
    ) -> None:
        self.records: list[Any] = []
        self.kept = position
        self.alive_count = 0
        self._rounds, self._step_ms, self._now, self._newest = rounds, step_ms, NOW, newest_ms

    def now_ms(self) -> int:
        return self._now

    def newest_ms(self) -> int:
        return self._newest

    def accept(self, records: Sequence[Any], position: str | None = None) -> None:
        self.records += records
        self.kept = self.kept if position is None else position

    def position(self) -> str | None:
        return self.kept

    def alive(self) -> None:
        self.alive_count += 1

    def wait(self, seconds: float) -> bool:
        self._rounds -= 1
        self._now += self._step_ms
        return self._rounds < 0


@given(times=TIMES, cuts=st.lists(st.integers(0, 300_000), min_size=1, max_size=8).map(sorted))
def test_a_recording_played_in_pieces_plays_each_row_once_and_in_order(times: list[int], cuts: list[int]) -> None:
    recording = Recording.of([float(time) for time in times], speed=1.0, gap_max_s=3.0)
    edges = [0, *cuts, 300_000]
    pieces = [piece for a, b in itertools.pairwise(edges) for piece in recording.between(a, b)]
    assert pieces == list(recording.between(0, 300_000))
    assert [at for _, _, at in pieces] == sorted(at for _, _, at in pieces)


@given(times=TIMES)
def test_a_pause_in_a_recording_is_shortened(times: list[int]) -> None:
    recording = Recording.of([float(time) for time in times], speed=10.0, gap_max_s=2.0)
    gaps = [b - a for a, b in zip(recording.offsets_ms, recording.offsets_ms[1:], strict=False)]
    assert all(gap <= 2_001 for gap in gaps)


class Ticks(Replay):
    """Ten thousand rows, ten a second."""

    def recording(self) -> Recording:
        return Recording.of([row / 10 for row in range(10_000)], speed=1.0, gap_max_s=1.0)

    def record(self, row: int) -> dict[str, Any]:
        return {"row": row}


def test_a_replay_opens_with_its_lead_and_goes_on_without_a_gap() -> None:
    intake = Collector(rounds=20)
    Ticks("ticks", lead_s=60).run(intake)
    stamps = [record["created_at"] for record in intake.records]
    assert stamps == list(range(stamps[0], stamps[-1] + 1, 100))
    assert stamps[0] <= NOW - 59_900
    assert stamps[-1] >= NOW + 19_900


def test_a_replay_that_takes_over_resumes_near_the_newest_event_with_the_same_ids() -> None:
    first, second = Collector(rounds=20), Collector(rounds=20, newest_ms=NOW)
    Ticks("ticks", lead_s=60).run(first)
    Ticks("ticks", lead_s=60).run(second)
    assert second.records[0]["created_at"] >= NOW - 5_000
    ids = {record["id"]: record for record in first.records}
    assert all(ids[record["id"]] == record for record in second.records)


@pytest.fixture(scope="module")
def departures() -> list[Any]:
    """Ten minutes of the flights demo."""
    intake = Collector(rounds=5)
    FlightsReplay().run(intake)
    return intake.records


def test_every_recorded_flight_event_is_valid(departures: list[Any]) -> None:
    assert len(departures) > 100
    validator = Validator(flights.Flights.declaration)
    for record in departures:
        validator.event(record, NOW + 60_000)
    statuses = {record["status"] for record in departures}
    assert {"scheduled", "departed", "arrived"} <= statuses <= {"scheduled", "departed", "arrived", "cancelled"}
    assert len({record["id"] for record in departures}) == len(departures)


def test_a_departure_has_its_delay_and_whether_it_was_on_time(departures: list[Any]) -> None:
    departed = [record for record in departures if record["status"] == "departed"]
    assert departed
    for record in departed:
        assert record["on_time"] is (record["delay_min"] < 15)
        assert record["leg"].startswith(record["flight"])


def test_the_whole_year_is_played_and_the_first_flight_as_the_data_tells_it() -> None:
    year = FlightsReplay()
    recording = year.recording()
    assert len(recording.offsets_ms) == 336_776 + 336_776 + 327_346  # scheduled; departed or cancelled; arrived
    assert all(one <= other for one, other in itertools.pairwise(recording.offsets_ms))
    first = [found for row in range(700) if (found := year.record(row))["leg"] == "UA1545/0101EWR"]
    told = [(found["status"], f"{at(found):%H:%M}", found.get("delay_min"), found.get("on_time")) for found in first]
    # Scheduled at 5:15, two minutes late; 227 minutes in the air; eleven minutes late at the gate.
    assert told[1:] == [("departed", "05:17", 2, True), ("arrived", "09:34", 11, None)]
    assert first[0]["destination_name"] == "George Bush Intercontinental"
    assert (first[0]["airline"], first[0]["distance_mi"]) == ("United Air Lines Inc.", 1_400)
    assert first[0]["status"] == "scheduled"
    assert first[0]["scheduled"] == "01-01 05:15"


def at(record: dict[str, Any]) -> datetime:
    """The recording's own time of an event."""
    return datetime.fromtimestamp(record["simulated_at"] / 1000, UTC)


def test_every_reading_of_this_machine_is_valid() -> None:
    intake = Collector(rounds=2)
    HostSource(every_s=0.01).run(intake)
    validator = Validator(host.Host.declaration)
    for record in intake.records:
        validator.event(record, NOW + 60_000)
    kinds = {record["kind"] for record in intake.records}
    assert {"core", "machine", "process"} <= kinds
    machine = next(record for record in intake.records if record["kind"] == "machine")
    assert 0 <= machine["memory_percent"] <= 100


def test_the_system_s_own_measurements_become_events(system: System) -> None:
    declarations = Declarations.read([operations])
    telemetry = Telemetry("web-1", "web", lambda: NOW)
    telemetry.observe("ingested_to_processed", 0.25, 4)
    telemetry.gauge("viewers", 3)
    system.broker.write_telemetry("web-1", telemetry.payload())
    system.drain()
    source = OperationsSource(every_s=0.01)
    source.observe(system.broker, Declarations(declarations.feeds | system.declarations.feeds, {}))
    system.post([{"order": "no price"}])
    telemetry.name_slow([{"viewer": "ab12", "principal": "open", "channels": 3, "rate_hz": 1.5, "for_s": 8.0}])
    system.broker.write_telemetry("web-1", telemetry.payload())
    intake = Collector(rounds=1, step_ms=0)
    source.run(intake)
    by_kind = {record["kind"]: record for record in intake.records}
    assert by_kind["stage"]["name"] == "ingested → processed"
    assert by_kind["stage"]["p50_ms"] == pytest.approx(250, rel=0.01)
    assert (by_kind["process"]["name"], by_kind["process"]["viewers"]) == ("web-1", 3)
    assert by_kind["feed"]["name"] == "orders"
    assert by_kind["rejection"]["reason"] == "missing_field"
    assert (by_kind["slow viewer"]["name"], by_kind["slow viewer"]["rate_hz"]) == ("ab12", 1.5)
    consumer = next(record for record in intake.records if record["name"] == "orders.0 processor")
    assert (consumer["worker"], consumer["behind"]) == ("worker-1", 0)
    assert consumer["lease_ms"] > 0
    validator = Validator(operations.Operations.declaration)
    for record in intake.records:
        validator.event(record, NOW + 60_000)


class Failing(Source):
    """Fails once, then gives an event."""

    title = "failing"

    def __init__(self) -> None:
        self.runs = 0

    def run(self, intake: Any) -> None:
        self.runs += 1
        if self.runs == 1:
            raise ConnectionError("401 Unauthorized")
        intake.accept([order(1)])
        intake.wait(30)


@pytest.fixture
def stop() -> Iterator[threading.Event]:
    event = threading.Event()
    yield event
    event.set()


def _with_source(feed: FeedSpec, source: Source) -> FeedSpec:
    return replace(feed, source=source)


def test_a_source_that_fails_is_told_and_run_again(system: System, stop: threading.Event) -> None:
    source, told = Failing(), []
    feed = _with_source(system.declarations.feeds["orders"], source)

    def intake_of(of: FeedSpec, until: threading.Event) -> FeedIntake:
        return FeedIntake(system.ingestion, of, until, system.clock)

    def tell(of: FeedSpec, text: str, cause: str) -> None:
        told.append((of.name, text))
        system.broker.source_error(Lane(of.name, 0), text, cause)

    runner = SourceRunner(system.broker, [feed], intake_of, tell, worker="worker-1")
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()

    def arrived() -> bool:
        system.drain()
        return bool(system.data("orders.everything")["rows"])

    wait_until(arrived, what="the event of the second run")
    assert told == [("orders", "ConnectionError: 401 Unauthorized")]
    assert system.broker.lane_progress([Lane("orders", 0)])[Lane("orders", 0)].error.endswith("401 Unauthorized")
    stop.set()
    thread.join(5)
    assert not thread.is_alive()


def test_a_source_waits_while_the_backlog_is_full_and_loses_nothing(
    system: System, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(caps, "BACKLOG_LIMIT_BYTES", 100)
    intake = FeedIntake(system.ingestion, system.declarations.feeds["orders"], stop, system.clock)
    sender = threading.Thread(target=lambda: [intake.accept([order(number)]) for number in range(4)])
    sender.start()
    wait_until(lambda: system.broker._redis.xlen("hw:{orders.0}:events") >= 1, what="the first event")

    def all_there() -> bool:
        system.drain()
        return len(system.data("orders.everything")["rows"]) == 4

    wait_until(all_there, what="every event, once there was room")
    sender.join(5)


def test_a_position_is_kept_once_its_records_are_accepted_and_not_before(
    system: System, stop: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    feed = system.declarations.feeds["orders"]
    intake = FeedIntake(system.ingestion, feed, stop, system.clock)
    assert intake.position() is None
    intake.accept([order(1)], position="behind 1")
    monkeypatch.setattr(caps, "BACKLOG_LIMIT_BYTES", 1)
    sender = threading.Thread(target=lambda: intake.accept([order(2)], position="behind 2"))
    sender.start()
    other = FeedIntake(system.ingestion, feed, threading.Event(), system.clock)
    assert other.position() == "behind 1"
    stop.set()  # the worker ends while the broker is full: what was not accepted is read again
    sender.join(5)
    assert not sender.is_alive()
    assert other.position() == "behind 1"
    elsewhere = _with_source(feed, Elsewhere())
    assert FeedIntake(system.ingestion, elsewhere, threading.Event(), system.clock).position() is None


class Elsewhere(Source):
    """Reads another place, in which no position of before means anything."""

    place = "another table"


@given(failures=st.integers(0, 10_000))
def test_a_source_is_run_again_ever_later_and_at_most_half_a_minute_later(failures: int) -> None:
    once = min(30.0, 2.0 ** min(failures, 10))
    assert once / 2 <= backoff_s(failures) <= once


class Leaking(Reached):
    """Fails with the secret in the text of an exception that nobody expected."""

    title = "leaking"
    address = "env:LEAKING"

    def run(self, intake: Any) -> None:
        raise KeyError(f"no such thing at {self.filled(self.address)}")


class Quoting(Source):
    """Tells what its database said of a value."""

    title = "quoting"

    def run(self, intake: Any) -> None:
        raise SourceTrouble('invalid input syntax for type numeric: "Ada Lovelace"')


def test_what_a_source_quotes_is_told_of_no_feed_with_personal_fields(
    system: System, stop: threading.Event, capsys: pytest.CaptureFixture[str]
) -> None:
    class People(Feed, name="people", key="badge", source=Quoting(), freshness=Freshness(1, 2, 3)):
        """Who came in."""

        badge = Text()
        name = Text(personal=True)

    told = list[str]()
    runner = SourceRunner(
        system.broker, [People.declaration],
        lambda of, until: FeedIntake(system.ingestion, of, until, system.clock),
        lambda _, text, cause: told.append(text), worker="worker-1",
    )  # fmt: skip
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    wait_until(lambda: told, what="its trouble")
    stop.set()
    thread.join(5)
    assert told[0] == "invalid input syntax for type numeric: (personal)"
    assert "Lovelace" not in capsys.readouterr().out


def test_a_secret_stands_in_no_log_line_and_in_no_traceback(
    system: System, stop: threading.Event, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setenv("LEAKING", "https://me:pa%20ss@example.com/?key=s3cret-key")
    feed, told = _with_source(system.declarations.feeds["orders"], Leaking()), list[str]()

    def intake_of(of: FeedSpec, until: threading.Event) -> FeedIntake:
        return FeedIntake(system.ingestion, of, until, system.clock)

    runner = SourceRunner(
        system.broker, [feed], intake_of, lambda _, text, cause: told.append(f"{cause} {text}"), worker="worker-1"
    )
    thread = threading.Thread(target=runner.run, args=(stop,))
    thread.start()
    wait_until(lambda: told, what="its trouble")
    stop.set()
    thread.join(5)
    assert told[0].startswith("source_error KeyError: 'no such thing at env:LEAKING")
    said = capsys.readouterr().out + caplog.text  # where it goes, another test of this process may have decided
    assert "Traceback" in said
    assert "s3cret" not in said + told[0]
    assert "pa%20ss" not in said + told[0]
