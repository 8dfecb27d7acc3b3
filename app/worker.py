"""Worker: the process that runs sources and processor, wired together; it knows neither Dash nor HTTP."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from app.loading import DEMO, Project, load_declarations
from app.publisher import Publisher, process_name
from app.settings import Settings, SettingsError
from services.broker import Broker
from services.declare import Declarations, FeedSpec, Lane
from services.ingestion import FeedIntake, Ingestion
from services.positions import wall_clock
from services.processor import Processor
from services.sources.operations import OperationsSource
from services.sources.runner import SourceRunner
from services.sources.source import Intake
from services.telemetry import Telemetry

STOP_TIMEOUT_S = 2.5

log = structlog.get_logger("worker")


class WorkerError(RuntimeError):
    """A part of the worker ended by itself; its log line says why."""


class Worker:
    """One worker; `feeds` narrows it to these. `run` stays until SIGTERM or SIGINT."""

    def __init__(self, settings: Settings, *, project: Project = DEMO, feeds: Sequence[str] = ()) -> None:
        self._declarations = _only(load_declarations(project), feeds)
        self._broker = Broker(settings.broker_url())
        name = process_name("worker")
        self._telemetry = Telemetry(name, "worker")
        self._ingestion = Ingestion(self._broker, self._declarations, self._telemetry)
        self._processor = Processor(
            self._broker, self._declarations, self._telemetry, worker=name, tick_ms=settings.tick_ms
        )
        self._stopping, self._failed = threading.Event(), ""

    def run(self) -> None:
        """Work until told to stop. Raises WorkerError where a part of it ended by itself."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopping.set())
        publisher = Publisher(self._broker, self._telemetry)
        publisher.start()
        parts = [self._part("processor", self._processor.run), self._part("sources", self._sources().run)]
        log.info("worker started", feeds=sorted(self._declarations.feeds))
        self._stopping.wait()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for part in parts:  # a source in the middle of loading is left behind; it has nothing half done
            part.join(max(0.0, deadline - time.monotonic()))
        publisher.stop()
        self._broker.close()
        log.info("worker stopped")
        if self._failed:
            raise WorkerError(f"worker: {self._failed} ended by itself; its error is in the log")

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
        for feed in self._declarations.feeds.values():
            if isinstance(feed.source, OperationsSource):
                feed.source.observe(self._broker, self._declarations)
        return SourceRunner(
            self._declarations.feeds.values(), self._intake, self._processor.leads, self._tell_source_error
        )

    def _intake(self, feed: FeedSpec, stop: threading.Event) -> Intake:
        return FeedIntake(self._ingestion, feed, stop, wall_clock)

    def _tell_source_error(self, feed: FeedSpec, text: str) -> None:
        self._broker.source_error(Lane(feed.name, 0), text)


def _only(declarations: Declarations, feeds: Sequence[str]) -> Declarations:
    """The part of the declarations that belongs to these feeds; all of it where none is named."""
    if not feeds:
        return declarations
    for name in feeds:
        if name not in declarations.feeds:
            raise SettingsError(f"--only: {name!r}: no such feed; name one of {', '.join(sorted(declarations.feeds))}")
    chosen = {name: declarations.feeds[name] for name in feeds}
    channels = {name: channel for name, channel in declarations.channels.items() if channel.feed.name in chosen}
    return Declarations(chosen, channels)
