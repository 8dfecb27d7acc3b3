"""Publisher: tells the broker once a second what this process measured, and each minute's sheet when it is over."""

from __future__ import annotations

import os
import socket
import threading

import psutil
import structlog

from services.broker import Broker, BrokerDown
from services.clocks import SAMPLES, BrokerClock
from services.telemetry import Telemetry

PUBLISH_EVERY_S = 1.0
ASK_TIME_EVERY = 10
"""Rounds between two looks at the broker's clock; the first eight rounds all look."""

log = structlog.get_logger("publisher")


def process_name(role: str) -> str:
    """A name that no other running process has."""
    return f"{role}-{socket.gethostname()}-{os.getpid()}"


class Publisher:
    """A thread of its own; a broker that is down costs only the last minute's figures: sheets wait for it."""

    def __init__(self, broker: Broker, telemetry: Telemetry, clock: BrokerClock | None = None) -> None:
        self._broker, self.telemetry, self._clock = broker, telemetry, clock
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def begin_stop(self) -> None:
        """Hand over what was measured, without waiting: a signal's handler may call it, and may be killed after it."""
        self._stopping.set()

    def stop(self) -> None:
        """Publish no more, and take this process off the list."""
        self.begin_stop()
        if self._thread is not None:
            self._thread.join()
        else:
            self._leave()

    def _leave(self) -> None:
        try:
            self._hand_over(all_of_it=True)
            self._broker.forget_telemetry([self.telemetry.process])
        except BrokerDown as error:
            log.debug("not taken off the list", error=str(error))

    def _run(self) -> None:
        this, rounds = psutil.Process(), 0
        while not self._stopping.is_set():
            self.telemetry.gauge("memory_mb", round(this.memory_info().rss / 1e6, 1))
            self.telemetry.gauge("threads", threading.active_count())
            self.telemetry.gauge("cpu_seconds", sum(this.cpu_times()[:2]))
            try:
                if self._clock is not None and (rounds < SAMPLES or rounds % ASK_TIME_EVERY == 0):
                    self._broker.ask_time(self._clock)
                self._broker.write_telemetry(self.telemetry.process, self.telemetry.payload())
                self._hand_over()
                if samples := self.telemetry.take_samples():
                    self._broker.write_samples(samples)
            except BrokerDown as error:
                log.debug("not published", error=str(error))
            rounds += 1
            self._stopping.wait(PUBLISH_EVERY_S)
        self._leave()

    def _hand_over(self, *, all_of_it: bool = False) -> None:
        """Sheets that may not have arrived are kept: one that arrives twice is known by its id."""
        sheets = self.telemetry.take_sheets(all_of_it=all_of_it)
        if not sheets:
            return
        try:
            self._broker.write_sheets([sheet.encoded() for sheet in sheets])
        except BrokerDown:
            self.telemetry.return_sheets(sheets)
            raise
