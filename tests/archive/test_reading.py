"""Reading: what was is given back as it was, gaps with it; old hours as roll-ups; what is too old goes."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import func, select

from headwater import Feed, Freshness, History, Http, Latest, Log, Number, Series, Text, count, sum_, value
from services.archive.archiver import Archiver
from services.archive.course import read_course
from services.archive.frames import read_frame
from services.archive.keeping import Keeper
from services.archive.reading import HOUR_MS, channel_past, feed_past, hours_past, slices
from services.archive.stretches import stretches
from services.database import Database
from services.database.tables import archive_deltas, archive_events, archive_hours
from services.declare import ChannelRef, Declarations, Lane
from tests.system import START_MS, System

LANE = Lane("sales", 0)
DAY_MS = 86_400_000
HOUR = START_MS - START_MS % HOUR_MS


class Sales(
    Feed,
    name="sales",
    key="order",
    source=Http(),
    lateness_s=60,
    freshness=Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10),
    history=History(days=2, hourly_days=30),
):
    """Sales that are kept."""

    order = Text()
    shop = Text()
    price = Number()


class Rows(Latest, feed=Sales, evict_after_s=3600):
    """Each order."""


class Prices(Series, feed=Sales, by=Sales.shop, span_s=600):
    """Every price."""

    price = value(Sales.price)


class Turnover(Series, feed=Sales, window_s=60, span_s=1200):
    """Turnover by the minute; the open minute is restated."""

    turnover = sum_(Sales.price)
    sales = count()


class Dear(Log, feed=Sales, where=Sales.price.at_least(100)):
    """Dear sales."""


class Shops(Latest, feed=Sales, partition=Sales.shop):
    """Each shop's own orders."""


class Fleeting(Latest, feed=Sales, history=History(days=0)):
    """Not kept."""


def module() -> Any:
    """The feeds above as the module of a feed file."""
    import sys

    return sys.modules[__name__]


@pytest.fixture
def system(broker_url: str) -> Iterator[System]:
    made = System(broker_url, module())
    made.now_ms = HOUR
    made.drain()
    yield made
    made.close()


def sale(number: int, at: int, *, shop: str = "north", price: float = 10.0) -> dict[str, Any]:
    return {"id": f"s{number}", "created_at": at, "order": f"o{number}", "shop": shop, "price": price}


def archive(system: System, database: Database) -> None:
    Archiver(
        system.broker, database, system.declarations, system.telemetry, worker="archiver", clock=system.clock
    ).drain()


def sell(system: System, database: Database, *sales: dict[str, Any]) -> None:
    """Post each at its own time, process and archive it."""
    for one in sales:
        system.now_ms = max(system.now_ms, one["created_at"])
        system.post([one], "sales")
        system.drain()
    system.broker._redis.delete("hw:{sales.0}:archive:lease")
    archive(system, database)


def past(database: Database, channel: Any, since: int, until: int, rows_max: int | None = 50_000) -> Any:
    with database.reading() as connection:
        return channel_past(connection, ChannelRef(channel), since, until, rows_max)


def keep(system: System, database: Database, keeper: Keeper | None = None) -> None:
    keeper = keeper or Keeper(database, system.declarations, system.clock)
    while keeper.step([LANE]):
        pass


def test_points_that_a_processor_committed_hours_after_their_time_are_among_them(
    system: System, each_database: Database
) -> None:
    sell(system, each_database, sale(1, HOUR + 1_000, price=1.0))
    for number in range(2, 300):  # accepted while nobody processed
        system.now_ms = HOUR + number * 1_000
        system.post([sale(number, system.now_ms, price=float(number))], "sales")
    system.now_ms = HOUR + 3 * HOUR_MS
    system.drain()
    system.broker._redis.delete("hw:{sales.0}:archive:lease")
    archive(system, each_database)
    sell(system, each_database, sale(300, system.now_ms, price=300.0))
    prices = [row["value"] for row in past(each_database, Prices, HOUR, HOUR + HOUR_MS).rows]
    assert prices == [float(number) for number in range(1, 300)]


