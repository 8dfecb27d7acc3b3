"""Runner: runs each pulled source in the one worker that leads its feed, and tells of its trouble."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from services.broker import Broker, BrokerDown
from services.declare import FeedSpec, Lane
from services.leadership import Leadership, Renewal
from services.sources.source import Intake

IntakeOf = Callable[[FeedSpec, threading.Event], Intake]
RENEW_EVERY_S = 0.5
_BACKOFF_S = (1.0, 2.0, 5.0, 10.0, 30.0)
_STOP_TIMEOUT_S = 2.0

log = structlog.get_logger("sources")


@dataclass(slots=True)
class _Running:
    thread: threading.Thread
    stop: threading.Event


class SourceRunner:
    """Starts and stops sources as leadership moves. `tell` receives a feed and the text of its source's error."""

    def __init__(
        self,
        broker: Broker,
        feeds: Iterable[FeedSpec],
        intake_of: IntakeOf,
        tell: Callable[[FeedSpec, str], None],
        *,
        worker: str,
    ) -> None:
        self._feeds = {Lane(feed.name, 0): feed for feed in feeds if feed.source.pulled}
        self._leadership = Leadership(broker, "sources", list(self._feeds), worker)
        self._intake_of, self._tell = intake_of, tell
        self._running: dict[Lane, _Running] = {}

    def run(self, stop: threading.Event) -> None:
        """Keep exactly the sources of led feeds running until told to stop; then let others take them at once."""
        while not stop.is_set():
            try:
                self._follow(self._leadership.renew())
            except BrokerDown as error:  # sources wait by themselves; the next renewal tells what was lost
                log.warning("sources not renewed", error=str(error))
            stop.wait(RENEW_EVERY_S)
        self._end_all()

    def _follow(self, renewal: Renewal) -> None:
        for lane in renewal.lost:
            self._end(lane)
        for lane in renewal.taken:
            self._start(lane)
        if renewal.excess is not None:
            self._end(renewal.excess)
            self._leadership.give_back(renewal.excess)

    def _start(self, lane: Lane) -> None:
        feed, stop = self._feeds[lane], threading.Event()
        thread = threading.Thread(target=self._keep, args=(feed, stop), name=f"source-{feed.name}", daemon=True)
        self._running[lane] = _Running(thread, stop)
        thread.start()
        log.info("source started", feed=feed.name)

    def _end(self, lane: Lane) -> None:
        running = self._running.pop(lane, None)
        if running is not None:
            running.stop.set()
            running.thread.join(_STOP_TIMEOUT_S)

    def _end_all(self) -> None:
        for running in self._running.values():
            running.stop.set()
        for lane in list(self._running):
            self._end(lane)
        try:
            self._leadership.leave()
        except BrokerDown as error:
            log.warning("sources not handed over", error=str(error))

    def _keep(self, feed: FeedSpec, stop: threading.Event) -> None:
        """Run a source again and again: its failure is shown, and stays its own."""
        failures = 0
        while not stop.is_set():
            try:
                feed.source.run(self._intake_of(feed, stop))
            except Exception as error:  # whatever a source raises must not take the worker down
                told = type(error).__name__ if feed.personal else f"{type(error).__name__}: {error}"
                # the text of an error may quote a record
                log.error("source failed", feed=feed.name, error=told, exc_info=not feed.personal)
                self._report(feed, told)
            stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
            failures += 1

    def _report(self, feed: FeedSpec, text: str) -> None:
        try:
            self._tell(feed, text[:500])
        except Exception:  # the broker may be what is in trouble; the log has the error already
            log.exception("source error not reported", feed=feed.name)
