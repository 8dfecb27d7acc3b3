"""The command `headwater trace`: one event's way, stage by stage, from broker and archive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click
import orjson

from app.commands import explained, fail
from app.settings import read_settings

if TYPE_CHECKING:
    from services.tracing.trace import Trace


@click.command()
@click.argument("wanted", metavar="ID")
@click.option(
    "--back", "back_h", default=24.0, show_default=True, type=click.FloatRange(0.01, 24 * 366),
    help="How many hours of the archive to look through.",
)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of lines.")
@explained
def trace(wanted: str, back_h: float, as_json: bool) -> None:
    """Follow the event of that ID, or the events of a request by its correlation id (X-Request-ID).

    Says when it was created, accepted, processed into which change of which channel, sent, and painted by whom.
    """
    from app.loading import load_declarations, project_of
    from services.broker import Broker
    from services.database import Database
    from services.positions import wall_clock
    from services.tracing.tracer import Tracer

    settings = read_settings()
    broker, database = Broker(settings.broker_url()), Database(settings.database_address)
    try:
        declarations = load_declarations(project_of(settings))
        found = Tracer(broker, database, declarations, wall_clock).follow(wanted, int(back_h * 3_600_000))
    finally:
        broker.close()
        database.close()
    if as_json:
        click.echo(orjson.dumps({"id": wanted, "traces": [one.as_json() for one in found]}).decode())
    for one in found if not as_json else ():
        click.echo("\n".join(_lines(one)))
    if not found:
        fail(
            f"{wanted}: no event of that id or correlation id on the broker, nor in {back_h:g} hours of the archive; "
            "look further back with --back (a feed that keeps no history is known only until it is processed)", 1,
        )


def _lines(one: Trace) -> list[str]:
    by = f", correlation id {one.correlation}" if one.correlation else ""
    return [f"event {one.id} of lane {one.lane}{by}", *(
        f"  {stage:12}{_at(at, one.created_at):36}{text}" for stage, at, text in one.steps()
    )]


def _at(at: int | None, created: int) -> str:
    """The moment, and how long after the event's creation that is."""
    if at is None:
        return ""
    shown = datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{shown} {at - created:+,} ms"
