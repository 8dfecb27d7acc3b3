"""Commands of ingest keys: who may post events, added, listed and revoked without a restart of anything."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.commands.recorded import database_at_hand

if TYPE_CHECKING:
    from services.accounts.key_register import Key


def this_user() -> str:
    """Who runs the command, as this machine calls them."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):  # a container whose user has no name
        return "command"


BY = click.option("--by", "person", default=this_user, metavar="NAME", help="Who does it; this user where left out.")


@click.group()
def keys() -> None:
    """Keys with which senders post events, each to its own feeds. Two of a name may be live, so that one can follow
    the other."""


@keys.command()
@click.argument("name")
@click.option("--feeds", required=True, metavar="FEEDS", help="Names or patterns, joined by commas: flights,host_*")
@click.option("--staging", is_flag=True, help="Of a staging deployment: it may also be loaded, and its sources held.")
@BY
@explained
def add(name: str, feeds: str, staging: bool, person: str) -> None:
    """Add a key and print its secret, which is shown this once and stored nowhere. Web processes know it at once."""
    from services.accounts.key_register import KeyRefused, KeyRegister

    wanted = [feed for feed in feeds.replace(" ", ",").split(",") if feed]
    _require_declared(wanted)
    with database_at_hand() as database:
        try:
            key, secret = KeyRegister(database).add(name, wanted, person, staging=staging)
        except KeyRefused as refused:
            fail(refused, 1)
    click.echo(secret)
    click.echo(f"key {key.id} of {name} may post to {', '.join(key.feeds)}; its secret is not shown again", err=True)


def _require_declared(wanted: list[str]) -> None:
    """A key for a feed that nobody declared would be refused at its first event, by somebody else's log."""
    from app.loading import load_declarations, project_of
    from app.settings import read_settings

    declared = sorted(load_declarations(project_of(read_settings())).feeds)
    for feed in wanted:
        if not any(fnmatchcase(one, feed) for one in declared):
            fail(f"--feeds: {feed!r}: no such feed; name some of {', '.join(declared)}, or a pattern", 1)


@keys.command("list")
@explained
def list_() -> None:
    """Show every key with its feeds, age and last use (to the minute, in UTC); never its secret."""
    from app.settings import read_settings
    from services.accounts.key_register import KeyRegister

    with database_at_hand() as database:
        register = KeyRegister(database)
        for key in register.all():
            click.echo(_line(key))
        uses = register.last_uses()
    for name, feeds in read_settings().ingest_key_scopes:
        used = _used(uses.get(f"env:{name}", 0))
        click.echo(f"{'-':8}  {name}  {feeds}  of HEADWATER_INGEST_KEYS  {used}")


def _line(key: Key) -> str:
    ended = f"revoked {_at(key.revoked_at)}" if key.revoked_at else "live"
    added = f"added {_at(key.added_at)} by {key.added_by}"
    return f"{key.id}  {key.name}  {','.join(key.feeds)}  {ended}  {added}  {_used(key.last_used_at)}"


def _used(at: int) -> str:
    return f"last used {_at(at)}" if at else "never used"


def _at(moment: int) -> str:
    return f"{datetime.fromtimestamp(moment / 1_000, UTC):%Y-%m-%d %H:%M}"


@keys.command()
@click.argument("key")
@BY
@explained
def revoke(key: str, person: str) -> None:
    """End a key. KEY is its id, or a name of which one key is live; every web process refuses it within two seconds."""
    from services.accounts.key_register import KeyRefused, KeyRegister

    with database_at_hand() as database:
        try:
            revoked = KeyRegister(database).revoke(key, person)
        except KeyRefused as refused:
            fail(refused, 1)
    click.echo(f"key {revoked.id} of {revoked.name}: revoked")
