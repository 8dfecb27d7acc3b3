"""Course: thirty recorded days at full rate, read back in parts: nothing twice, nothing left out, gaps as gaps.

March 2013 in New York: the clocks change in the night to the tenth, and two epochs begin, one of them within a window.
"""

from __future__ import annotations

import datetime
import math
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import insert

from bench.rig.recorded import Event, deltas_of, keep, recorded_days
from headwater import History, Series, count, mean
from services.archive.batch import DeltaRow
from services.archive.course import read_course
from services.archive.keeping import DAY_MS, Keeper
from services.archive.reading import HOUR_MS
from services.database import Database
from services.database.tables import archive_gaps
from services.declare import ChannelRef, Declarations
from services.feeds.flights import DEPARTED, Flights

QUARTER_MS = 900_000
MINUTE_MS = 60_000


class ByQuarter(
    Series, feed=Flights, by=Flights.origin, window_s=900, span_s=7_200, history=History(days=40, hourly_days=400)
):  # fmt: skip
    """Departures of each quarter of an hour; the open one is restated with each event."""

    mean_delay = mean(Flights.delay_min, where=DEPARTED)
    departures = count(where=DEPARTED)


REF = ChannelRef(ByQuarter)
DECLARATIONS = Declarations({"flights": Flights.declaration}, {ByQuarter.name: ByQuarter})
SINCE = int(datetime.datetime(2013, 3, 1, 5, tzinfo=datetime.UTC).timestamp() * 1000)
UNTIL = SINCE + 30 * DAY_MS
SUMMER = int(datetime.datetime(2013, 3, 10, 7, tzinfo=datetime.UTC).timestamp() * 1000)
EPOCHS = (SINCE + 5 * DAY_MS + 12 * HOUR_MS, SINCE + 17 * DAY_MS + 15 * HOUR_MS + 400_000)


@pytest.fixture(scope="module")
def events() -> Sequence[Event]:
    return [event for event in recorded_days(datetime.date(2013, 3, 1), 31) if SINCE <= event["created_at"] < UNTIL]


@pytest.fixture(scope="module")
def deltas(events: Sequence[Event]) -> Sequence[DeltaRow]:
    found = list(deltas_of(REF, events, EPOCHS))
    assert len({delta.epoch for delta in found}) == 3
    return found


