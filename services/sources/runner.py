"""Runner: runs a feed's pulled source in the one worker that leads the feed, and tells of its trouble."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import structlog

from services.declare import FeedSpec, Lane
from services.sources.source import Intake

IntakeOf = Callable[[FeedSpec, threading.Event], Intake]
_LOOK_EVERY_S = 0.25
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
        feeds: Iterable[FeedSpec],
        intake_of: IntakeOf,
        leads: Callable[[Lane], bool],
        tell: Callable[[FeedSpec, str], None],
    ) -> None:
        self._feeds = [feed for feed in feeds if feed.source.pulled]
        self._intake_of, self._leads, self._tell = intake_of, leads, tell
        self._running: dict[str, _Running] = {}

    def run(self, stop: threading.Event) -> None:
        """Keep exactly the sources of led feeds running until told to stop."""
        while not stop.wait(_LOOK_EVERY_S):
            for feed in self._feeds:
                self._follow(feed)
        for running in self._running.values():
            running.stop.set()
        for running in self._running.values():
            running.thread.join(_STOP_TIMEOUT_S)

    def _follow(self, feed: FeedSpec) -> None:
        running = self._running.get(feed.name)
        leading = self._leads(Lane(feed.name, 0))
        if running is not None and not leading:
            running.stop.set()
            del self._running[feed.name]
        elif running is None and leading:
            stop = threading.Event()
            thread = threading.Thread(target=self._keep, args=(feed, stop), name=f"source-{feed.name}", daemon=True)
            self._running[feed.name] = _Running(thread, stop)
            thread.start()

    def _keep(self, feed: FeedSpec, stop: threading.Event) -> None:
        """Run a source again and again: its failure is shown, and stays its own."""
        failures = 0
        while not stop.is_set():
            try:
                feed.source.run(self._intake_of(feed, stop))
            except Exception as error:  # whatever a source raises must not take the worker down
                log.exception("source failed", feed=feed.name)
                self._report(feed, f"{type(error).__name__}: {error}")
            stop.wait(_BACKOFF_S[min(failures, len(_BACKOFF_S) - 1)])
            failures += 1

    def _report(self, feed: FeedSpec, text: str) -> None:
        try:
            self._tell(feed, text[:500])
        except Exception:  # the broker may be what is in trouble; the log has the error already
            log.exception("source error not reported", feed=feed.name)
