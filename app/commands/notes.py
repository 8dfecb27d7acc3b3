"""Commands of notes: what people write at a time, so that every chart of that time says it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.commands.keys import BY
from app.commands.recorded import database_at_hand

if TYPE_CHECKING:
    from services.notes import Note

DAY_MS = 86_400_000


@click.group()
def notes() -> None:
    """Notes at a moment or a stretch of time, which charts mark: a release, a strike, a new sensor."""


@notes.command()
@click.argument("text")
@click.option("--at", default="", metavar="TIME", help="As 2026-06-01T22:00Z or in ms; now where left out.")
@click.option("--until", default="", metavar="TIME", help="Its end, where it is about a stretch of time.")
@click.option("--feed", default="", metavar="FEED", help="On the charts of this feed; of all where left out.")
@BY
@explained
def add(text: str, at: str, until: str, feed: str, person: str) -> None:
    """Write a note; charts that are open show it within 20 seconds."""
    from services.notes import NoteRefused, Notes

    begin, end = _time("--at", at), _time("--until", until)
    _require_declared(feed)
    with database_at_hand() as database:
        try:
            click.echo(_line(Notes(database).add(text, person=person, at=begin, until=end, feed=feed)))
        except NoteRefused as refused:
            fail(refused, 1)


@notes.command("list")
@click.option("--days", type=click.IntRange(1, 3_660), default=30, help="How far back, 30 where left out.")
@explained
def list_(days: int) -> None:
    """Show the notes of the last days, oldest first; times in UTC."""
    from services.notes import Notes
    from services.positions import wall_clock

    now = wall_clock()
    with database_at_hand() as database:
        for note in Notes(database).between(now - days * DAY_MS, now + DAY_MS):
            click.echo(_line(note))


@notes.command()
@click.argument("number", type=int)
@explained
def remove(number: int) -> None:
    """Take a note away, by its number in the list."""
    from services.notes import NoteRefused, Notes

    with database_at_hand() as database:
        try:
            Notes(database).remove(number)
        except NoteRefused as refused:
            fail(refused, 1)


def _time(option: str, text: str) -> int | None:
    from app.past import read_time

    if not text:
        return None
    try:
        return read_time(option, text)
    except ValueError as error:
        fail(error, 2)


def _require_declared(feed: str) -> None:
    from app.loading import load_declarations, project_of
    from app.settings import read_settings

    declared = sorted(load_declarations(project_of(read_settings())).feeds)
    if feed and feed not in declared:
        fail(f"--feed: {feed!r}: no such feed; name one of {', '.join(declared)}", 1)


def _line(note: Note) -> str:
    span = _at(note.at) if note.until == note.at else f"{_at(note.at)} – {_at(note.until)}"
    return f"{note.id:>4}  {span}  {note.feed or 'all feeds'}  {note.text}  ({note.person})"


def _at(at: int) -> str:
    return f"{datetime.fromtimestamp(at / 1000, UTC):%Y-%m-%d %H:%M:%SZ}"
