"""Readings: events of 1,000 sensors as clients would send them, and what the channels must show after them."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from typing import Any

import orjson

from services.broker import Broker
from services.declare import Declarations
from services.state import Data, state_of

SENSORS, SITES, ALARM_EVERY = 1_000, 8, 500
EVENTS_PER_MS = 150


def readings(count: int, newest_ms: int) -> list[dict[str, Any]]:
    """So many, 150 a millisecond, the last of them created at `newest_ms`; an alarm each five hundred."""
    chance = random.Random(count)
    start = newest_ms - count // EVENTS_PER_MS
    return [
        {
            "id": f"r{number:09d}", "created_at": start + number // EVENTS_PER_MS,
            "sensor": f"sensor-{(sensor := chance.randrange(SENSORS)):04d}", "site": f"site-{sensor % SITES}",
            "value": round(chance.lognormvariate(3, 1), 2), "status": "in order" if number % ALARM_EVERY else "alarm",
        }
        for number in range(count)
    ]


def in_batches(events: Sequence[Any], size: int) -> Iterator[Sequence[Any]]:
    for first in range(0, len(events), size):
        yield events[first:first + size]


def check_channels(broker: Broker, declarations: Declarations, sent: Sequence[dict[str, Any]]) -> None:
    """Raises SystemExit where a channel does not show exactly what was sent, or its deltas have a gap."""
    found = {name: _state(broker, declarations, f"sensors.{name}") for name in ("newest", "last_minute", "by_site")}
    newest = {event["sensor"]: event["value"] for event in sorted(sent, key=lambda e: (e["created_at"], e["id"]))}
    rows = {sensor: row["value"] for sensor, row in found["newest"]["rows"].items()}
    minute = found["last_minute"]["rows"]["all"]["readings"]
    by_site = sum(n for name, points in found["by_site"]["points"].items() for _, n in points if "readings" in name)
    if rows != newest or minute != len(sent) or by_site != len(sent):
        raise SystemExit(f"bench: {len(sent)} events sent, the channels show {minute} and {by_site}")
    ref = declarations.resolve("sensors.last_minute")
    assert ref is not None
    deltas = broker.read_range(ref, 0)
    if [delta.seq for delta in deltas] != list(range(1, len(deltas) + 1)):
        raise SystemExit("bench: the deltas have a gap")
    if sum(delta.times.events for delta in deltas) != len(sent):
        raise SystemExit("bench: the deltas do not hold every event once")
    assert all(orjson.loads(delta.data)["set"] for delta in deltas)


def _state(broker: Broker, declarations: Declarations, name: str) -> Data:
    ref = declarations.resolve(name)
    assert ref is not None
    state = state_of(ref.channel.kind, ref.channel.keep)
    state.load(broker.read_channel(ref).cells)
    return state.data()
