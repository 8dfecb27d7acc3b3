"""Worker: the process that runs the stations, wired together; it knows neither Dash nor HTTP.

They keep apart: the processor has this process for itself, and all other stations share a child of it, so that
reading a large file, a long query or a report never delays a commit. `--only` puts stations into a worker of their own.
A worker of all stations holds three connections to the broker, as small ones allow twenty in all.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import TYPE_CHECKING, Literal, get_args

import structlog

from app.child import Child
from app.loading import DEMO, Project, load_contract, load_declarations
from app.publisher import Publisher, process_name
from app.settings import Settings, SettingsError
from services.broker import Broker
from services.clocks import BrokerClock
from services.declare import FeedSpec, Lane
from services.ingestion import FeedIntake, Ingestion
from services.parts import PartRunner
from services.processor import Processor
from services.report.source import Standings, StandingSource
from services.sources.operations import OperationsSource
from services.sources.runner import SourceRunner
from services.sources.trouble import Cause
from services.telemetry import Telemetry

if TYPE_CHECKING:  # SQLAlchemy stays out of the process that commits
    from services.database import Database

Station = Literal["sources", "processor", "archive", "contract"]
ARENAS = {"MALLOC_ARENA_MAX": "2"}
"""For glibc: else each of a station's threads keeps free memory of its own, and gives it to no other and not back."""
STATIONS: tuple[Station, ...] = get_args(Station)
Run = Callable[[threading.Event], None]
STOP_TIMEOUT_S = 2.5
LOOK_AT_CHILD_S = 0.2
OBJECTS_BETWEEN_COLLECTIONS = 50_000
"""Of objects that may form cycles. Events form none, and with the usual 2,000 the collector would walk through each
batch several times: a sixth of the processor's time.
"""
WAIT_FOR_DATABASE_S = 1.0
SWITCH_INTERVAL_S = 0.0005
"""How long a thread may hold the interpreter where stations share one: sources and probes wait for a report's turns."""

log = structlog.get_logger("worker")


class WorkerError(RuntimeError):
    """A part of the worker ended by itself; its log line says why."""


def read_stations(text: str) -> tuple[Station, ...]:
    """The stations of `--only`, joined by commas; all where it is empty. Raises SettingsError."""
    names = [name for name in text.split(",") if name] or list(STATIONS)
    for name in names:
        if name not in STATIONS:
            raise SettingsError(f"--only: {name!r}: no such station; name some of {','.join(STATIONS)}")
    return tuple(station for station in STATIONS if station in names)


