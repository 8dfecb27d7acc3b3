"""Reading: a thread of the web process that keeps the last known standing at hand, so that no request waits for it."""

from __future__ import annotations

import threading

import structlog

from services.database import Database
from services.report.board import LastKnown

EVERY_S = 5.0
log = structlog.get_logger("report")


class StandingReader:
    """Looks every few seconds; a database that is down costs only the newest figures."""

    def __init__(self, known: LastKnown, database: Database) -> None:
        self.known, self._database = known, database
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        self._thread = threading.Thread(target=self._run, name="standing", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Look no more; a look that waits for the database is not waited for."""
        self._stopping.set()
        self._database.close()

    def _run(self) -> None:
        while not self._stopping.is_set():
            try:
                self.known.look()
            except Exception:  # the page shows what was known; the next look may succeed
                log.exception("standing not read")
            self._stopping.wait(EVERY_S)
