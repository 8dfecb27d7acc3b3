"""Examination: which checks are made here, in the order in which one would mend what they find."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Literal

from app.doctor.broker import Reachable, broker_checks
from app.doctor.certificate import certificates
from app.doctor.declared import Declared, Promised, RolesRead, Variables
from app.doctor.entrance import Origins, Router, Secrets
from app.doctor.finding import Check, Finding
from app.doctor.identity import Vouching
from app.doctor.link import Link
from app.doctor.outside import Served
from app.doctor.place import DatabaseAnswers, DataDirectory, Disk, Lasting, Port
from app.doctor.running import ClockOffset, Workers
from app.doctor.sources import SourcesEquipped
from app.loading import forgiving, load_declarations, project_of
from app.settings import Settings, SettingsError
from services.broker import Broker, BrokerDown
from services.database import Database, DatabaseDown, migrate
from services.declare import DeclarationError
from services.positions import wall_clock

Reach = Literal["offline", "doctor", "release"]


def examine(settings: Settings, reach: Reach) -> Iterator[Finding]:
    """All findings, in the order in which one would mend them.

    `offline` connects to nothing; `release` looks only at what a deployment must not begin without, and leaves the
    database to `release_database`, which comes after.
    """
    for check in _settled(settings, reach):
        yield from check.look()
    if reach == "doctor":
        with ExitStack() as opened:
            for check in _alive(settings, opened):
                yield from _surviving(check)


def _settled(settings: Settings, reach: Reach) -> Iterator[Check]:
    """What needs nothing that runs, but for whether the broker does."""
    project = forgiving(project_of(settings))
    yield Variables()
    yield Declared(project)
    yield RolesRead(project)
    yield Promised(settings, project, offline=reach == "offline")
    yield DataDirectory(settings.data)
    yield Lasting(settings, project)
    if reach == "doctor":
        yield from (Origins(settings), Router(settings), Secrets(settings), Disk(settings.data))
    if reach != "offline":
        yield SourcesEquipped(project)
        yield Port(settings)
        yield Reachable(settings)
    if reach == "release":
        yield from _policy(settings)


def _policy(settings: Settings) -> Iterator[Check]:
    """What a broker must be for anything to be deployed: one that drops nothing, with room for all channels."""
    with ExitStack() as opened:
        if (broker := _broker(settings, opened)) is not None:
            yield from broker_checks(settings, broker)[:2]


def _alive(settings: Settings, opened: ExitStack) -> Iterator[Check]:
    """What is asked of what runs."""
    broker = _broker(settings, opened)
    if broker is not None:
        yield from broker_checks(settings, broker)
        with suppress(DeclarationError):  # told by the declarations' own finding
            yield Workers(broker, load_declarations(project_of(settings)).lanes(), wall_clock)
        yield ClockOffset(broker)
    yield DatabaseAnswers(settings.database_address)
    yield Vouching(settings, project_of(settings))
    yield from certificates(settings)
    yield Served(Link(settings.probed_url), expected=bool(settings.public_url))


def _broker(settings: Settings, opened: ExitStack) -> Broker | None:
    """The broker, where one answers; that none does is told by `Reachable`."""
    try:
        broker = Broker(settings.broker_url())
    except SettingsError:
        return None
    opened.callback(broker.close)
    try:
        broker.server()
    except BrokerDown:
        return None
    return broker


def _surviving(check: Check) -> Iterator[Finding]:
    """What it finds; a broker that goes while it is looked at is a finding too."""
    try:
        yield from check.look()
    except BrokerDown as error:
        yield Finding("fail", "broker", str(error), "start it, or correct REDIS_URL")


def release_database(settings: Settings) -> Finding:
    """Migrate the database; for a release that found nothing else wrong."""
    database = Database(settings.database_address)
    try:
        before = migrate(database)
    except DatabaseDown as error:
        return Finding("fail", "database", str(error))
    finally:
        database.close()
    done = "is" if before.current else f"migrated from {before.found or 'nothing'}:"
    return Finding("ok", "database", f"{database.address} {done} at revision {before.needed}")
