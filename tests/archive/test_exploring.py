"""Exploring: each aggregate of a feed's events, by group and by window, is what pandas makes of the same events."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

import orjson
import pandas as pd
import pytest
from sqlalchemy import insert

from app.explore.question import read_question
from app.loading import load_declarations
from bench.rig.recorded import Event, recorded_days
from services.archive.aggregating import FUNCTIONS, Aggregation, Function, TooMany
from services.archive.exploring import Answer, Interval, explore
from services.database import Database
from services.database.tables import archive_events, archive_gaps
from services.declare import Field
from services.feeds.flights import ARRIVED, DEPARTED, Flights
from services.feeds.host import Host

HOUR_MS, DAY_MS = 3_600_000, 86_400_000
FLIGHTS = Flights.declaration
SINCE = int(datetime.datetime(2013, 3, 8, 5, tzinfo=datetime.UTC).timestamp() * 1000)
DAYS = Interval.between(SINCE + 2 * HOUR_MS, SINCE + 3 * DAY_MS)
OF = {"count": None, "rate": None}
QUANTILE_WITHIN = 0.0051


@pytest.fixture(scope="module")
def events() -> Sequence[Event]:
    return [event for event in recorded_days(datetime.date(2013, 3, 8), 4) if event["created_at"] >= SINCE]


def keep(database: Database, feed: str, events: Sequence[Event]) -> None:
    """Put events into the archive's table as it writes them."""
    rows = [
        {
            "feed": feed, "lane": 0, "entry_at": event["created_at"], "entry_no": 0, "number": number,
            "id": event["id"], "created_at": event["created_at"], "ingested_at": event["created_at"],
            "body": orjson.dumps(event).decode(),
        }
        for number, event in enumerate(events)
    ]  # fmt: skip
    with database.writing() as connection:
        connection.execute(insert(archive_events), rows)


def ask(database: Database, asked: Aggregation, interval: Interval = DAYS, **more: Any) -> Answer:
    return explore(database.reading, asked, interval, more.pop("as_of", interval.until), **more)


def truth(events: Sequence[Event], asked: Aggregation, interval: Interval = DAYS) -> pd.DataFrame:
    """The events in question as a DataFrame: `value`, `group`, `window`."""
    frame = pd.DataFrame(list(events))
    frame = frame[(frame["created_at"] >= interval.since) & (frame["created_at"] < interval.until)]
    for condition in asked.conditions:
        frame = frame[frame[condition.field] == condition.value]
    frame["window"] = (frame["created_at"] - interval.since) // interval.step_ms
    frame["group"] = frame[asked.by.name].astype(object) if asked.by else None
    return frame.assign(value=None if asked.field is None else frame[asked.field.name].astype("float64"))


MADE: dict[Function, Callable[[pd.DataFrame, float, float], float]] = {
    "count": lambda part, q, seconds: len(part),
    "rate": lambda part, q, seconds: len(part) / seconds,
    "sum": lambda part, q, seconds: part["value"].sum(),
    "mean": lambda part, q, seconds: part["value"].mean(),
    "min": lambda part, q, seconds: part["value"].min(),
    "max": lambda part, q, seconds: part["value"].max(),
    "quantile": lambda part, q, seconds: part["value"].quantile(q, interpolation="lower"),
}


def within(asked: Aggregation) -> Any:
    """How exact the value is."""
    rel = QUANTILE_WITHIN if asked.function == "quantile" else 1e-9
    return lambda value: pytest.approx(value, rel=rel, abs=1e-9)


@pytest.mark.parametrize("by", [None, Flights.origin, Flights.on_time], ids=["together", "by a text", "by a flag"])
def test_each_aggregate_is_what_pandas_makes_of_the_same_events(
    each_database: Database, events: Sequence[Event], by: Field | None
) -> None:
    keep(each_database, "flights", events)
    for function in FUNCTIONS:
        agrees(each_database, events, function, by)


