"""Moments: local times of a zone as milliseconds since the Unix epoch, and back, through every change of the clock.

A local time that the clock jumps over is the moment of the jump. One that comes twice is its first moment, or its
second where `last` asks for it: what opens, opens at the first; what closes, closes at the second.
"""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

MINUTE_MS = 60_000


def moment(zone: ZoneInfo, local: datetime, *, last: bool = False) -> int:
    """When the zone's clock shows that time; `local` carries no zone."""
    first, second = (local.replace(tzinfo=zone, fold=fold).timestamp() for fold in (0, 1))
    if second < first:  # the clock jumped over it: both readings are beside the jump
        return _jump(zone, second, first)
    return round(1000 * (second if last else first))


def _jump(zone: ZoneInfo, before: float, after: float) -> int:
    """The moment between the two at which the zone's offset changes, to the second."""
    low, high = int(before), int(after)
    old = _offset(zone, low)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if _offset(zone, middle) == old else (low, middle)
    return 1000 * high


def _offset(zone: ZoneInfo, seconds: int) -> timedelta | None:
    return datetime.fromtimestamp(seconds, zone).utcoffset()


def day_begins(zone: ZoneInfo, day: date) -> int:
    """The first moment of that day."""
    return moment(zone, datetime.combine(day, time(0)))


def local_time(zone: ZoneInfo, at: int) -> datetime:
    """What the zone's clock shows at that moment."""
    return datetime.fromtimestamp(at / 1000, UTC).astimezone(zone)


def local_day(zone: ZoneInfo, at: int) -> date:
    """The day that it is in the zone at that moment."""
    return local_time(zone, at).date()


def shown(zone: ZoneInfo, at: int) -> str:
    """`2026-06-01 22:00 CEST`, as reports and commands show a moment."""
    return f"{local_time(zone, at):%Y-%m-%d %H:%M %Z}"
