"""Publisher: tells the broker once a second what this process measured."""

from __future__ import annotations

import os
import socket
import threading

import psutil
import structlog

from services.broker import Broker, BrokerDown
from services.telemetry import Telemetry

PUBLISH_EVERY_S = 1.0

log = structlog.get_logger("publisher")


def process_name(role: str) -> str:
    """A name that no other running process has."""
    return f"{role}-{socket.gethostname()}-{os.getpid()}"


class Publisher:
    """A thread of its own; a broker that is down costs only the figures of that time."""

    def __init__(self, broker: Broker, telemetry: Telemetry) -> None:
        self._broker, self._telemetry = broker, telemetry
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="publisher", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Publish no more, and take this process off the list."""
        self._stopping.set()
        if self._thread is not None:
            self._thread.join()
        try:
            self._broker.forget_telemetry([self._telemetry.process])
        except BrokerDown as error:
            log.debug("not taken off the list", error=str(error))

    def _run(self) -> None:
        this = psutil.Process()
        while not self._stopping.is_set():
            self._telemetry.gauge("memory_mb", round(this.memory_info().rss / 1e6, 1))
            self._telemetry.gauge("threads", threading.active_count())
            self._telemetry.gauge("cpu_seconds", sum(this.cpu_times()[:2]))
            try:
                self._broker.write_telemetry(self._telemetry.process, self._telemetry.payload())
            except BrokerDown as error:
                log.debug("not published", error=str(error))
            self._stopping.wait(PUBLISH_EVERY_S)
