"""Upstream: what a source does, held against what the contract expects of it, as a record of the operations feed."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.contract.exclusions import Upstream
from services.declare import FeedSpec
from services.freshness import Progress
from services.supply import SPAN_S, Supply

AGREED, NOTHING_AGREED = "as expected", "nothing agreed"


def source_record(
    feed: FeedSpec, told: Progress, supply: Supply, upstream: Upstream | None, now: int
) -> dict[str, Any]:
    """One source over the last minute; `told` is of the feed's first lane, which keeps its source's life."""
    # a recording sets its stamps itself, some of them in the past
    late_s = None if feed.source.recorded else supply.lateness.quantile(0.95)
    measured = {
        "interval_s": SPAN_S / supply.deliveries if supply.deliveries else None,
        "lateness_p95_s": late_s,
        "duplicates_percent": supply.percent(supply.duplicates),
        "out_of_order_percent": supply.percent(supply.out_of_order),
        "rejected_percent": supply.percent(supply.rejected),
        "answered_s": (now - told.alive_at) / 1000 if told.alive_at else None,
    }
    skew_ms = -told.lag_ms
    return {
        "kind": "source",
        "name": feed.name,
        "source": feed.source.title[:200],
        "skew_ms": skew_ms,
        "expected": said(upstream),
        "verdict": verdict(upstream, {**measured, "skew_s": abs(skew_ms) / 1000}),
        **{name: round(value, 3) for name, value in measured.items() if value is not None},
    }


def verdict(upstream: Upstream | None, measured: dict[str, float | None]) -> str:
    """Which of the things that were agreed the source does not keep now."""
    if upstream is None:
        return NOTHING_AGREED
    over = [
        what for what, name, limit in _limits(upstream)
        if (value := measured.get(name)) is not None and value > limit
    ]  # fmt: skip
    return f"over: {', '.join(over)}" if over else AGREED


def said(upstream: Upstream | None) -> str:
    """What was agreed, in one line."""
    if upstream is None:
        return "–"
    units = {"duplicates": "%", "out of order": "%", "rejected": "%"}
    return ", ".join(f"{what} ≤ {limit:g} {units.get(what, 's')}" for what, _, limit in _limits(upstream))


def _limits(upstream: Upstream) -> Iterator[tuple[str, str, float]]:
    """What was agreed: its word, the measured figure's name, and the limit."""
    expects = upstream.expects
    agreed = (
        ("interval", "interval_s", expects.every_s),
        ("lateness", "lateness_p95_s", upstream.late_after_s),
        ("duplicates", "duplicates_percent", expects.duplicates_percent),
        ("out of order", "out_of_order_percent", expects.out_of_order_percent),
        ("rejected", "rejected_percent", expects.rejected_percent),
        ("skew", "skew_s", expects.skew_s),
    )
    for what, name, limit in agreed:
        if limit is not None:
            yield what, name, limit
