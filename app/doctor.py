"""Doctor: looks at settings, declarations and surroundings, and says what to do about each fault."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from app.loading import DEMO, Project, load_contract, load_declarations, load_pages, load_roles
from app.ports import port_is_free
from app.settings import Settings, SettingsError, is_loopback, unknown_variables
from services.accounts.roles import RolesError
from services.alerts.outbox import Outbox
from services.broker import Broker, BrokerDown
from services.contract.check import check_contract
from services.contract.document import Contract
from services.contract.faults import ContractError
from services.database import Database, DatabaseDown, migrate, standing_of
from services.declare import DeclarationError, is_built_in
from services.embedded import EmbeddedBrokerError, find_server
from services.measurement.kept import Kept
from services.measurement.lately import lately
from services.measurement.raw import RawMinute
from services.positions import wall_clock

BROKER_VERSION_MIN = 7
TESTED_WITHIN_MS = 90 * 86_400_000
"""A sink that took nothing for so long is one that nobody knows to work."""
LATELY_MS = 3_600_000
Reach = Literal["offline", "doctor", "release"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report; a `fail` or `warn` carries the remedy in its text."""

    level: Literal["ok", "warn", "fail"]
    subject: str
    text: str

    def line(self) -> str:
        return f"{self.level:4}  {self.subject}: {self.text}"


def examine(settings: Settings, reach: Reach) -> Iterator[Finding]:
    """All findings, in the order in which one would mend them.

    `offline` connects to nothing; `release` leaves the database to `release_database`, which comes after.
    """
    yield Finding("ok", "settings", "all values can be used")
    for warning in unknown_variables(os.environ):
        yield Finding("warn", "settings", warning)
    yield _declarations()
    yield from _roles()
    yield from examine_contract(settings, offline=reach == "offline")
    yield _data_directory(settings)
    if found := _lasting(settings, DEMO):
        yield found
    if reach != "offline":
        yield _port(settings)
        yield from _broker(settings)
    if reach == "doctor":
        yield _database(settings)


def _declarations() -> Finding:
    try:
        declarations = load_declarations()
        pages = load_pages(declarations)
    except DeclarationError as error:
        return Finding("fail", "declarations", str(error))
    feeds, channels = (
        sum(not is_built_in(name) for name in names) for names in (declarations.feeds, declarations.channels)
    )
    counts = f"{feeds} feeds, {channels} channels, {len(pages)} pages"
    return Finding("ok", "declarations", counts)


def _roles() -> Iterator[Finding]:
    try:
        names = sorted(load_roles(load_declarations()).known)
    except DeclarationError:
        return  # told by the declarations' own finding
    except RolesError as error:
        yield from (Finding("fail", "roles", line) for line in str(error).splitlines())
    else:
        yield Finding("ok", "roles", ", ".join(names))


def examine_contract(settings: Settings, file: Path | None = None, *, offline: bool = False) -> Iterator[Finding]:
    """What `contract.toml` promises in a word, its faults, and what the declared system cannot hold.

    `file` stands in for the project's own contract.
    """
    project = DEMO if file is None else replace(DEMO, contract=file)
    try:
        declarations = load_declarations(project)
        contract = load_contract(declarations, project)
    except DeclarationError:
        return  # told by the declarations' own finding
    except ContractError as error:
        yield from (Finding("fail", "contract", fault.text(error.path)) for fault in error.faults)
        return
    if contract is None:
        yield Finding("ok", "contract", "no contract.toml: nothing is promised")
        return
    yield Finding("ok", "contract", f"{len(contract.objectives)} objectives, phase {contract.phase}: {contract.name}")
    tested = None if offline else _tested_sinks(settings, contract)
    raw = [] if offline else _measured_lately(settings)
    remarks = check_contract(
        contract, declarations, tick_ms=settings.tick_ms, environment=os.environ, tested=tested,
        measured=lambda objective: lately(objective, raw),
    )
    for remark in remarks:
        yield Finding(remark.level, "contract", remark.line_of(contract.path))


