"""Commands of the quarantine: what no channel could fold, shown, folded once more, or let go."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import orjson

from app.commands import explained, fail
from app.commands.keys import BY
from app.commands.recorded import database_at_hand
from app.settings import read_settings

if TYPE_CHECKING:
    from services.declare import Lane
    from services.quarantine import Quarantine

SHOWN = 300
"""Characters of an event that a list shows."""


@click.group()
def quarantine() -> None:
    """Events that no channel could fold. They wait until their cause is mended, or are let go."""


@contextmanager
def _quarantine() -> Iterator[Quarantine]:
    """The installation's quarantine. Ends in one line where an entry is not there."""
    from app.loading import load_declarations, project_of
    from services.broker import Broker
    from services.quarantine import NotInQuarantine, Quarantine

    broker = Broker(read_settings().broker_url())
    try:
        with database_at_hand() as database:
            yield Quarantine(broker, database, load_declarations(project_of(read_settings())))
    except NotInQuarantine as reason:
        fail(reason, 1)
    finally:
        broker.close()


@quarantine.command("list")
@click.argument("feed", default="")
@click.option("--limit", type=click.IntRange(1, 10_000), default=100, help="The newest so many.")
@explained
def list_(feed: str, limit: int) -> None:
    """Show what is in quarantine, newest first: where, since when (UTC), why, and the event without personal fields."""
    with _quarantine() as held:
        for one in held.entries(feed or None, limit):
            at = f"{datetime.fromtimestamp(one.at / 1_000, UTC):%Y-%m-%d %H:%M:%S}"
            event = one.event if isinstance(one.event, str) else orjson.dumps(one.event).decode()
            why, _, trace = one.why.partition("\n")
            click.echo(f"{one.lane}/{one.id}  {at}  {why}  {event[:SHOWN]}")
            for line in trace.splitlines():  # of a step that failed
                click.echo(f"    {line}")


@quarantine.command()
@click.argument("entries", nargs=-1, required=True, metavar="ENTRY...")
@BY
@explained
def replay(entries: tuple[str, ...], person: str) -> None:
    """Fold the events of each ENTRY (as listed) once more. What still cannot be folded comes back."""
    with _quarantine() as held:
        for lane, entry_id in map(_place, entries):
            events = held.replay(lane, entry_id, person)
            click.echo(f"{lane}/{entry_id}: {events} {'event' if events == 1 else 'events'} folded once more")


@quarantine.command()
@click.argument("entries", nargs=-1, required=True, metavar="ENTRY...")
@BY
@explained
def discard(entries: tuple[str, ...], person: str) -> None:
    """Let each ENTRY (as listed) go for good; the archive keeps its events."""
    with _quarantine() as held:
        for lane, entry_id in map(_place, entries):
            held.discard(lane, entry_id, person)
            click.echo(f"{lane}/{entry_id}: discarded")


def _place(text: str) -> tuple[Lane, str]:
    from app.loading import load_declarations, project_of

    lanes = {str(lane): lane for lane in load_declarations(project_of(read_settings())).lanes()}
    name, _, entry_id = text.partition("/")
    at, _, number = entry_id.partition("-")
    if name not in lanes or not (at.isdigit() and number.isdigit()):
        raise click.BadParameter(f"{text!r}: write it as `headwater quarantine list` does, flights.0/1700000000000-0")
    return lanes[name], entry_id
