"""Wording: figures, spans and moments as alerts say them."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol
from zoneinfo import ZoneInfo


class Moment(Protocol):
    """Whatever knows when it is, and in whose zone."""

    @property
    def at(self) -> int: ...

    @property
    def zone(self) -> ZoneInfo: ...


def local(at: int, zone: ZoneInfo) -> datetime:
    """Milliseconds since the Unix epoch on the clock of that zone."""
    return datetime.fromtimestamp(at / 1_000, zone)


def moment(at: int, now: Moment) -> str:
    """`14:03` of today, with the day before it otherwise."""
    then = local(at, now.zone)
    same_day = then.date() == local(now.at, now.zone).date()
    return then.strftime("%H:%M" if same_day else "%Y-%m-%d %H:%M")


def span(seconds: float) -> str:
    """A time span in its largest whole unit: 5400 is `90 min`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s"


def seconds(milliseconds: float) -> str:
    """A delay: `3.1 s`, in minutes from two of them on."""
    value = milliseconds / 1_000
    return f"{value:.1f} s" if value < 120 else f"{value / 60:.0f} min"


def figure(value: float) -> str:
    """A number as one reads it: 500, 12,400, 0.25."""
    return f"{value:,.0f}" if value == int(value) else f"{value:,.10g}"


def per_cent(share: float) -> str:
    """A share to three digits: `3.1 %`, `0.36 %`."""
    return f"{100 * share:.3g} %"


def counted(number: int, one: str, many: str) -> str:
    """`1 viewer`, `42 viewers`."""
    return f"{number:,} {one if number == 1 else many}"
