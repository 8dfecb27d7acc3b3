"""Notes: what people wrote at a moment or a stretch of time, as charts show it: a release, a strike, a new sensor."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import delete, insert, or_, select

from services.database import Database
from services.database.tables.notes import notes
from services.positions import Clock, wall_clock

TEXT_MAX = 200
PERSON_MAX = 80
PAST_MAX = 500
"""So many of an interval are given at most, the newest."""


class NoteRefused(ValueError):
    """A note that cannot be kept or removed as asked; the text names the remedy. Nothing was changed."""


@dataclass(frozen=True, slots=True)
class Note:
    """What somebody wrote. Times are milliseconds since the Unix epoch; `until` is `at` for a moment.

    `feed` is the feed whose charts show it, empty for those of all feeds.
    """

    id: int
    at: int
    until: int
    feed: str
    text: str
    person: str
    written_at: int


class Notes:
    """The notes of one database. Everything may raise DatabaseDown."""

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock

    def add(self, text: str, *, person: str, at: int | None = None, until: int | None = None, feed: str = "") -> Note:
        """Write a note at a time, now where none is given. Raises NoteRefused."""
        now = self._clock()
        begin = now if at is None else at
        end = begin if until is None else until
        _require("text", text, TEXT_MAX)
        _require("person", person, PERSON_MAX)
        if end < begin:
            raise NoteRefused(f"until: {end} is before at: {begin}; give a later until, or leave it out")
        values: dict[str, Any] = {
            "at": begin, "until": end, "feed": feed, "text": text.strip(), "person": person.strip(), "written_at": now,
        }  # fmt: skip
        with self._database.writing() as connection:
            number = connection.execute(insert(notes).returning(notes.c.id).values(**values)).scalar_one()
        return Note(number, **values)

    def remove(self, number: int) -> None:
        """Take a note away. Raises NoteRefused where there is none."""
        with self._database.writing() as connection:
            if connection.execute(delete(notes).where(notes.c.id == number)).rowcount == 0:
                raise NoteRefused(f"note {number}: there is none; see headwater notes list")

    def between(self, since: int, until: int) -> Sequence[Note]:
        """Those of an interval, or that reach into it, by time."""
        table = notes.c
        wanted = select(notes).where(table.at < until, or_(table.until >= since, table.at >= since))
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(table.at.desc(), table.id.desc()).limit(PAST_MAX)).all()
        return [Note(**row._mapping) for row in reversed(rows)]


def _require(name: str, given: str, most: int) -> None:
    if not 0 < len(given.strip()) <= most or not given.strip().isprintable():
        raise NoteRefused(f"{name}: {given[:40]!r}: give 1 to {most} letters in one line")
