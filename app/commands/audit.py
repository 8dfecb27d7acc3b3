"""The command of the audit log: who signed in, changed an account, used a key or took something away."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from app.commands import explained
from app.commands.recorded import database_at_hand

if TYPE_CHECKING:
    from services.accounts.audit import Entry

DAY_MS = 86_400_000


@click.command()
@click.option("--days", type=click.IntRange(1, 3_660), default=30, help="How far back, 30 where left out.")
@click.option("--what", default="", metavar="ACT", help="One act only, such as sign_in_refused.")
@click.option("--who", default="", metavar="NAME", help="What one account or key did.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1_000, help="The newest so many.")
@explained
def audit(days: int, what: str, who: str, limit: int) -> None:
    """Show the audit log, oldest first, with times in UTC."""
    from services.accounts.audit import ACTS, Audit

    if what and what not in ACTS:
        raise click.BadParameter(f"{what!r}: give one of {', '.join(ACTS)}", param_hint="--what")
    since = int(time.time() * 1_000) - days * DAY_MS
    with database_at_hand() as database:
        for entry in Audit(database).entries(since=since, what=what, who=who, limit=limit):
            click.echo(_line(entry))


def _line(entry: Entry) -> str:
    at = f"{datetime.fromtimestamp(entry.at / 1_000, UTC):%Y-%m-%d %H:%M:%S}"
    rest = (entry.subject, entry.address and f"from {entry.address}", entry.detail)
    return "  ".join([at, entry.what, entry.who or "-", *filter(None, rest)])