@pytest.fixture(scope="module")
def truth(events: Sequence[Event]) -> dict[str, dict[int, Any]]:
    """Each line of the channel, straight from the events."""
    delays: dict[tuple[str, int], list[float]] = defaultdict(list)
    for event in events:
        place = (event["origin"], event["created_at"] // QUARTER_MS * QUARTER_MS)
        delays[place] += [event["delay_min"]] if event["status"] == "departed" else []
    lines: dict[str, dict[int, Any]] = defaultdict(dict)
    for (origin, at), found in delays.items():
        lines[f"departures:{origin}"][at] = len(found)
        lines[f"mean_delay:{origin}"][at] = math.fsum(found) / len(found) if found else None
    return lines


def read(
    database: Database, points: int, *, since: int = SINCE, until: int = UNTIL, gap_ms: int | None = None,
    deltas_max: int = 60_000, full_since: int = 0, ref: ChannelRef = REF,
) -> tuple[dict[str, list[list[Any]]], list[Any]]:  # fmt: skip
    """All parts put together as a browser does: the newest first, each before the one that came."""
    lines: dict[str, list[list[Any]]] = defaultdict(list)
    parts = []
    while until > since:
        with database.reading() as connection:
            part = read_course(
                connection, ref, since, until, points, gap_ms=gap_ms, full_since=full_since, deltas_max=deltas_max
            )
        assert part.since < until
        points -= round(points * (until - part.since) / (until - since))
        until = part.since
        for name, line in part.points.items():
            lines[name] = [*line, *lines[name]]
        parts.append(part)
    return lines, parts


def test_thirty_recorded_days_come_back_in_parts_value_by_value(
    each_database: Database, deltas: Sequence[DeltaRow], truth: dict[str, dict[int, Any]]
) -> None:
    keep(each_database, REF, deltas)
    lines, parts = read(each_database, 10_000, deltas_max=7_000)
    assert len(parts) > 10
    assert {name: [[at, line[at]] for at in sorted(line)] for name, line in truth.items()} == lines
    assert {(part.epoch, part.seq, part.by) for part in parts} == {("epoch2", deltas[-1].seq, "row")}
    # a seam at every kind of edge: of a window, of the change of clocks, of an epoch, and within a window
    for seam in (SINCE + 3 * DAY_MS, SUMMER, *EPOCHS, SUMMER + 1):
        around = {"since": seam - 2 * HOUR_MS, "until": seam + 2 * HOUR_MS}
        older, _ = read(each_database, 5_000, **(around | {"until": seam}))
        newer, _ = read(each_database, 5_000, **(around | {"since": seam}))
        whole, _ = read(each_database, 5_000, **around)
        assert {name: older.get(name, []) + newer.get(name, []) for name in whole} == whole, seam
    # thinned to what a chart shows
    lines, _ = read(each_database, 1_000, gap_ms=HOUR_MS)
    for name, line in truth.items():
        known = {at: value for at, value in line.items() if value is not None}
        shown = {at: value for at, value in lines[name] if value is not None}
        assert shown.items() <= known.items()
        assert len(lines[name]) <= 1_500
        assert {min(known), max(known)} <= set(shown)
        assert {min(known.values()), max(known.values())} <= set(shown.values())


def test_long_intervals_are_read_from_the_hours_and_what_is_newer_from_the_rows(
    database: Database, deltas: Sequence[DeltaRow], truth: dict[str, dict[int, Any]]
) -> None:
    keep(database, REF, [delta for delta in deltas if delta.at < SINCE + 5 * DAY_MS])
    end = SINCE + 4 * DAY_MS + 6 * HOUR_MS
    keeper = Keeper(database, DECLARATIONS, lambda: end)
    while keeper.step([REF.lane]):
        pass
    lines, parts = read(database, 2_000, until=SINCE + 5 * DAY_MS)
    assert [part.by for part in parts] == ["row", "hour"]
    cut = parts[0].since
    assert cut == end - 6 * HOUR_MS % HOUR_MS - HOUR_MS
    for name, line in truth.items():
        newer = [[at, line[at]] for at in sorted(line) if cut <= at < SINCE + 5 * DAY_MS]
        assert [pair for pair in lines[name] if pair[0] >= cut] == newer
        by_hour = defaultdict(list)
        for at, value in line.items():
            if at < cut and value is not None:
                by_hour[at // HOUR_MS].append(value)
        shown = defaultdict(list)
        for at, value in lines[name]:
            if at < cut:
                shown[at // HOUR_MS].append(value)
        assert {hour: (min(found), max(found)) for hour, found in by_hour.items()} == {
            hour: (min(found), max(found)) for hour, found in shown.items()
        }
    short, parts = read(database, 2_000, until=SINCE + DAY_MS)
    assert [part.by for part in parts] == ["row"]
    gone, parts = read(database, 2_000, until=SINCE + DAY_MS, full_since=SINCE + DAY_MS // 2)
    assert [part.by for part in parts] == ["row", "hour"]
    assert gone["departures:EWR"][-10:] == short["departures:EWR"][-10:]


def test_what_is_known_to_be_missing_is_told_with_its_reason(database: Database, deltas: Sequence[DeltaRow]) -> None:
    lost = (SINCE + 7 * HOUR_MS, SINCE + 9 * HOUR_MS)
    kept = [delta for delta in deltas if delta.at < SINCE + DAY_MS and not lost[0] <= delta.at < lost[1]]
    keep(database, REF, kept)
    gap = {"feed": "flights", "since": lost[0], "until": lost[1], "events": 0, "recorded_at": UNTIL}
    with database.writing() as connection:
        connection.execute(
            insert(archive_gaps),
            [gap | {"channel": REF.name, "reason": "deltas_trimmed"}, gap | {"channel": "", "reason": "shed"}],
        )
    lines, (part,) = read(database, 2_000, until=SINCE + DAY_MS, gap_ms=HOUR_MS)
    told = [(one["since"], one["until"], one["reason"]) for one in part.gaps]
    assert told == [(*lost, "shed"), (*lost, "deltas_trimmed")]
    line = lines["departures:EWR"]
    (hole,) = [n for n, (at, value) in enumerate(line) if value is None and line[n - 1][0] >= lost[0] - HOUR_MS]
    assert line[hole - 1][0] < lost[0]
    assert line[hole + 1][0] >= lost[1] - QUARTER_MS


def test_a_channel_of_which_nothing_is_archived_is_empty(database: Database) -> None:
    assert read(database, 100)[0] == {}
