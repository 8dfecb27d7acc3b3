"""Commands of the register: what a party has to record before it counts, and what the other party confirms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.commands.contract import read_project_contract
from app.commands.spans import moment_in
from app.settings import read_settings

if TYPE_CHECKING:
    from services.contract.document import Contract
    from services.contract.notices import Notice, NoticeKind, NoticeParty
    from services.contract.register import NoticeRegister

MINUTE_MS = 60_000
_PARTIES = click.Choice(["provider", "client"])
_BY = click.option("--by", "person", required=True, metavar="NAME", help="Who answers for it, by name.")
_REASON = click.option("--reason", required=True, metavar="TEXT", help="Why, in words that the other party reads.")
_PARTY = click.option("--party", type=_PARTIES, required=True, help="For which party that person speaks.")
_FROM = click.option("--from", "since", required=True, metavar="TIME", help="As 2026-06-01T22:00, contract's zone.")
_TO = click.option("--to", "until", required=True, metavar="TIME", help="As 2026-06-02T00:00, contract's zone.")


@click.group()
def notice() -> None:
    """The register: maintenance, hotfixes, outages of third parties, force majeure. Nothing is ever removed."""


@notice.command()
@click.argument("name")
@_FROM
@_TO
@_REASON
@_BY
@explained
def maintenance(name: str, since: str, until: str, reason: str, person: str) -> None:
    """Announce a maintenance window; one that comes too late is recorded as refused."""
    _record("maintenance", since, until, reason, person, "provider", name)


@notice.command()
@click.option("--minutes", type=click.IntRange(1, 1440), required=True, help="How long it may take.")
@click.option("--from", "since", default="", metavar="TIME", help="Its begin; left out, the next full minute.")
@_REASON
@_BY
@explained
def hotfix(minutes: int, since: str, reason: str, person: str) -> None:
    """Record an emergency change before it starts; one that has started is recorded as refused."""
    with _register() as (register, found):
        begins = moment_in(found, since) if since else (register.now() // MINUTE_MS + 1) * MINUTE_MS
        ends = begins + minutes * MINUTE_MS
        made = register.record("hotfix", since=begins, until=ends, reason=reason, person=person, party="provider")
        _tell(made, found)


@notice.command("third-party")
@click.argument("name")
@_FROM
@_TO
@_REASON
@_BY
@_PARTY
@explained
def third_party(name: str, since: str, until: str, reason: str, person: str, party: NoticeParty) -> None:
    """Claim an outage of a third party that the contract names; it counts once the other party confirms it."""
    _record("third_party", since, until, reason, person, party, name)


@notice.command("force-majeure")
@_FROM
@_TO
@_REASON
@_BY
@_PARTY
@explained
def force_majeure(since: str, until: str, reason: str, person: str, party: NoticeParty) -> None:
    """Claim force majeure; it is shown as claimed, and counts once the other party confirms it."""
    _record("force_majeure", since, until, reason, person, party)


@notice.command()
@click.argument("number", type=int)
@_BY
@_PARTY
@explained
def confirm(number: int, person: str, party: NoticeParty) -> None:
    """Agree to the other party's claim, by the number that it has in the list."""
    with _register() as (register, found):
        _tell(register.confirm(number, person=person, party=party), found)


@notice.command()
@click.argument("number", type=int)
@explained
def end(number: int) -> None:
    """Say that a window or hotfix is over, or call it off before it begins."""
    with _register() as (register, found):
        _tell(register.end(number), found)


@notice.command("list")
@explained
def list_() -> None:
    """Show the register, with what counts and what does not."""
    with _register() as (register, found):
        for entry in register.notices():
            click.echo(_line(entry, found))


def _record(
    kind: NoticeKind, since: str, until: str, reason: str, person: str, party: NoticeParty, name: str = ""
) -> None:
    with _register() as (register, found):
        begins, ends = moment_in(found, since), moment_in(found, until)
        made = register.record(
            kind, since=begins, until=ends, reason=reason, person=person, party=party, name=name,
        )
        _tell(made, found)


def _tell(entry: Notice, found: Contract) -> None:
    click.echo(_line(entry, found))
    if entry.refused:
        fail(f"notice {entry.id}: refused, and recorded as refused: {entry.refused}", 1)


def _line(entry: Notice, found: Contract) -> str:
    from services.contract.intervals import standing_of
    from services.contract.moments import shown

    span = f"{shown(found.zone, entry.since)} – {shown(found.zone, entry.over_at)}"
    what = f"{entry.kind} {entry.name}".strip()
    return f"{entry.id:>4}  {what}  {span}  {standing_of(entry)}  ({entry.person}: {entry.reason})"


@contextmanager
def _register() -> Iterator[tuple[NoticeRegister, Contract]]:
    """The register of the project's contract. Ends with one line where the register cannot take something."""
    from services.contract.notices import NoticeError
    from services.contract.register import NoticeRegister
    from services.database import Database, migrate, require_current

    found = read_project_contract()
    database = Database(read_settings().database_address)
    try:
        if database.is_sqlite:
            migrate(database)
        else:
            require_current(database)
        yield NoticeRegister(database, found), found
    except NoticeError as error:
        fail(error, 1)
    finally:
        database.close()
