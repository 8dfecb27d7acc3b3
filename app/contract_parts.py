"""Contract parts: what the contract station does, wired together; a new job is one line here."""

from __future__ import annotations

from dataclasses import dataclass

import structlog

from app.alerting import Alerting
from app.loading import Project, load_contract
from app.settings import Settings
from services.alerts.register import Register
from services.broker import Broker
from services.contract.document import Contract
from services.contract.register import Excluded, NoticeRegister
from services.database import Database
from services.declare import Declarations
from services.measurement.collecting import Closer, Collector
from services.measurement.kept import Kept
from services.measurement.ledger import Ledger
from services.measurement.probing import Prober, ProbeRounds
from services.measurement.sampling import Sampler
from services.parts import Part
from services.positions import Clock
from services.report.board import StandingRegister
from services.report.gathering import Gathering
from services.report.keeping import StandingKeeper
from services.report.register import ReportRegister
from services.report.schedule import ReportSchedule
from services.telemetry import Telemetry

STANDING_EVERY_S = 15.0

log = structlog.get_logger("contract")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a part may need; it takes what it needs from here and nothing from anywhere else."""

    settings: Settings
    project: Project
    declarations: Declarations
    broker: Broker
    database: Database
    telemetry: Telemetry
    clock: Clock
    worker: str


def contract_parts(given: Surroundings) -> list[Part]:
    """The jobs of the contract station; none where the project has no contract."""
    contract = load_contract(given.declarations, given.project)
    if contract is None:
        return []
    notices = NoticeRegister(given.database, contract, given.clock)
    kept = Kept(given.database)
    intervals = Excluded(notices, given.clock)
    ledger = Ledger(kept, together=contract.objectives, rolled_up=kept, intervals=intervals, clock=given.clock)
    alerting = Alerting(contract, given.declarations, given.broker, given.database, given.clock)
    return [
        Part("announcing", 60.0, notices.announce),
        *measurement_parts(given, contract),
        *alerting.parts(given.worker, ledger),
        *report_parts(given, contract, ledger, notices),
    ]


def measurement_parts(given: Surroundings, contract: Contract) -> list[Part]:
    """What measures: looks once a second, takes sheets to the database, closes hours."""
    kept = Kept(given.database)
    sampler = Sampler(given.broker, given.declarations, given.telemetry, given.clock)
    closer = Closer(kept, contract.objectives, contract.reporting.raw_days, given.clock)
    return [
        Part("sampling", 1.0, sampler.step),
        Part("collecting", 5.0, Collector(given.broker, kept).step),
        Part("closing", 60.0, closer.step),
        *_probing(given, kept),
    ]


def _probing(given: Surroundings, kept: Kept) -> list[Part]:
    """The probe of the whole path; without a key nothing is probed, which counts as nothing being available."""
    settings = given.settings
    if not settings.probe_secret:
        log.warning("no probe: give an ingest key that may post to the feed probe, or set HEADWATER_PROBE_KEY")
        return []
    prober = Prober(settings.probed_url, settings.probe_secret, "inside", clock=given.clock)
    lanes = [str(lane) for lane in given.declarations.probed_lanes()]
    return [Part("probing", 10.0, ProbeRounds(prober, lanes, kept, given.clock).step)]


def report_parts(
    given: Surroundings, contract: Contract, ledger: Ledger, notices: NoticeRegister
) -> list[Part]:
    """What tells: the standing for the pages, the reports that are due."""
    gathering = Gathering(contract, Register(given.database), notices)
    keeper = StandingKeeper(contract, ledger, gathering.facts, StandingRegister(given.database), given.clock)
    schedule = ReportSchedule(
        contract, ledger, ReportRegister(given.database), began_at=Kept(given.database).began_at,
        gather=gathering.facts, clock=given.clock,
    )
    return [Part("standing", STANDING_EVERY_S, keeper.step), Part("report", 60.0, schedule.step)]
