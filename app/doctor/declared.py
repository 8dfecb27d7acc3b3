"""Declared: whether feeds, pages and the contract can be read, and whether what they promise can be held."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from app.doctor.finding import Finding
from app.loading import DEMO, Project, forgiving, load_contract, load_declarations, load_pages, load_roles, project_of
from app.settings import Settings, unknown_variables
from services.accounts.roles import RolesError
from services.alerts.outbox import Outbox
from services.contract.check import Remark, check_contract
from services.contract.check_scope import check_scope
from services.contract.document import Contract
from services.contract.envelope import check_envelope, measured_in_words, read_measured
from services.contract.faults import ContractError
from services.contract.locks import in_force, read_locks
from services.database import Database, DatabaseDown
from services.declare import DeclarationError, Declarations, is_built_in
from services.measurement.kept import Kept
from services.measurement.lately import lately
from services.measurement.raw import RawMinute
from services.positions import wall_clock

TESTED_WITHIN_MS = 90 * 86_400_000
"""A sink that took nothing for so long is one that nobody knows to work."""
LATELY_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Variables:
    """Whether the environment names settings that there are; that they can be used is known by having been read."""

    def look(self) -> Iterator[Finding]:
        yield Finding("ok", "settings", "all values can be used")
        for warning in unknown_variables(os.environ):
            yield Finding("warn", "settings", warning)


@dataclass(frozen=True, slots=True)
class Declared:
    """Whether feeds and pages can be loaded."""

    project: Project = DEMO

    def look(self) -> Iterator[Finding]:
        yield from _declarations(self.project)


@dataclass(frozen=True, slots=True)
class RolesRead:
    """Whether the roles can be read, and name what there is."""

    project: Project = DEMO

    def look(self) -> Iterator[Finding]:
        try:
            names = sorted(load_roles(load_declarations(self.project), self.project).known)
        except RolesError as error:
            yield from (Finding("fail", "roles", line) for line in str(error).splitlines())
        else:
            yield Finding("ok", "roles", ", ".join(names))


@dataclass(frozen=True, slots=True)
class Promised:
    """Whether the contract can be read and held; `offline` asks no database what was measured and tested."""

    settings: Settings
    project: Project = DEMO
    offline: bool = False

    def look(self) -> Iterator[Finding]:
        yield from examine_contract(self.settings, offline=self.offline, project=self.project)


def _declarations(project: Project) -> Iterator[Finding]:
    """A finding for each fault; what there is, where there is none."""
    declarations = load_declarations(project)
    pages = load_pages(declarations, project)
    if project.faults:
        yield from _told(project.faults)
        yield Finding("warn", "declarations", "what is said of other files may follow from that", "mend this first")
        return
    feeds, channels = (
        sum(not is_built_in(name) for name in names) for names in (declarations.feeds, declarations.channels)
    )
    counts = f"{feeds} feeds, {channels} channels, {len(pages)} pages"
    yield Finding("ok", "declarations", counts)


def _told(faults: Iterable[str]) -> Iterator[Finding]:
    return (Finding("fail", "declarations", fault) for fault in faults)


def examine_contract(
    settings: Settings, file: Path | None = None, *, offline: bool = False, project: Project | None = None
) -> Iterator[Finding]:
    """What `contract.toml` promises in a word, its faults, and what the declared system cannot hold.

    `file` stands in for the project's own contract; the faults of a `project` that is given are told already.
    """
    given, project = project, project or forgiving(project_of(settings))
    project = project if file is None else replace(project, contract=file)
    declarations = load_declarations(project)
    if given is None and project.faults:
        yield from _told(project.faults)
    try:
        contract = load_contract(declarations, project)
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
    for remark in (*remarks, *_scoped(contract, declarations, project)):
        yield Finding(remark.level, "contract", remark.line_of(contract.path))
    yield from _measured_envelope(contract)


def _measured_envelope(contract: Contract) -> Iterator[Finding]:
    """What a load found of the envelope; nothing where there was none."""
    try:
        measured = read_measured(contract.path)
    except ContractError as error:
        yield Finding("fail", "contract", error.faults[0].text(error.path))
        return
    if measured is not None:
        yield Finding("ok", "contract", f"measured envelope: {measured_in_words(measured)}")
    for remark in check_envelope(contract, measured):
        yield Finding(remark.level, "contract", remark.line_of(contract.path))


def _scoped(contract: Contract, declarations: Declarations, project: Project) -> list[Remark]:
    """What is in scope, held against the pages and roles; those that cannot be read are told by their own finding."""
    try:
        lock = in_force(read_locks(contract.path))
        pages = {one.path for one in load_pages(declarations, project)}
        roles = set(load_roles(declarations, project).known)
    except (DeclarationError, RolesError):
        return []
    except ContractError as error:
        return [Remark("fail", 1, "contract.lock", error.faults[0].text(error.path))]
    return list(check_scope(contract, pages, roles, accepted=lock is not None and lock.accepted))


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