def _tested_sinks(settings: Settings, contract: Contract) -> set[str] | None:
    """The sinks that took a message within the last while; None where the records cannot be read."""
    database = Database(settings.database_address)
    try:
        if database.absent:
            return set()
        outbox, since = Outbox(database), wall_clock() - TESTED_WITHIN_MS
        return {sink.name for sink in contract.alerting.sinks if outbox.last_delivered(sink.name) >= since}
    except DatabaseDown:
        return None
    finally:
        database.close()


def _measured_lately(settings: Settings) -> list[RawMinute]:
    """What was measured in the last hour; nothing where the records cannot be read."""
    database = Database(settings.database_address)
    try:
        now = wall_clock()
        return [] if database.absent else list(Kept(database).minutes(now - LATELY_MS, now))
    except DatabaseDown:
        return []
    finally:
        database.close()


def _data_directory(settings: Settings) -> Finding:
    nearest = next(folder for folder in (settings.data.resolve(), *settings.data.resolve().parents) if folder.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        return Finding("ok", "data", f"{settings.data} can be written")
    return Finding("fail", "data", f"{nearest} cannot be written; change its owner, or set HEADWATER_DATA")


def _port(settings: Settings) -> Finding:
    where = f"{settings.host}:{settings.port}"
    if port_is_free(settings.host, settings.port):
        return Finding("ok", "port", f"{where} is free")
    return Finding("warn", "port", f"{where} is in use: by a running headwater, or set PORT to a free one")


def _broker(settings: Settings) -> Iterator[Finding]:
    try:
        broker = Broker(settings.broker_url())
    except SettingsError:
        yield _server_to_embed()
        return
    try:
        server = broker.server()
    except BrokerDown as error:
        yield Finding("fail", "broker", f"{error}; start it, or correct REDIS_URL")
        return
    finally:
        broker.close()
    yield _broker_version(server)
    yield _broker_policy(server)


def _server_to_embed() -> Finding:
    try:
        return Finding("ok", "broker", f"none runs; `headwater up` will start {find_server()}")
    except EmbeddedBrokerError as error:
        return Finding("fail", "broker", str(error))


def _broker_version(server: dict[str, object]) -> Finding:
    name = "valkey" if "valkey_version" in server else "redis"
    version = str(server[f"{name}_version"])
    major = int(re.match(r"\d+", version)[0])  # type: ignore[index] # a version starts with digits
    if major >= BROKER_VERSION_MIN:
        return Finding("ok", "broker", f"{name} {version} answers")
    return Finding("fail", "broker", f"{name} {version} is too old; use Redis 7+ or Valkey 8+")


def _broker_policy(server: dict[str, object]) -> Finding:
    policy = str(server.get("maxmemory_policy", "unknown"))
    if policy == "noeviction":
        return Finding("ok", "broker memory", f"{server.get('used_memory_human')} used, policy noeviction")
    return Finding(
        "fail", "broker memory",
        f"policy {policy} drops data silently when memory is full; set maxmemory-policy noeviction",
    )


def _lasting(settings: Settings, project: Project) -> Finding | None:
    """On a platform the disk goes with the process: what is to outlive it needs a database of its own."""
    if is_loopback(settings.host) or settings.database_url:
        return None
    kept = [feed.name for feed in load_declarations(project).feeds.values() if feed.history.days]
    on = [*(["the contract"] if project.contract is not None else []), *(f"history of {name!r}" for name in kept)]
    if not on:
        return None
    return Finding(
        "fail", "database",
        f"DATABASE_URL: not set, and {settings.host} is not this machine alone: {', '.join(on)} would be lost with "
        "the platform's disk; name a PostgreSQL database",
    )


def _database(settings: Settings) -> Finding:
    database = Database(settings.database_address)
    try:
        standing = standing_of(database)
    except DatabaseDown as error:
        return Finding("fail", "database", str(error))
    finally:
        database.close()
    if standing.current:
        return Finding("ok", "database", f"{database.address} is at revision {standing.found}")
    due = f"at revision {standing.found or 'none'}, this release needs {standing.needed}"
    return Finding("warn", "database", f"{database.address} is {due}; `headwater release` or `up` migrates it")


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
