"""`history`: how long the archive takes to answer a chart, over 1 day and 30 days of the recorded flights.

March 2013 in New York at the pace at which it happened: each event is one delta of a channel by quarters of an hour and
origin, written by the archive's own writer, the hours rolled up by its own keeper. Asked as a chart asks: part after
part, the newest first, 1,000 points a line; over the rows, and over the hours as far as they reach. SQLite in a file;
PostgreSQL as well where HEADWATER_BENCH_POSTGRES names an empty database.
"""

from __future__ import annotations

import argparse
import datetime
import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.figures import Figure, table
from bench.rig.recorded import deltas_of, keep, recorded_days
from headwater import History, Series, count, mean
from services.archive.course import read_course
from services.archive.keeping import DAY_MS, Keeper
from services.archive.reading import HOUR_MS
from services.database import Database, migrate
from services.declare import ChannelRef, Declarations
from services.feeds.flights import DEPARTED, Flights

DAYS, POINTS = 30, 1_000
POSTGRES = "HEADWATER_BENCH_POSTGRES"


class Quarters(
    Series, feed=Flights, by=Flights.origin, window_s=900, span_s=7_200, history=History(days=40, hourly_days=400)
):  # fmt: skip
    """Departures of each quarter of an hour; the open one is restated with each event."""

    mean_delay = mean(Flights.delay_min, where=DEPARTED)
    departures = count(where=DEPARTED)


REF = ChannelRef(Quarters)


def run(runs: int) -> list[Figure]:
    return [figure for name, address in _addresses().items() for figure in _measure(name, address, runs)]


def _measure(name: str, address: str, runs: int) -> Iterator[Figure]:
    """One day and all days from their rows; then all once more, from the hours that these are rolled up to."""
    with _kept(address) as (database, until, deltas):

        def figure(days: int, of: str) -> Figure:
            values = tuple(_read_ms(database, until - days * DAY_MS, until) for _ in range(runs))
            what = f"{days} day{'' if days == 1 else 's'} from {of}"
            return Figure("history of a chart", f"{name}, {what}", None, values, "ms", "less", f"{deltas:,} deltas")

        yield figure(1, "rows")
        yield figure(DAYS, "rows")
        _roll_up(database, until)
        yield figure(DAYS, "hours")


def _addresses() -> dict[str, str]:
    return {"SQLite": "", **({"PostgreSQL": os.environ[POSTGRES]} if os.environ.get(POSTGRES) else {})}


@contextmanager
def _kept(address: str) -> Iterator[tuple[Database, int, int]]:
    """A database that holds the days; their end, and how many deltas they are."""
    with tempfile.TemporaryDirectory(prefix="headwater-bench-") as folder:
        database = Database(address or f"sqlite:///{Path(folder) / 'headwater.db'}")
        migrate(database)
        events = recorded_days(datetime.date(2013, 3, 1), DAYS)
        deltas = keep(database, REF, deltas_of(REF, events))
        until = events[-1]["created_at"] + 1
        try:
            yield database, until, deltas
        finally:
            database.close()


def _roll_up(database: Database, until: int) -> None:
    declarations = Declarations({"flights": Flights.declaration}, {Quarters.name: Quarters})
    keeper = Keeper(database, declarations, lambda: until + HOUR_MS)
    while keeper.step([REF.lane]):
        pass


def _read_ms(database: Database, since: int, until: int) -> float:
    """Every part of the course, one after the other."""
    began, end, points, found = time.perf_counter(), until, POINTS, 0
    while end > since:
        with database.reading() as connection:
            part = read_course(connection, REF, since, end, points, gap_ms=HOUR_MS, full_since=0)
        points -= round(points * (end - part.since) / (end - since))
        end, found = part.since, found + sum(map(len, part.points.values()))
    if found < 6 * 20:
        raise SystemExit(f"history: only {found} points came back")
    return 1_000 * (time.perf_counter() - began)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    main()
