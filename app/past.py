"""Past: what `GET /api/channels/<channel>/history` answers: the archive's rows of an interval, as JSON or CSV, with
`key=` the changes of one row, or with `points=` the course of a series, thinned for a chart."""

from __future__ import annotations

import csv
import io
import re
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from flask import Response

from app.answers import json_answer, refusal
from components.block import gap_ms
from services.archive.course import read_course
from services.archive.reading import Past, Row, channel_past, hours_past
from services.archive.row_changes import read_row_changes
from services.database import Database
from services.declare import ChannelRef

DEFAULT_MS = 3_600_000
DAY_MS = 86_400_000
_FORMULA = re.compile(r"^[=+\-@＝＋－＠\t\r\n\0]|(?<=[;\t\r\n])[=+\-@＝＋－＠]")
"""Where a spreadsheet takes a text for a formula: where it begins so, and behind what some of them begin a new cell at
(a semicolon, where the comma is the decimal sign). Source: OWASP, CSV Injection; ASVS 5.0, 1.2.10.
"""
POINTS_MIN, POINTS_MAX = 50, 5_000
KEY_MAX = 4_000
"""Characters of a row's key: no field that could be one is longer."""
READINGS_MAX, WAITING_MAX, READING_WAIT_S = 2, 2, 5.0
"""So many answers are made of the archive at once in a process, so many more wait for their turn, and so long: the
threads that are left serve everything else."""


class Busy(Exception):
    """Too many are reading the archive already."""


@dataclass(frozen=True, slots=True)
class Turns:
    """Lets a few read the archive at once, and the others wait for a while."""

    free: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(READINGS_MAX))
    places: threading.BoundedSemaphore = field(
        default_factory=lambda: threading.BoundedSemaphore(READINGS_MAX + WAITING_MAX)
    )

    @contextmanager
    def one(self) -> Iterator[None]:
        """Raises Busy."""
        if not self.places.acquire(blocking=False):
            raise Busy
        try:
            if not self.free.acquire(timeout=READING_WAIT_S):
                raise Busy
            try:
                yield
            finally:
                self.free.release()
        finally:
            self.places.release()


@dataclass(frozen=True, slots=True)
class Question:
    """What of the past is wanted: times in milliseconds, from `since` up to and without `until`."""

    since: int
    until: int
    by_hour: bool
    as_csv: bool
    points: int | None
    key: str | None

    @classmethod
    def read(cls, asked: Mapping[str, str], now: int) -> Question:
        """From a request's arguments; the last hour where no time is named. Raises ValueError with the remedy."""
        until = read_time("until", asked["until"]) if "until" in asked else now
        since = read_time("since", asked["since"]) if "since" in asked else until - DEFAULT_MS
        if since >= until:
            raise ValueError(f"since: {since} is not before until: {until}; give an earlier since")
        by = _one_of(asked, "by", ("row", "hour"))
        points = _read_points(asked["points"]) if "points" in asked else None
        as_csv = _one_of(asked, "format", ("json", "csv")) == "csv"
        return cls(since, until, by == "hour", as_csv, points, _read_key(asked))


def read_time(name: str, text: str) -> int:
    """A time as milliseconds since 1970 in UTC, or in ISO 8601 with its zone. Raises ValueError with the remedy."""
    try:
        return int(text)
    except ValueError:
        pass
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise ValueError(f"{name}: {text[:40]!r}: give milliseconds since 1970 in UTC, or 2026-01-31T12:00:00Z")
    return int(moment.timestamp() * 1000)


def _read_points(text: str) -> int:
    if not text.isdecimal() or not POINTS_MIN <= int(text[:9]) <= POINTS_MAX:
        raise ValueError(f"points: {text[:40]!r}: give {POINTS_MIN} to {POINTS_MAX} points a line")
    return int(text)


def _read_key(asked: Mapping[str, str]) -> str | None:
    key = asked.get("key")
    if key is None:
        return None
    if not 1 <= len(key) <= KEY_MAX:
        raise ValueError(f"key: {key[:40]!r} has {len(key)} characters: give a row's key, as a snapshot names it")
    for other in ("points", "by"):
        if other in asked:
            raise ValueError(f"{other}: {asked[other][:40]!r} beside key: the changes of a row are as they were, "
                             f"leave {other} out")
    return key


def _one_of(asked: Mapping[str, str], name: str, known: tuple[str, ...]) -> str:
    found = asked.get(name, known[0])
    if found not in known:
        raise ValueError(f"{name}: {found[:40]!r}: give one of {', '.join(known)}")
    return found


