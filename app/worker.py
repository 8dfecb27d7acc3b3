"""Worker: the process that runs processor and sources, wired together; it knows neither Dash nor HTTP.

Its stations keep apart: the processor has this process for itself, and sources run in a child of it, so that
reading a large file never delays a commit. `--only` puts a station into a worker of its own.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Collection, Sequence
from typing import Literal, get_args

import structlog

from app.child import Child
from app.loading import DEMO, Project, load_declarations
from app.publisher import Publisher, process_name
from app.settings import Settings, SettingsError
from services.broker import Broker
from services.declare import FeedSpec, Lane
from services.ingestion import FeedIntake, Ingestion
from services.positions import wall_clock
from services.processor import Processor
from services.sources.operations import OperationsSource
from services.sources.runner import SourceRunner
from services.sources.source import Intake
from services.telemetry import Telemetry

Station = Literal["sources", "processor"]
STATIONS: tuple[Station, ...] = get_args(Station)
STOP_TIMEOUT_S = 2.5
LOOK_AT_CHILD_S = 0.2

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

    `apart` is the command that runs the sources alone: where it is given and both stations are wanted, they run
    in that child process; without it, in a thread of this one.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        project: Project = DEMO,
        stations: Collection[Station] = STATIONS,
        apart: Sequence[str] | None = None,
    ) -> None:
        self._settings, self._stations = settings, stations
        self._declarations = load_declarations(project)
        self._broker = Broker(settings.broker_url())
        self._name = process_name("worker")
        self._telemetry = Telemetry(self._name, "+".join(stations) if len(stations) < len(STATIONS) else "worker")
        pulled = any(feed.source.pulled for feed in self._declarations.feeds.values())
        self._apart = apart if len(stations) == len(STATIONS) and pulled else None
        self._stopping, self._failed = threading.Event(), ""

    def run(self) -> None:
        """Work until told to stop. Raises WorkerError where a part of it ended by itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        publisher = Publisher(self._broker, self._telemetry)
        publisher.start()
        child = self._start_child()
        parts = [self._part(name, run) for name, run in self._runs().items()]
        log.info("worker started", stations=list(self._stations), feeds=sorted(self._declarations.feeds))
        self._watch(child)
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for part in parts:  # a source in the middle of loading is left behind; it has nothing half done
            part.join(max(0.0, deadline - time.monotonic()))
        if child is not None:
            child.wait_or_kill(deadline)
        publisher.stop()
        self._broker.close()
        log.info("worker stopped")
        if self._failed:
            raise WorkerError(f"worker: {self._failed} ended by itself; its error is in the log")

    def _start_child(self) -> Child | None:
        """The process of the sources, where they run apart; made in this thread, whose end would end it."""
        if self._apart is None:
            return None
        child = Child("sources", self._apart, os.environ | {"REDIS_URL": self._settings.broker_url()})
        child.start()
        return child

    def _watch(self, child: Child | None) -> None:
        """Stay until told to stop; a child that ended is started again."""
        while not self._stopping.wait(LOOK_AT_CHILD_S if child is not None else None):
            if child is None:
                continue
            if (code := child.ended()) is not None:
                log.error("sources ended, starting them again", code=code, pause_s=child.pause_s)
            if child.due():
                child.start()
        if child is not None:
            child.ask_to_stop()

    def _runs(self) -> dict[str, Callable[[threading.Event], None]]:
        """What runs in this process, by station."""
        runs: dict[str, Callable[[threading.Event], None]] = {}
        if "processor" in self._stations:
            tick_ms = self._settings.tick_ms
            runs["processor"] = Processor(
                self._broker, self._declarations, self._telemetry, worker=self._name, tick_ms=tick_ms
            ).run
        if "sources" in self._stations and self._apart is None:
            runs["sources"] = self._sources().run
        return runs

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

    def _sources(self) -> SourceRunner:
        ingestion = Ingestion(self._broker, self._declarations, self._telemetry)
        for feed in self._declarations.feeds.values():
            if isinstance(feed.source, OperationsSource):
                feed.source.observe(self._broker, self._declarations)

        def intake_of(feed: FeedSpec, stop: threading.Event) -> Intake:
            return FeedIntake(ingestion, feed, stop, wall_clock)

        def tell_error(feed: FeedSpec, text: str) -> None:
            self._broker.source_error(Lane(feed.name, 0), text)

        feeds = self._declarations.feeds.values()
        return SourceRunner(self._broker, feeds, intake_of, tell_error, worker=self._name)