def test_the_points_of_a_backlog_that_a_channel_begins_with_are_in_its_history_its_chart_its_file_and_its_hours(
    system: System, each_database: Database
) -> None:
    begin = HOUR + HOUR_MS // 2
    for number in range(4):  # half an hour apart, and nobody has ever processed
        system.now_ms = begin + number * HOUR_MS // 2
        system.post([sale(number, system.now_ms, price=float(number))], "sales")
    system.now_ms = HOUR + 5 * HOUR_MS
    system.drain()
    archive(system, each_database)
    expected = [(begin + number * HOUR_MS // 2, float(number)) for number in range(4)]
    assert points(past(each_database, Prices, HOUR, system.now_ms).rows) == expected
    with each_database.reading() as connection:
        pieces = [one.rows for one in stretches(connection, ChannelRef(Prices), HOUR, system.now_ms)]
        course = read_course(
            connection, ChannelRef(Prices), HOUR, HOUR + 3 * HOUR_MS, 500, gap_ms=None, full_since=HOUR
        )
    assert points([row for rows in pieces for row in rows]) == expected
    assert [(at, price) for at, price in course.points["price:north"]] == expected
    keep(system, each_database)
    assert [(row["at"], row["count"]) for row in hours(each_database, Prices)] == [
        (HOUR, 1),
        (HOUR + HOUR_MS, 2),
        (HOUR + 2 * HOUR_MS, 1),
    ]


def test_an_event_that_names_a_time_of_long_ago_does_not_make_its_history_long(
    system: System, database: Database
) -> None:
    sell(system, database, sale(1, 1_000, price=1.0), sale(2, HOUR + 1_000, price=2.0))
    with database.reading() as connection:
        asked = len(list(slices(connection, ChannelRef(Prices), 0, HOUR + HOUR_MS, HOUR_MS)))
    assert asked < 24 * 8
    assert points(past(database, Prices, 0, HOUR + HOUR_MS).rows) == [(HOUR + 1_000, 2.0)]


def points(rows: Any) -> list[tuple[int, float]]:
    """The points of rows of prices."""
    return [(row["at"], row["value"]) for row in rows]


def test_a_point_is_where_its_time_is_also_where_the_worker_s_clock_is_behind(
    system: System, each_database: Database
) -> None:
    edge = HOUR + HOUR_MS  # where one slice ends and the next begins
    for number, at in enumerate((HOUR, edge + 5, edge + 9)):
        system.now_ms = at
        system.post([sale(number, at, price=float(number))], "sales")
        system.now_ms = at - 20
        system.drain()
    archive(system, each_database)
    found = past(each_database, Prices, HOUR, edge + HOUR_MS).rows
    assert points(found) == [(HOUR, 0.0), (edge + 5, 1.0), (edge + 9, 2.0)]


def test_a_latest_channel_gives_its_changes_in_order(system: System, each_database: Database) -> None:
    first, second = sale(1, HOUR + 1_000), sale(1, HOUR + 5_000, price=12.5) | {"id": "s1b"}
    sell(system, each_database, first, sale(2, HOUR + 2_000), second)
    found = past(each_database, Rows, HOUR, HOUR + HOUR_MS)
    assert [(row["at"], row["key"], row["price"]) for row in found.rows] == [
        (HOUR + 1_000, "o1", 10.0),
        (HOUR + 2_000, "o2", 10.0),
        (HOUR + 5_000, "o1", 12.5),
    ]
    assert (found.gaps, found.complete_until) == ([], HOUR + HOUR_MS)
    assert past(each_database, Rows, HOUR + 2_000, HOUR + 5_000).rows == found.rows[1:2]


def test_a_row_that_left_is_told(system: System, database: Database) -> None:
    sell(system, database, sale(1, HOUR), sale(2, HOUR + HOUR_MS + 1_000))
    rows = past(database, Rows, HOUR + 1, HOUR + DAY_MS).rows
    assert {(row["key"], row.get("deleted", False)) for row in rows} == {("o1", True), ("o2", False)}


def test_a_series_gives_each_point_once_with_its_last_value(system: System, each_database: Database) -> None:
    sell(
        system,
        each_database,
        sale(1, HOUR + 1_000),
        sale(2, HOUR + 2_000, price=5),
        sale(3, HOUR + 61_000, shop="south"),
        sale(4, HOUR + 3_000, price=7),  # late
    )
    turnover = past(each_database, Turnover, HOUR, HOUR + HOUR_MS).rows
    assert [(row["at"] - HOUR, row["name"], row["value"]) for row in turnover] == [
        (0, "sales", 3),
        (0, "turnover", 22),
        (60_000, "sales", 1),
        (60_000, "turnover", 10),
    ]
    prices = past(each_database, Prices, HOUR, HOUR + 60_000).rows
    assert [(row["name"], row["value"]) for row in prices] == [
        ("price:north", 10),
        ("price:north", 5),
        ("price:north", 7),
    ]


def test_a_log_gives_its_entries(system: System, database: Database) -> None:
    sell(system, database, sale(1, HOUR + 1_000, price=150), sale(2, HOUR + 2_000), sale(3, HOUR + 3_000, price=200))
    assert [row["order"] for row in past(database, Dear, HOUR, HOUR + HOUR_MS).rows] == ["o1", "o3"]


def test_each_partition_has_its_own_history(system: System, each_database: Database) -> None:
    sell(system, each_database, sale(1, HOUR + 1_000), sale(2, HOUR + 2_000, shop="south"), sale(3, HOUR + 3_000))
    with each_database.reading() as connection:
        found = {
            shop: [row["key"] for row in channel_past(connection, Shops.part(shop), HOUR, HOUR + HOUR_MS).rows]
            for shop in ("north", "south", "west")
        }
    assert found == {"north": ["o1", "o3"], "south": ["o2"], "west": []}


def test_a_channel_that_keeps_no_history_has_none(system: System, database: Database) -> None:
    sell(system, database, sale(1, HOUR + 1_000))
    assert past(database, Fleeting, 0, HOUR + DAY_MS).rows == []


def test_many_rows_come_in_parts_that_leave_nothing_out(system: System, each_database: Database) -> None:
    sell(system, each_database, *(sale(n, HOUR + n // 3) for n in range(20)))
    for channel in (Rows, Prices):
        since, rows = HOUR, []
        while since < HOUR + HOUR_MS:
            part = past(each_database, channel, since, HOUR + HOUR_MS, 4)
            assert part.complete_until > since
            rows, since = [*rows, *part.rows], part.complete_until
        assert rows == past(each_database, channel, HOUR, HOUR + HOUR_MS).rows
        assert len(rows) == (20 if channel is Rows else 7)


def test_more_rows_of_one_moment_than_fit_come_all_at_once(system: System, database: Database) -> None:
    sell(system, database, *(sale(n, HOUR) for n in range(9)))
    with database.reading() as connection:
        part = feed_past(connection, Sales.declaration, HOUR, HOUR + HOUR_MS, 4)
    assert (len(part.rows), part.complete_until) == (9, HOUR + 1)


def test_a_finished_hour_is_rolled_up_once_and_stays_as_it_is(system: System, each_database: Database) -> None:
    sell(system, each_database, *(sale(n, HOUR + n * 1_000, price=n + 0.1) for n in range(1, 5)))
    system.now_ms = HOUR + HOUR_MS + 60_000
    keep(system, each_database)
    assert hours(each_database, Rows) == []  # something of it could still change
    system.now_ms = HOUR + HOUR_MS + 10 * 60_000
    keep(system, each_database)
    north = [row for row in hours(each_database, Prices) if row["name"] == "north"]
    expected = {
        "at": HOUR,
        "name": "north",
        "field": "price",
        "count": 4,
        "min": 1.1,
        "max": 4.1,
        "mean": 2.6,
        "last": 4.1,
    }
    assert north == [expected]
    assert [row["name"] for row in hours(each_database, Rows)] == ["o1", "o2", "o3", "o4"]
    with each_database.writing() as connection:
        connection.execute(archive_hours.update().values(last=99))
    keep(system, each_database)
    assert {row["last"] for row in hours(each_database, Prices)} == {99}


def hours(database: Database, channel: Any) -> Any:
    with database.reading() as connection:
        return hours_past(connection, ChannelRef(channel), 0, HOUR + 99 * DAY_MS).rows


def test_what_is_older_than_declared_goes_and_its_hours_stay(system: System, each_database: Database) -> None:
    sell(system, each_database, sale(1, HOUR + 1_000), sale(2, HOUR + DAY_MS + 1_000))
    system.now_ms = HOUR + 2 * DAY_MS + 30_000
    keep(system, each_database)
    with each_database.reading() as connection:
        # An event goes by when it was accepted, by the broker's own clock, which the test does not move.
        assert connection.execute(select(func.count()).select_from(archive_events)).scalar_one() == 2
        times = connection.execute(select(archive_deltas.c.at).where(archive_deltas.c.channel == "sales.prices"))
        # the first stays: a replay of what is kept begins with what it left on the page
        assert list(times.scalars()) == [HOUR + 1_000, HOUR + DAY_MS + 1_000]
    system.now_ms = HOUR + 3 * DAY_MS + 30_000
    keep(system, each_database)
    with each_database.reading() as connection:
        times = connection.execute(select(archive_deltas.c.at).where(archive_deltas.c.channel == "sales.prices"))
        assert list(times.scalars()) == [HOUR + DAY_MS + 1_000]
    assert [row["at"] for row in hours(each_database, Prices)] == [HOUR, HOUR + DAY_MS]
    system.now_ms = HOUR + 31 * DAY_MS
    keep(system, each_database)
    assert HOUR not in [row["at"] for row in hours(each_database, Prices)]


def test_events_go_by_the_time_at_which_they_were_accepted(system: System, each_database: Database) -> None:
    sell(system, each_database, *(sale(n, HOUR + n) for n in range(5)))
    with each_database.reading() as connection:
        accepted_at: int = connection.execute(select(func.max(archive_events.c.entry_at))).scalar_one()
    system.now_ms = accepted_at + 2 * DAY_MS + 1
    keep(system, each_database)
    with each_database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(archive_events)).scalar_one() == 0


def test_a_frame_of_a_feed_has_typed_columns_in_utc(system: System, each_database: Database) -> None:
    sell(system, each_database, sale(1, HOUR + 1_000, price=1.5), sale(2, HOUR + 2_000))
    declarations = Declarations.read((module(),))
    frame = read_frame(each_database, declarations, "sales", HOUR, HOUR + HOUR_MS)
    assert list(frame["id"]) == ["s1", "s2"]
    assert frame["price"].sum() == 11.5
    assert {name: str(frame[name].dtype) for name in ("order", "price")} == {"order": "string", "price": "float64"}
    assert frame["created_at"].iloc[0] == datetime.datetime.fromtimestamp(HOUR / 1000 + 1, datetime.UTC)
    assert frame.attrs["gaps"] == []


def test_a_frame_of_a_channel_takes_times_in_any_clear_form(system: System, database: Database) -> None:
    sell(system, database, sale(1, HOUR + 1_000), sale(2, HOUR + 2_000))
    declarations = Declarations.read((module(),))
    begin = datetime.datetime.fromtimestamp(HOUR / 1000, datetime.UTC)
    whole = read_frame(database, declarations, "sales.rows", HOUR, HOUR + HOUR_MS)
    assert read_frame(database, declarations, "sales.rows", begin, begin + datetime.timedelta(hours=1)).equals(whole)
    assert read_frame(database, declarations, "sales.rows", begin.isoformat(), HOUR + HOUR_MS).equals(whole)
    assert list(whole["key"]) == ["o1", "o2"]
    with pytest.raises(ValueError, match="no time zone"):
        read_frame(database, declarations, "sales.rows", "2026-01-01T00:00:00", HOUR)
    with pytest.raises(KeyError, match="no feed or channel 'sails'; there are"):
        read_frame(database, declarations, "sails", 0, 1)


def test_a_frame_of_an_empty_interval_has_the_declared_columns(system: System, database: Database) -> None:
    frame = read_frame(database, Declarations.read((module(),)), "sales", 0, 1)
    assert {"at", "order", "shop", "price"} <= set(frame.columns)
    assert frame.empty
