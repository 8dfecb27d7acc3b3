"""Oracle: what the channels of `tests/feeds.py` must show for a set of events, written without the reducers.

It takes all accepted events at once, sorts and sums in the plainest way, and imports nothing of `services`.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Any

Event = dict[str, Any]


def _order_key(event: Event) -> tuple[int, str]:
    return event["created_at"], event["id"]


def _row(event: Event) -> Event:
    return {name: value for name, value in event.items() if name not in ("id", "ingested_at")}


def latest(events: Iterable[Event], key: str = "order", rows_max: int = 5_000, evict_ms: int | None = None) -> Any:
    """Rows of a latest channel."""
    newest: dict[str, Event] = {}
    for event in sorted(events, key=_order_key):
        newest[event[key]] = event
    kept = sorted(newest.values(), key=_order_key)[-rows_max:]
    if evict_ms is not None and kept:
        kept = [event for event in kept if event["created_at"] >= kept[-1]["created_at"] - evict_ms]
    return {"rows": {event[key]: _row(event) for event in kept}}


def log(events: Iterable[Event], entries_max: int) -> Any:
    """Entries of a log channel."""
    kept = sorted(events, key=_order_key)[-entries_max:]
    return {"entries": [{"id": event["id"], **_row(event)} for event in kept]}


def prices(events: Sequence[Event], span_ms: int = 60_000, points_max: int = 2_000) -> Any:
    """Points of the `Prices` series."""
    points: dict[str, dict[int, Any]] = {}
    for event in sorted(events, key=_order_key):
        points.setdefault(f"price:{event['shop']}", {})[event["created_at"]] = event["price"]
    return _within(points, span_ms, points_max)


def turnover(events: Sequence[Event], window_ms: int = 5_000, windows: int = 2, span_ms: int = 60_000) -> Any:
    """Points of the `Turnover` series: sums over two windows, for each window up to the newest."""
    newest = max(event["created_at"] for event in events) // window_ms
    points: dict[str, dict[int, Any]] = {}
    for shop in {event["shop"] for event in events}:
        mine = [event for event in events if event["shop"] == shop]
        first = min(event["created_at"] for event in mine) // window_ms
        for number in range(first, newest + 1):
            held = [e for e in mine if number - windows < e["created_at"] // window_ms <= number]
            if held:
                at = number * window_ms
                points.setdefault(f"turnover:{shop}", {})[at] = math.fsum(e["price"] for e in held)
                points.setdefault(f"orders:{shop}", {})[at] = len(held)
    return _within(points, span_ms)


def _within(points: dict[str, dict[int, Any]], span_ms: int, points_max: int = 2_000) -> Any:
    newest = max((at for series in points.values() for at in series), default=0)
    kept = {
        name: [[at, value] for at, value in sorted(series.items()) if at >= newest - span_ms][-points_max:]
        for name, series in points.items()
    }
    return {"points": {name: series for name, series in kept.items() if series}}


def by_shop(events: Sequence[Event], window_ms: int = 10_000, windows: int = 3) -> dict[str, dict[str, Any]]:
    """The exact aggregates of the `ByShop` rows (the median is a sketch and left out)."""
    last = max(event["created_at"] for event in events) // window_ms
    rows: dict[str, dict[str, Any]] = {}
    for shop in {event["shop"] for event in events}:
        held = [e for e in events if e["shop"] == shop and last - windows < e["created_at"] // window_ms <= last]
        if not held:
            continue
        paid = [e["paid"] for e in held if e.get("paid") is not None]
        total = math.fsum(e["price"] for e in held)
        rows[shop] = {
            "shop": shop,
            "orders": len(held),
            "turnover": total,
            "mean_price": total / len(held),
            "least": min(e["price"] for e in held),
            "most": max(e["price"] for e in held),
            "paid_share": sum(paid) / len(paid) if paid else None,
            "last_price": max(held, key=_order_key)["price"],
            "created_at": max(e["created_at"] for e in held),
        }
    return rows
