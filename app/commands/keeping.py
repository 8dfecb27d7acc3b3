"""Keeping: what commands on alerts and incidents share: the database, the contract, and how both are told."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import click

from app.commands import fail
from app.commands.contract import read_project_contract
from app.settings import read_settings

if TYPE_CHECKING:
    from services.alerts.incident import Incident
    from services.alerts.outbox import Outbox
    from services.alerts.register import Register
    from services.alerts.telling import Telling
    from services.contract.document import Contract
    from services.database import Database

BY = click.option("--by", "person", required=True, metavar="NAME", help="Who does it, by name; it stays in the record.")
NUMBER = click.argument("number", type=int)


@dataclass(frozen=True, slots=True)
class Kept:
    """Everything that these commands work on."""

    contract: Contract
    database: Database
    register: Register
    telling: Telling
    outbox: Outbox
    now: int

    def at(self, moment: int) -> str:
        """A moment in the contract's zone."""
        return f"{datetime.fromtimestamp(moment / 1_000, self.contract.zone):%Y-%m-%d %H:%M}"


@contextmanager
def kept() -> Iterator[Kept]:
    """The project's records. Ends in one line where they cannot take what is asked."""
    from services.alerts.outbox import Outbox
    from services.alerts.register import Register, UnknownIncident
    from services.alerts.telling import Telling
    from services.database import Database, migrate, require_current

    contract = read_project_contract()
    database = Database(read_settings().database_address)
    try:
        if database.is_sqlite:
            migrate(database)
        else:
            require_current(database)
        telling = Telling(database, contract.alerting, contract.zone)
        now = int(time.time() * 1_000)
        yield Kept(contract, database, Register(database), telling, Outbox(database), now)
    except UnknownIncident as error:
        fail(error, 1)
    finally:
        database.close()


def tell_incident(given: Kept, incident: Incident) -> None:
    """One incident in two lines."""
    state = "resolved" if incident.resolved_at else "mitigated" if incident.mitigated_at else "open"
    by = f", acknowledged by {incident.acknowledged_by}" if incident.acknowledged_at else ""
    since, until = given.at(incident.began_at), incident.mitigated_at
    ended = f" to {given.at(until)}" if until else ""
    head = f"{incident.id:>4}  {state}  {incident.severity}  {incident.stage}  {since}{ended}  {incident.topic}"
    click.echo(f"{head}  ({incident.owner}{by})")
    click.echo(f"      {incident.text}")
