"""Reached: how much of the contract's envelope was really seen, by the minutes that were measured."""

from __future__ import annotations

from collections.abc import Iterable

from services.measurement.raw import RawMinute


def reached(raw: Iterable[RawMinute]) -> dict[str, float]:
    """`events_per_s`: of the fullest minute, all feeds of the client together; nothing where nothing was measured."""
    fullest = max((one.counted("created_to_ingested", None) for one in raw), default=0)
    return {"events_per_s": fullest / 60} if fullest else {}
