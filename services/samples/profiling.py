"""Profiling: records of a sample are taken in one by one; what they are like together is found at the end."""

from __future__ import annotations

import math
from array import array
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from services.samples.draft import FeedDraft, FieldDraft
from services.samples.shape import FieldShape, field_name, moment_of

IDS_MAX = 1_000_000
"""So many ids are remembered; a duplicate further apart is not found."""
_NESTING_MAX = 3
_ID_NAMES = ("id", "event_id", "uuid", "guid")
_TIME_NAMES = ("created_at", "timestamp", "time", "ts", "at", "datetime", "date", "updated_at")
_KEY_ENDINGS = ("key", "name", "symbol", "code", "no", "number", "id", "ref")


@dataclass(frozen=True, slots=True)
class Profile:
    """What was found. Times are in seconds, None where the sample could not tell.

    `every_s` is the refresh interval: the median time between two moments at which something was new; `lateness_s` the
    99th percentile of arrival less creation, of a live source; `backwards_s` how far an event's time lay behind one
    before it, at most; `peak_per_s` the fullest second.
    """

    records: int
    refused: int
    fields: tuple[FieldShape, ...]
    id_path: str | None
    duplicates: int
    time_path: str | None
    every_s: float | None
    lateness_s: float | None
    backwards_s: float
    out_of_order: int
    peak_per_s: float
    key_path: str | None
    keys: int


class Sample:
    """Takes records; `at_ms` is when they arrived, None for those of a file."""

    def __init__(self) -> None:
        self._fields: dict[str, FieldShape] = {}
        self._records = self._refused = self._duplicates = self._out_of_order = 0
        self._ids: set[int] = set()
        self._seconds: Counter[int] = Counter()
        self._news, self._late = array("q"), array("d")
        self._newest = -math.inf
        self._backwards = 0.0
        self._id_path: str | None = None
        self._time_path: str | None = None

    def take(self, records: Sequence[Any], at_ms: int | None = None) -> None:
        """Records of one delivery."""
        new = False
        for record in records:
            if isinstance(record, Mapping):
                new |= self._take(dict(_flat(record)), at_ms)
            else:
                self._refused += 1
        if at_ms is not None and new:
            self._news.append(at_ms)

    def _take(self, record: Mapping[str, Any], at_ms: int | None) -> bool:
        """One record; whether it was new."""
        if not self._records:
            self._id_path = _first_of(_ID_NAMES, record)
            self._time_path = next((n for n in _by_name(_TIME_NAMES, record) if moment_of(record[n])), None)
        self._records += 1
        for path, value in record.items():
            self._fields.setdefault(path, FieldShape(path)).take(value)
        known = self._is_known(record)
        self._duplicates += known
        created = None if self._time_path is None else moment_of(record.get(self._time_path))
        self._time(created, at_ms, known=known)
        return not known

    def _is_known(self, record: Mapping[str, Any]) -> bool:
        """Whether its id came before; without an id, whether all of it did."""
        told = record.get(self._id_path) if self._id_path else None
        mark = hash(repr(told if told is not None else sorted(record.items(), key=repr)))
        if mark in self._ids:
            return True
        if len(self._ids) < IDS_MAX:
            self._ids.add(mark)
        return False

    def _time(self, created: int | None, at_ms: int | None, *, known: bool) -> None:
        moment = created if created is not None else at_ms
        if moment is None or known:
            return
        self._seconds[(at_ms if at_ms is not None else moment) // 1000] += 1
        if created is None:
            return
        if at_ms is not None:
            self._late.append((at_ms - created) / 1000)
        else:
            self._news.append(created)
        if created < self._newest:
            self._out_of_order += 1
            self._backwards = max(self._backwards, (self._newest - created) / 1000)
        self._newest = max(self._newest, created)

    def profile(self) -> Profile:
        """All that was found."""
        fields = tuple(self._fields.values())
        key = _key(fields, self._records, {self._id_path, self._time_path})
        return Profile(
            self._records, self._refused, fields, self._id_path, self._duplicates, self._time_path,
            _median_gap(self._news), _quantile(self._late, 0.99), self._backwards, self._out_of_order,
            max(self._seconds.values(), default=0), None if key is None else key.path,
            0 if key is None else len(key.distinct),
        )  # fmt: skip


def _flat(record: Mapping[Any, Any], before: str = "", depth: int = 1) -> Iterator[tuple[str, Any]]:
    for name, value in record.items():
        path = f"{before}{name}"
        if isinstance(value, Mapping) and value and depth < _NESTING_MAX:
            yield from _flat(value, f"{path}.", depth + 1)
        else:
            yield path, value


def _by_name(names: Sequence[str], record: Mapping[str, Any]) -> list[str]:
    """Paths of the record that are called so, in the order of the names."""
    called = {path: field_name(path.rpartition(".")[2]).removesuffix("_of_source") for path in record}
    return sorted((path for path in record if called[path] in names), key=lambda path: names.index(called[path]))


def _first_of(names: Sequence[str], record: Mapping[str, Any]) -> str | None:
    return next(iter(_by_name(names, record)), None)


def _key(fields: Sequence[FieldShape], records: int, taken: set[str | None]) -> FieldShape | None:
    """The field that names the thing a record is about: always there, and the same thing comes again."""
    able = [
        one for one in fields
        if one.path not in taken and one.present == records and one.usual in ("text", "integer")
        and not one.moments and not one.odd_count
    ]  # fmt: skip

    def rank(one: FieldShape) -> tuple[bool, bool, int]:
        words = field_name(one.path).split("_")
        return (words[-1] not in _KEY_ENDINGS, one.usual != "text", -len(one.distinct))

    return min(able, key=rank, default=None)


def _median_gap(moments: array[int]) -> float | None:
    """Between two moments that differ, in seconds; None with fewer than two."""
    ordered = sorted(set(moments))
    gaps = sorted(later - earlier for earlier, later in pairwise(ordered))
    return gaps[len(gaps) // 2] / 1000 if gaps else None


def _quantile(values: array[float], q: float) -> float | None:
    return sorted(values)[min(len(values) - 1, int(q * len(values)))] if values else None


def drafted(profile: Profile, name: str, *, polled: bool, every_s: float | None = None) -> FeedDraft:
    """The feed as it may be declared; `every_s` where it is known better than the sample tells."""
    every = every_s or max(0.1, round(profile.every_s or 1.0, 1))
    late = max(3 * every, 2 * (profile.lateness_s or 0), 1.0)
    outside = {profile.id_path, profile.time_path} & {"id", "created_at"}
    found = [one.draft(profile.records) for one in profile.fields if one.path not in outside]
    fields = [one for one in found if one is not None]
    key = next((one.name for one in fields if profile.key_path and one.name == field_name(profile.key_path)), None)
    if key is None:
        fields.insert(0, FieldDraft("item", "text", about="the sample has no field that names what a record is about"))
    lateness = min(86_400.0, max(10.0, math.ceil(profile.backwards_s)))
    at = next((one for one in profile.fields if one.path == profile.time_path and one.path != "created_at"), None)
    return FeedDraft(
        name, key or "item", tuple(fields), polled, every, round(late, 1), round(max(3 * late, 10.0), 1),
        lateness, min(60, max(1, round(every))), time="" if at is None else at.given_time(),
        id_path="" if profile.id_path in (None, "id") else str(profile.id_path),
    )  # fmt: skip