class Worker:
    """One worker with the given stations; `run` stays until SIGTERM or SIGINT.

    `apart` is the command to which names of stations are added to run them in a process of their own: where it is
    given, those beside a processor run in such a child; without it, all in threads of this one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        project: Project = DEMO,
        stations: Collection[Station] = STATIONS,
        apart: Sequence[str] | None = None,
    ) -> None:
        self._settings, self._project, self._stations = settings, project, stations
        self._declarations = load_declarations(project)
        self._broker = Broker(settings.broker_url(), lanes=len(self._declarations.lanes()))
        self._name = process_name("worker")
        self._clock = BrokerClock()
        role = "+".join(stations) if len(stations) < len(STATIONS) else "worker"
        self._telemetry = Telemetry(self._name, role, self._clock)
        wanted = [station for station in stations if self._has_work(station)]
        beside = [one for one in wanted if one != "processor"]
        self._apart = beside if apart is not None and "processor" in wanted and beside else []
        self._command = [*(apart or ()), ",".join(beside)]
        self._here = [station for station in wanted if station not in self._apart]
        self._stopping, self._failed = threading.Event(), ""

    def _has_work(self, station: Station) -> bool:
        """Whether the project gives the station anything to do."""
        if station == "sources":
            return any(feed.source.pulled for feed in self._declarations.feeds.values())
        if station == "contract":
            return self._project.contract is not None
        if station == "archive":
            return bool(self._declarations.archived_lanes())
        return True

    def run(self) -> None:
        """Work until told to stop. Raises WorkerError where a part of it ended by itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        gc.freeze()
        if self._here == ["processor"]:
            gc.set_threshold(OBJECTS_BETWEEN_COLLECTIONS)
        else:
            sys.setswitchinterval(SWITCH_INTERVAL_S)
        publisher = Publisher(self._broker, self._telemetry, self._clock)
        publisher.start()
        children = [self._start_child()] if self._apart else []
        parts = [self._part(name, run) for name, run in self._runs().items()]
        log.info("worker started", stations=list(self._stations), feeds=sorted(self._declarations.feeds))
        self._watch(children)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for part in parts:  # a source in the middle of loading is left behind; it has nothing half done
            part.join(max(0.0, deadline - time.monotonic()))
        for child in children:
            child.wait_or_kill(deadline)
        publisher.stop()
        self._broker.close()
        log.info("worker stopped")
        if self._failed:
            raise WorkerError(f"worker: {self._failed} ended by itself; its error is in the log")

    def _start_child(self) -> Child:
        """The process of the stations that run apart; made in this thread, whose end would end it."""
        environment = ARENAS | os.environ | {"REDIS_URL": self._settings.broker_url()}
        child = Child("+".join(self._apart), self._command, environment)
        child.start()
        return child

    def _watch(self, children: Sequence[Child]) -> None:
        """Stay until told to stop; a child that ended is started again."""
        while not self._stopping.wait(LOOK_AT_CHILD_S if children else None):
            for child in children:
                if (code := child.ended()) is not None:
                    again_s = child.pause_s
                    log.error("stations ended, starting them again", stations=child.name, code=code, pause_s=again_s)
                if child.due():
                    child.start()
        for child in children:
            child.ask_to_stop()

    def _runs(self) -> dict[str, Callable[[threading.Event], None]]:
        """What runs in this process, by station."""
        makers: dict[Station, Callable[[], Run]] = {
            "sources": lambda: self._sources().run,
            "processor": self._processor,
            "archive": self._archive,
            "contract": self._contract,
        }
        return {station: makers[station]() for station in self._here}

    def _processor(self) -> Run:
        return Processor(
            self._broker, self._declarations, self._telemetry, worker=self._name, tick_ms=self._settings.tick_ms,
            clock=self._clock,
        ).run

    def _archive(self) -> Run:
        from services.archive.archiver import Archiver  # SQLAlchemy stays out of the process that commits

        database = self._database()
        archiver = Archiver(
            self._broker, database, self._declarations, self._telemetry, worker=self._name, clock=self._clock
        )
        return self._once_prepared(database, archiver.run)

    def _contract(self) -> Run:
        from app.contract_parts import Surroundings, contract_parts  # not for a process that runs only the live path

        database = self._database()
        given = Surroundings(
            self._settings, self._project, self._declarations, self._broker, database, self._telemetry, self._clock,
            self._name,
        )

        def work(stop: threading.Event) -> None:
            PartRunner(self._broker, contract_parts(given), worker=self._name).run(stop)

        return self._once_prepared(database, work)

    def _database(self) -> Database:
        from services.database import Database

        return Database(self._settings.database_address)

    def _once_prepared(self, database: Database, run: Run) -> Run:
        """What runs as soon as the database is there: one that is away when the worker starts is waited for."""
        from app.in_force import note_in_force
        from services.database import DatabaseDown, prepare

        def wait_and_run(stop: threading.Event) -> None:
            told = False
            while not stop.is_set():
                try:
                    prepare(database)
                    note_in_force(database, self._project, self._name)
                    break
                except DatabaseDown as error:
                    if not told:
                        log.warning("database is waited for", error=str(error))
                    told = True
                    stop.wait(WAIT_FOR_DATABASE_S)
            run(stop)

        return wait_and_run

    def _part(self, name: str, run: Callable[[threading.Event], None]) -> threading.Thread:
        """A thread without which the worker is of no use: where it fails, all stops, to be started afresh."""

        def keep() -> None:
            try:
                run(self._stopping)
            except Exception:
                log.exception("part of the worker failed", part=name)
                self._failed = name
                self._stopping.set()

        thread = threading.Thread(target=keep, name=name, daemon=True)
        thread.start()
        return thread

    def _standings(self) -> Standings:
        from services.report.board import StandingRegister

        return StandingRegister(self._database())

    def _sources(self) -> SourceRunner:
        ingestion = Ingestion(self._broker, self._declarations, self._telemetry, self._clock)
        contract = load_contract(self._declarations, self._project)
        agreed = () if contract is None else contract.exclusions.upstream
        for feed in self._declarations.feeds.values():
            if isinstance(feed.source, OperationsSource):
                feed.source.observe(self._broker, self._declarations, agreed)
            if isinstance(feed.source, StandingSource):
                feed.source.observe(self._standings())

        def intake_of(feed: FeedSpec, stop: threading.Event) -> FeedIntake:
            return FeedIntake(ingestion, feed, stop, self._clock)

        def tell_error(feed: FeedSpec, text: str, cause: Cause) -> None:
            self._broker.source_error(Lane(feed.name, 0), text, cause)

        feeds = self._declarations.feeds.values()
        return SourceRunner(self._broker, feeds, intake_of, tell_error, worker=self._name)