def agrees(database: Database, events: Sequence[Event], function: Function, by: Field | None) -> None:
    field = None if function in OF else Flights.delay_min
    asked = Aggregation(FLIGHTS, function, field, 0.9, by, (DEPARTED,))
    answer, frame, near = ask(database, asked), truth(events, asked), within(asked)
    assert len(frame) > 1_000
    assert sum(found.events for found in answer.groups.values()) == len(frame)
    names = {True: "yes", False: "no"}
    groups = frame["group"].map(lambda one: names.get(one, one)) if by else pd.Series([None] * len(frame), frame.index)
    assert {group or "" for group in answer.groups} == {group or "" for group in groups.unique()}
    for group in answer.groups:
        part = frame[groups == group] if by else frame
        whole_s = (DAYS.until - DAYS.since) / 1000
        assert answer.total(group) == near(MADE[function](part, 0.9, whole_s)), group
        line = dict(map(tuple, answer.line(group)))  # type: ignore[arg-type]
        windows = dict(list(part.groupby("window")))
        assert {DAYS.start(window) for window in windows} <= line.keys()
        for window in range((DAYS.until - DAYS.since) // DAYS.step_ms):
            found, start = windows.get(window), DAYS.start(window)
            if found is not None:
                assert line[start] == near(MADE[function](found, 0.9, DAYS.step_ms / 1000)), (group, window)
            elif function in ("count", "rate", "sum"):
                assert line[start] == 0, "nothing came, and nothing is missing"
            else:
                assert line.get(start) is None


def test_only_one_value_of_a_field_is_what_pandas_makes_of_those_events(
    each_database: Database, events: Sequence[Event]
) -> None:
    """A text, an integer and a flag, as an address names them."""
    keep(each_database, "flights", events)
    for where, is_ in (("origin", "EWR"), ("distance_mi", "1400"), ("on_time", "no")):
        address = {"of": "flights", "show": "mean", "field": "delay_min", "by": "carrier", "where": where, "is": is_}
        asked = read_question(address, load_declarations(), lambda action, name: True, DAYS.until).aggregation()
        answer, frame = ask(each_database, asked), truth(events, asked)
        assert len(frame) > 20
        means = frame.dropna(subset=["value"]).groupby("group")["value"].mean()
        assert {carrier: answer.total(carrier) for carrier in means.index} == {
            carrier: pytest.approx(mean) for carrier, mean in means.items()
        }
        assert {group: found.events for group, found in answer.groups.items()} == dict(frame.groupby("group").size())


def test_a_missing_value_a_flag_and_a_condition_that_is_joined_count_as_they_do_in_a_channel(
    each_database: Database, events: Sequence[Event]
) -> None:
    keep(each_database, "flights", events)
    frame = truth(events, Aggregation(FLIGHTS, "count"))
    share = ask(each_database, Aggregation(FLIGHTS, "mean", Flights.on_time)).total(None)
    assert share == pytest.approx(frame["on_time"].dropna().astype(float).mean())
    late = DEPARTED & Flights.delay_min.at_least(60) & Flights.carrier.one_of("UA", "DL")
    kept = frame[(frame["status"] == "departed") & (frame["delay_min"] >= 60) & frame["carrier"].isin(["UA", "DL"])]
    assert len(kept) > 5
    assert ask(each_database, Aggregation(FLIGHTS, "count", conditions=(late,))).total(None) == len(kept)
    fair = ARRIVED & Flights.delay_min.below(0) & Flights.delay_min.present()
    kept = frame[(frame["status"] == "arrived") & (frame["delay_min"] < 0)]
    assert ask(each_database, Aggregation(FLIGHTS, "count", conditions=(fair,))).total(None) == len(kept)
    by_flag = ask(each_database, Aggregation(FLIGHTS, "count", by=Flights.on_time))
    assert by_flag.groups[None].events == frame["on_time"].isna().sum() > 0


def test_an_open_window_says_so_and_its_rate_is_of_the_time_that_has_passed(
    database: Database, events: Sequence[Event]
) -> None:
    now = SINCE + DAY_MS + 1_000
    known = [event for event in events if event["created_at"] < now]
    keep(database, "flights", known)
    interval = Interval.last(6 * HOUR_MS, now)
    assert interval.since % interval.step_ms == 0
    answer = ask(database, Aggregation(FLIGHTS, "rate"), interval)
    begin, value = answer.line(None)[-1]
    assert answer.is_open
    assert begin is not None
    seconds = (now - begin) / 1000
    assert 1 <= seconds < interval.step_ms / 1000
    assert value == pytest.approx(sum(event["created_at"] >= begin for event in known) / seconds)
    assert not ask(database, Aggregation(FLIGHTS, "rate"), Interval.between(SINCE, SINCE + 6 * HOUR_MS)).is_open


def test_what_came_before_the_archive_began_what_was_lost_and_a_silence_are_gaps(database: Database) -> None:
    minutes = [*range(60, 120), *range(180, 240)]
    readings = [
        {"id": f"r{minute}", "created_at": SINCE + minute * 60_000 + second * 1_000, "name": "m", "kind": "machine"}
        for minute in minutes
        for second in range(0, 60, 5)
    ]
    keep(database, "host", readings)
    gap = {"feed": "host", "channel": "", "events": 7, "reason": "shed", "recorded_at": SINCE}
    lost = SINCE + 200 * 60_000
    with database.writing() as connection:
        connection.execute(insert(archive_gaps), [gap | {"since": lost, "until": lost + 1}])
    interval = Interval.between(SINCE, SINCE + 300 * 60_000)
    answer = ask(database, Aggregation(Host.declaration, "count"), interval, as_of=SINCE + 240 * 60_000)
    assert interval.step_ms == 120_000
    line = {int((begin or 0) - SINCE) // 120_000: value for begin, value in answer.line(None)}
    assert min(line) == 30, "from the first event that is kept"
    assert max(line) == 119, "up to when the archive has everything"
    assert [window for window, value in line.items() if value is None] == [60, 100]
    assert set(line) == {*range(30, 61), *range(90, 120)}
    mean = ask(database, Aggregation(Host.declaration, "count", by=Host.kind), interval)
    assert mean.line("machine")[-1][1] is None, "silent since then"
    quiet = replace(Host.declaration, freshness=FLIGHTS.freshness)
    answer = ask(database, Aggregation(quiet, "count"), interval, as_of=SINCE + 240 * 60_000)
    assert answer.longest_silence == (interval.start(60), interval.start(90)), "which is told all the same"
    assert {value for begin, value in answer.line(None)} == {24, 0, None}, "a feed that may be quiet has noughts"


def test_what_takes_too_long_ends_with_its_newest_part_and_says_how_far_it_came(
    database: Database, events: Sequence[Event]
) -> None:
    keep(database, "flights", events)
    ticks = count(0, 0.01)
    told: list[int] = []
    answer = ask(
        database, Aggregation(FLIGHTS, "count"), time_max_s=0.1, monotonic=lambda: next(ticks),
        note=lambda events, read_ms: told.append(read_ms),
    )  # fmt: skip
    assert DAYS.since < answer.reached < DAYS.until
    assert told == sorted(told)
    assert DAYS.until - told[-1] == answer.reached
    counted = {int(begin or 0): value for begin, value in answer.line(None)}
    assert min(counted) >= answer.reached, "no window that was read in part"
    for begin, value in counted.items():
        end = min(begin + DAYS.step_ms, DAYS.until)
        assert value == sum(begin <= event["created_at"] < end for event in events)


def test_whoever_gives_up_ends_the_work(database: Database, events: Sequence[Event]) -> None:
    keep(database, "flights", events)

    def give_up(events: int, read_ms: int) -> None:
        raise ConnectionAbortedError

    with pytest.raises(ConnectionAbortedError):
        ask(database, Aggregation(FLIGHTS, "count"), note=give_up)


def test_a_field_of_too_many_values_is_refused(database: Database, events: Sequence[Event]) -> None:
    keep(database, "flights", events)
    with pytest.raises(TooMany):
        ask(database, Aggregation(FLIGHTS, "count", by=Flights.leg))


def test_nothing_is_known_of_a_feed_without_events(database: Database) -> None:
    answer = ask(database, Aggregation(FLIGHTS, "mean", Flights.delay_min))
    assert (answer.groups, answer.line(None), answer.first) == ({}, [], None)