def answer_past(database: Database, turns: Turns, ref: ChannelRef, asked: Mapping[str, str], now: int) -> Response:
    """The answer for a channel that one may see. Raises DatabaseDown."""
    try:
        question = Question.read(asked, now)
    except ValueError as error:
        return refusal(400, "bad_interval", str(error))
    if question.points is not None and ref.channel.kind != "series":
        return refusal(400, "no_series", f"{ref.name!r} is a {ref.channel.kind} and has no course: leave points out")
    if question.key is not None and ref.channel.kind != "latest":
        return refusal(400, "no_rows", f"{ref.name!r} is a {ref.channel.kind} and has no rows by key: leave key out")
    try:
        with turns.one():
            if question.key is not None:
                return _row_changes(database, ref, question, question.key, now)
            if question.points is not None:
                return _course(database, ref, question, question.points, now)
            return _rows(database, ref, question, now)
    except Busy:
        return refusal(503, "busy", "others read the archive: ask again", Retry_After="1")


def _course(database: Database, ref: ChannelRef, question: Question, points: int, now: int) -> Response:
    history = ref.channel.history
    if not history.days:
        return refusal(404, "no_history", f"channel {ref.name!r} keeps none; declare history=History(days=...)")
    with database.reading() as connection:
        course = read_course(
            connection, ref, question.since, question.until, points, gap_ms=gap_ms(ref.channel),
            full_since=now - int(history.days * DAY_MS),
        )
    position = {"epoch": course.epoch, "seq": course.seq} if course.epoch else None
    return json_answer({
        "channel": ref.name, "recorded": ref.channel.feed.source.recorded, "by": course.by, "since": course.since,
        "until": question.until, "kept_since": now - int(max(history.days, history.hourly_days) * DAY_MS),
        "position": position, "points": course.points, "gaps": course.gaps,
    })


def _row_changes(database: Database, ref: ChannelRef, question: Question, key: str, now: int) -> Response:
    history = ref.channel.history
    if not history.days:
        return refusal(404, "no_history", f"channel {ref.name!r} keeps none; declare history=History(days=...)")
    with database.reading() as connection:
        found = read_row_changes(connection, ref, key, question.since, question.until)
    if question.as_csv:
        past = Past(found.rows, found.gaps, question.until)
        answer = _as_csv(ref, question, past)
        answer.headers["Headwater-Since"] = str(found.since)
        return answer
    position = {"epoch": found.epoch, "seq": found.seq} if found.epoch else None
    return json_answer({
        "channel": ref.name, "key": key, "recorded": ref.channel.feed.source.recorded, "by": "row",
        "since": found.since, "until": question.until, "kept_since": now - int(history.days * DAY_MS),
        "position": position, "rows": found.rows, "gaps": found.gaps,
    })


def _rows(database: Database, ref: ChannelRef, question: Question, now: int) -> Response:
    history = ref.channel.history
    kept_days = history.hourly_days if question.by_hour else history.days
    if not kept_days:
        lacking = "hourly_days" if question.by_hour else "days"
        return refusal(404, "no_history", f"channel {ref.name!r} keeps none; declare history=History({lacking}=...)")
    with database.reading() as connection:
        read = hours_past if question.by_hour else channel_past
        past = read(connection, ref, question.since, question.until)
    kept_since = now - int(kept_days * DAY_MS)
    return _as_csv(ref, question, past) if question.as_csv else _as_json(ref, question, past, kept_since)


def _as_json(ref: ChannelRef, question: Question, past: Past, kept_since: int) -> Response:
    return json_answer({
        "channel": ref.name, "kind": ref.channel.kind, "recorded": ref.channel.feed.source.recorded,
        "by": "hour" if question.by_hour else "row", "since": question.since, "until": question.until,
        "kept_since": kept_since, "complete_until": past.complete_until, "rows": past.rows, "gaps": past.gaps,
    })


def _as_csv(ref: ChannelRef, question: Question, past: Past) -> Response:
    """The rows; what has no place in them stands in headers."""
    text = io.StringIO()
    writer = csv.writer(text)
    names = _columns(ref, past.rows)
    writer.writerow(names)
    writer.writerows([spreadsheet_cell(row.get(name)) for name in names] for row in past.rows)
    answer = Response(text.getvalue(), 200, content_type="text/csv; charset=utf-8")
    file_name = f"{ref.channel.name}-{question.since}-{question.until}.csv"
    answer.headers |= {
        "Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{file_name}"',
        "Headwater-Complete-Until": str(past.complete_until), "Headwater-Gaps": str(len(past.gaps)),
        "Headwater-Recorded": str(int(ref.channel.feed.source.recorded)),
    }
    return answer


def _columns(ref: ChannelRef, rows: Iterable[Row]) -> list[str]:
    """The names of all rows: first what every row has, then as declared, then the rest."""
    found = dict.fromkeys(name for row in rows for name in row)
    first = ["at", "key", "name", "value", "id", "field", *ref.channel.columns()]
    return [name for name in first if name in found] + [name for name in found if name not in first] or ["at"]


def spreadsheet_cell(value: Any) -> Any:
    """A text that a spreadsheet would take for a formula gets a quote before it; a number stays one, also below 0."""
    if isinstance(value, str):
        return _FORMULA.sub(lambda found: "'" + found[0], value)
    return "" if value is None else str(value).lower() if isinstance(value, bool) else value
