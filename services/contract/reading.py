"""Reading: turns `contract.toml` into the typed contract, and checks what its clauses mean together."""

from __future__ import annotations

from datetime import time
from pathlib import Path
from zoneinfo import ZoneInfo

from services.contract.clauses import WEEKDAYS, File, PartyClause, SupportClause
from services.contract.document import Contract, Party, Reporting, SeverityRule, SupportCalendar
from services.contract.faults import ContractError
from services.contract.reading_alerts import read_alerting
from services.contract.reading_exclusions import read_exclusions
from services.contract.reading_objectives import read_objectives
from services.contract.reading_scope import read_scope
from services.contract.refusals import Refusals
from services.contract.shape import read_shape
from services.declare import Declarations


def read_contract(path: Path, declarations: Declarations) -> Contract:
    """The contract in the file. Raises ContractError with a line for each fault.

    `declarations` are those of the project whose channels and feeds the contract names.
    """
    file, places = read_shape(path)
    refusals = Refusals(places)
    contract = _contract(path, file, declarations, refusals)
    if refusals.faults:
        raise ContractError(path, refusals.faults)
    return contract


def _contract(path: Path, file: File, declarations: Declarations, refusals: Refusals) -> Contract:
    head = file.contract
    zone = refusals.zone(("contract", "zone"), head.zone)
    if head.begins > head.ends:
        refusals.add(("contract", "ends"), head.ends, "give a day on or after begins")
    exclusions = read_exclusions(file.exclusions, declarations, refusals)
    return Contract(
        path=path,
        name=head.name,
        phase=head.phase,
        provider=_party(head.provider),
        client=_party(head.client),
        begins=head.begins,
        ends=head.ends,
        period=head.period,
        zone=zone,
        objectives=read_objectives(file, exclusions, declarations, refusals),
        exclusions=exclusions,
        support=_support(file.support, zone, refusals),
        severities=_severities(file, refusals),
        alerting=read_alerting(file, declarations, refusals),
        reporting=_reporting(file, refusals),
        scope=read_scope(file, declarations, refusals),
    )


def _party(said: PartyClause) -> Party:
    return Party(said.name, said.contact)


def _support(said: SupportClause, zone: ZoneInfo, refusals: Refusals) -> SupportCalendar:
    hours = {}
    for day, text in said.hours.items():
        begins, ends = (_clock(part) for part in text.replace("–", "-").split("-"))
        if ends != time(0) and begins >= ends:
            refusals.add(("support", "hours", day), text, "give an end after the begin; a day ends at 24:00")
        hours[WEEKDAYS.index(day)] = (begins, ends)
    if not hours:
        refusals.add(("support", "hours"), {}, "give hours for one weekday at least")
    own = zone if said.zone is None else refusals.zone(("support", "zone"), said.zone)
    return SupportCalendar(own, hours, frozenset(said.holidays), said.monitoring, refusals.line(("support",)))


def _clock(text: str) -> time:
    text = text.strip()
    return time(0) if text == "24:00" else time.fromisoformat(text)


def _severities(file: File, refusals: Refusals) -> tuple[SeverityRule, ...]:
    refusals.unique(("severity",), (one.severity for one in file.severity), "severity")
    for number, one in enumerate(file.severity):
        if one.resolution_minutes < one.response_minutes:
            place = ("severity", number, "resolution_minutes")
            refusals.add(place, one.resolution_minutes, "give at least response_minutes")
    return tuple(
        SeverityRule(one.severity, one.means, one.response_minutes * 60, one.resolution_minutes * 60)
        for one in file.severity
    )


def _reporting(file: File, refusals: Refusals) -> Reporting:
    said = file.report
    for name in said.sinks:
        refusals.known(("report", "sinks"), name, (one.name for one in file.sink), "sink")
    line = refusals.line(("report",))
    return Reporting(WEEKDAYS.index(said.weekday), said.at, tuple(said.sinks), said.raw_days, line)
