"""The command that forgets a key of a feed: everywhere, at once, and told."""

from __future__ import annotations

import click

from app.commands import explained, fail
from app.commands.keys import BY
from app.commands.recorded import database_at_hand
from app.settings import read_settings


@click.command()
@click.argument("feed")
@click.argument("key")
@BY
@click.option("--wait", type=click.FloatRange(1, 3_600), default=60.0, help="Seconds that worker and archive may take.")
@explained
def forget(feed: str, key: str, person: str, wait: float) -> None:
    """Remove every event of KEY, a value of the feed's key field, from the broker and from the archive.

    Needs a running worker. May be run again; files that viewers took away and backups are not reached.
    """
    from app.loading import load_declarations, project_of
    from services.broker import Broker
    from services.forgetting import Forgetting, NotForgotten

    declarations = load_declarations(project_of(read_settings()))
    known = {**declarations.retired_feeds, **declarations.feeds}
    found = known.get(feed)
    if found is not None and found.source.derived:
        fail(f"feed {feed!r} is {found.source.title}; name the feed of one of these", 1)
    if found is None:
        fail(f"feed {feed!r}: not declared; name one of {', '.join(sorted(known))}", 2)
    broker = Broker(read_settings().broker_url())
    try:
        with database_at_hand() as database:
            removed = Forgetting(broker, database, declarations, wait_s=wait).forget(found, key, person)
    except NotForgotten as reason:
        fail(reason, 1)
    finally:
        broker.close()
    for place, counts in (("broker", removed.broker), ("archive", removed.archive)):
        for name, count in counts.items():
            if count:
                click.echo(f"{place}: {count} {name}")
    for channel, parts in removed.channels.items():
        click.echo(f"broker: {channel}, in {parts} {'part' if parts == 1 else 'parts'}")
    click.echo(f"feed {feed}: " + ("there was nothing of that key" if removed.nothing else "the key is forgotten"))
