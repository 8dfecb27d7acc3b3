"""Words: how figures, spans and moments are written; the same in HTML, PDF, on pages and on the status page."""

from __future__ import annotations

import math
from datetime import datetime
from zoneinfo import ZoneInfo

from services.contract.document import Kind, Objective
from services.contract.moments import local_time

NOT_COUNTED = "nothing counted"
NBSP = "\u00a0"
"""Between a figure and its unit, which no line may part."""

UNITS: dict[Kind, str] = {
    "latency": "events",
    "update_interval": "updates",
    "freshness": "view-seconds",
    "availability": "probes",
    "interaction": "interactions",
    "reconnect": "reconnects",
    "backlog": "seconds",
    "first_value": "first values",
}
"""What each kind of objective counts."""

KINDS: dict[Kind, str] = {
    "latency": "Latency",
    "update_interval": "Update interval",
    "freshness": "Freshness",
    "availability": "Availability",
    "interaction": "Interaction",
    "reconnect": "Reconnect",
    "backlog": "Backlog",
    "first_value": "First value",
}


def title(objective: Objective) -> str:
    """The objective's name as a heading: `board-latency` is Board latency."""
    return objective.name.replace("-", " ").replace("_", " ").capitalize()


def percent(share: float | None, decimals: int = 3) -> str:
    """A share, cut and not rounded, so that 94.9996 % is never shown as 95 %."""
    if share is None:
        return NOT_COUNTED
    scale = 10**decimals
    cut = math.floor(share * 100 * scale + 1e-6) / scale
    return f"{minus(f'{cut:.{decimals}f}')}{NBSP}%"


def target(objective: Objective) -> str:
    """A target as it was written: 95 %, 99.9 %."""
    return f"{round(objective.share * 100, 9):.9g}{NBSP}%"


def limit(objective: Objective) -> str:
    """The limit with its unit: 2 s, 500 events."""
    return f"{objective.limit:,.0f}{NBSP}events" if objective.kind == "backlog" else f"{objective.limit:g}{NBSP}s"


def amount(value: float, unit: str = "") -> str:
    """A count with thousands apart; decimals only where it has some."""
    text = f"{value:,.0f}" if abs(value - round(value)) < 0.05 else f"{value:,.1f}"
    return f"{minus(text)}{NBSP}{unit}" if unit else minus(text)


def span(milliseconds: float) -> str:
    """A length of time in its two largest units."""
    seconds = round(milliseconds / 1000)
    for size, unit, smaller, smaller_unit in (
        (86_400, "d", 3_600, "h"),
        (3_600, "h", 60, "min"),
        (60, "min", 1, "s"),
    ):
        if seconds >= size:
            rest = seconds % size // smaller
            return f"{seconds // size}{NBSP}{unit}" + (f" {rest}{NBSP}{smaller_unit}" if rest else "")
    return f"{seconds}{NBSP}s"


def minutes(count: float) -> str:
    """A number of minutes, in words that can be read at a glance."""
    return amount(count, "min")


def moment(at: int, zone: ZoneInfo) -> str:
    """A moment in the contract's zone; what has not come yet is a dash."""
    return f"{_local(at, zone):%a %d %b %Y, %H:%M}" if at else "–"


def day(at: int, zone: ZoneInfo) -> str:
    return f"{_local(at, zone):%a %d %b %Y}"


def clock(at: int, zone: ZoneInfo) -> str:
    return f"{_local(at, zone):%d %b, %H:%M:%S}" if at else "–"


def days_between(since: int, until: int, zone: ZoneInfo) -> str:
    """An interval by its first and last day."""
    return f"{day(since, zone)} – {day(until - 1, zone)}"


def minus(text: str) -> str:
    """A number's sign as a minus, not a hyphen."""
    return text.replace("-", "−")


def _local(at: int, zone: ZoneInfo) -> datetime:
    return local_time(zone, at)
