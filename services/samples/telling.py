"""Telling: a profile in plain lines."""

from __future__ import annotations

from collections.abc import Iterator

from services.samples.profiling import Profile
from services.samples.shape import FieldShape


def told(profile: Profile) -> Iterator[str]:
    """What was found, the sample as a whole first, then field by field."""
    refused = f", {profile.refused} of them no JSON objects" if profile.refused else ""
    yield f"records: {profile.records + profile.refused:,}{refused}"
    yield f"duplicates: {profile.duplicates:,} by {profile.id_path or 'all of a record, as there is no id'}"
    yield f"time: {_time(profile)}"
    yield f"refresh interval: {_seconds(profile.every_s)}"
    yield f"lateness: {_seconds(profile.lateness_s)} (99 in 100 arrive within)"
    behind = f", up to {profile.backwards_s:g} s behind" if profile.out_of_order else ""
    yield f"out of order: {profile.out_of_order:,}{behind}"
    yield f"peak: {profile.peak_per_s:,} a second"
    yield f"key: {profile.key_path or 'no field names what a record is about'}, {profile.keys:,} of them"
    for one in profile.fields:
        yield f"  {one.path}: {_field(one, profile.records)}"


def _seconds(value: float | None) -> str:
    return "cannot be told from this sample" if value is None else f"{value:,.3g} s"


def _time(profile: Profile) -> str:
    if profile.time_path is None:
        return "no field is a time; an event's time is that of its arrival"
    if profile.time_path == "created_at":
        return "created_at"
    return f"{profile.time_path}; the draft reads created_at from it"


def _field(one: FieldShape, records: int) -> str:
    parts: list[str] = [one.usual]
    missing = records - one.present - one.nulls
    if missing:
        parts.append(f"missing {missing:,}")
    if one.nulls:
        parts.append(f"null {one.nulls:,}")
    if one.odd_count:
        parts.append(f"odd {one.odd_count:,} ({', '.join(one.odd)})")
    if one.usual in ("number", "integer") and one.least <= one.most:
        parts.append(f"{one.least:g} to {one.most:g}")
    if one.usual == "text":
        parts.append(f"{len(one.distinct):,} different, up to {one.longest} characters")
    if one.usual == "nested":
        parts.append("a list or an object: a field holds a single value")
    return ", ".join(parts)
