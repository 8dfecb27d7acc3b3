"""Runner: runs each pulled source in the one worker that leads its feed, and tells of its trouble."""

from __future__ import annotations

import random
import re
import threading
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import structlog

from services.broker import Broker, BrokerDown
from services.declare import PERSONAL, FeedSpec, Lane
from services.leadership import Leadership, Renewal
from services.sources.source import Intake
from services.sources.trouble import Cause, SourceTrouble


class AnsweredIntake(Intake, Protocol):
    """An intake that knows when the source last gave records or a sign of life; 0 where it never did."""

    answered_at: int


IntakeOf = Callable[[FeedSpec, threading.Event], AnsweredIntake]
RENEW_EVERY_S = 0.5
BACKOFF_FIRST_S, BACKOFF_MOST_S = 1.0, 30.0
_STOP_TIMEOUT_S = 2.0
_TEXT_MAX = 450
_QUOTED = re.compile(r"[\"'`]")
_CHANCE = random.SystemRandom()

log = structlog.get_logger("sources")


@dataclass(slots=True)
class _Running:
    thread: threading.Thread
    stop: threading.Event


class SourceRunner:
    """Starts and stops sources as leadership moves. `tell` receives a feed, its source's last answer, and the cause."""

    def __init__(
        self,
        broker: Broker,
        feeds: Iterable[FeedSpec],
        intake_of: IntakeOf,
        tell: Callable[[FeedSpec, str, Cause], None],
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
        """Run a source again and again: its failure is shown, and stays its own.

        After each run that gave nothing it waits for longer; one that gave something begins anew.
        """
        failures = answered_at = 0
        while not stop.is_set():
            intake, wait_s = self._intake_of(feed, stop), None
            intake.answered_at = answered_at
            try:
                feed.source.run(intake)
            except SourceTrouble as trouble:
                # what a database says of a value that it cannot read quotes it
                text = _reticent(str(trouble)) if feed.personal else str(trouble)
                self._tell_of(feed, text, trouble.cause, intake.answered_at)
                wait_s = trouble.again_s
            except Exception as error:  # whatever a source raises must not take the worker down
                # the text of an error may quote a record
                text = type(error).__name__ if feed.personal else f"{type(error).__name__}: {error}"
                told = "" if feed.personal else traceback.format_exc()
                self._tell_of(feed, text, "source_error", intake.answered_at, told)
            failures = 0 if intake.answered_at > answered_at else failures + 1
            answered_at = intake.answered_at
            stop.wait(backoff_s(failures) if wait_s is None else wait_s)

    def _tell_of(self, feed: FeedSpec, text: str, cause: Cause, answered_at: int, trace: str = "") -> None:
        told = feed.source.hidden(text)[:_TEXT_MAX]
        if answered_at:
            told += f"; last answer {datetime.fromtimestamp(answered_at / 1000, UTC):%Y-%m-%d %H:%M:%S} UTC"
        more = {"exception": feed.source.hidden(trace)} if trace else {}
        log.error("source failed", feed=feed.name, error=told, cause=cause, **more)
        try:
            self._tell(feed, told, cause)
        except Exception:  # the broker may be what is in trouble; the log has the error already
            log.exception("source error not reported", feed=feed.name)


def backoff_s(failures: int) -> float:
    """How long to wait after so many failures in a row: twice as long each time up to half a minute, less up to half of
    it by chance, so that all who wait for one server do not come back at once."""
    return min(BACKOFF_MOST_S, BACKOFF_FIRST_S * 2.0 ** min(failures, 10)) * _CHANCE.uniform(0.5, 1.0)


def _reticent(text: str) -> str:
    """The text up to what it quotes."""
    said, *quoted = _QUOTED.split(text, maxsplit=1)
    return f"{said}{PERSONAL}" if quoted else said
