"""Minutes and objectives for tests of budgets and alerts: by hand, so that every figure can be checked by hand."""

from __future__ import annotations

from typing import Any

from services.contract.alerting import DEFAULT_BURN, Alerting, BurnRule
from services.contract.document import Objective
from services.measurement.minutes import MINUTE_MS, Minute

START = 1_700_000_040_000 // MINUTE_MS * MINUTE_MS
"""14 November 2023, 22:14 UTC."""


def objective(**changed: Any) -> Objective:
    """95 % of events painted within two seconds."""
    usual: dict[str, Any] = {
        "name": "flights-painted", "kind": "latency", "channel": "flights.board", "share": 0.95, "limit": 2.0,
        "window_days": 30, "point": "browser", "owner": "provider", "breach": "", "exception": "", "degraded": "",
        "binding": True, "line": 1,
    }  # fmt: skip
    return Objective(**{**usual, **changed})


def minute(number: int, bad: float = 0.0, total: float = 100.0, **more: Any) -> Minute:
    """The minute of that number since START, with `bad` of its `total`."""
    return Minute(START + number * MINUTE_MS, total - bad, total, **more)


def lost(number: int) -> Minute:
    """A minute without data."""
    return Minute(START + number * MINUTE_MS, 0.0, 1.0, no_data=True)


def alerting(burn: tuple[BurnRule, ...] = DEFAULT_BURN, **changed: Any) -> Alerting:
    """The default rules, without a sink."""
    usual: dict[str, Any] = {
        "burn": burn, "threshold": (), "minimum_events": 10, "no_data_after_s": 300, "repeat_after_s": 3_600,
        "sinks": (), "dead_man": None,
    }  # fmt: skip
    return Alerting(**{**usual, **changed})
