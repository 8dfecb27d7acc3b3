"""Supervisor: `headwater up`. Broker, worker and web under one roof, started in order and stopped together.

One for each data directory, by a file lock. A child that ends is started again; a broker of our own keeps
its data and its address over a restart. Whatever ends the supervisor, `kill -9` included, ends its children.
"""

from __future__ import annotations

import contextlib
import fcntl
import http.client
import os
import secrets
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import IO

import structlog

from app.child import OURSELVES, Child
from app.ports import port_is_free
from app.reloading import LOOK_S, SavedFiles
from app.settings import Settings
from services.database import Database, migrate
from services.embedded import EmbeddedBroker

WATCH_S = 0.2
STOP_TIMEOUT_S = 5.0
START_ATTEMPTS = 3
SLOW_START_S = 30.0

log = structlog.get_logger()


class SupervisorError(RuntimeError):
    """The system cannot run here; the message says why and what to do."""


class Supervisor:
    """Runs everything in the foreground until it is told to stop.

    `announce` is called once, as soon as live data can be seen. Where `files` are given, which is in development, web
    and worker are told to leave out what is wrong, and are started anew when one of them was saved.
    """

    def __init__(
        self, settings: Settings, *, announce: Callable[[], None], files: SavedFiles | None = None
    ) -> None:
        self._settings, self._announce, self._files = settings, announce, files
        self._stopping = threading.Event()
        self._broker: EmbeddedBroker | None = None
        self._children: list[Child] = []
        self._announced = False

    def run(self) -> None:
        """Start everything and stay. Raises SupervisorError or EmbeddedBrokerError where that cannot be."""
        data = self._settings.data
        data.mkdir(parents=True, exist_ok=True)
        with _only_one(data), self._signals_heard():
            _refuse_taken_port(self._settings)
            key = local_ingest_key(data)
            _migrate(self._settings)
            try:
                url = self._settings.redis_url or self._start_broker()
                self._start_children(url, key)
                self._watch()
            finally:
                self._stop_all()

    def stop(self) -> None:
        """End `run`; safe to call from a signal handler and more than once."""
        self._stopping.set()

    @contextlib.contextmanager
    def _signals_heard(self) -> Iterator[None]:
        """The second Ctrl-C changes nothing: children are ending already, and killed where they linger."""
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        before = {number: signal.signal(number, lambda *_: self.stop()) for number in numbers}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _start_broker(self) -> str:
        self._broker = EmbeddedBroker(self._settings.data, memory_mb=self._settings.broker_memory_mb)
        url = self._broker.start()
        log.info("broker started", url=url, pid=self._broker.pid)
        return url

    def _start_children(self, broker_url: str, key: str) -> None:
        keys = " ".join([*self._settings.ingest_keys, f"local:{key}:*"])
        environment = {**os.environ, "REDIS_URL": broker_url, "HEADWATER_INGEST_KEYS": keys}
        told = () if self._files is None else ("--development",)
        for name in ("worker", "web"):
            child = Child(name, [*OURSELVES, name, *told], environment)
            child.start()
            log.info("process started", child=name, pid=child.pid)
            self._children.append(child)

    def _watch(self) -> None:
        started, looked, warned = time.monotonic(), 0.0, False
        while not self._stopping.wait(WATCH_S):
            if self._broker is not None and not self._broker.running():
                log.error("broker ended, starting it again")
                self._broker.start()
            for child in self._children:
                self._keep_alive(child)
            if self._files is not None and time.monotonic() >= looked + LOOK_S:
                looked = time.monotonic()
                self._load_anew(self._files, self._files.saved())
            if not self._announced and _is_ready(self._settings):
                self._announced = True
                self._announce()
            if not (self._announced or warned) and time.monotonic() - started > SLOW_START_S:
                warned = True
                log.warning("not ready yet", waited_s=SLOW_START_S, readiness=f"{self._settings.url}/readyz")

    def _load_anew(self, files: SavedFiles, saved: Sequence[Path]) -> None:
        """Start what has loaded one of these files again, together, and without a pause after a failure."""
        if not saved:
            return
        log.info("files were saved, loading them anew", files=[str(path) for path in saved])
        worker_too = any(map(files.of_worker, saved))
        stale = [child for child in self._children if child.name == "web" or worker_too]
        for child in stale:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for child in stale:
            child.wait_or_kill(deadline)
            child.start()

    def _keep_alive(self, child: Child) -> None:
        code = child.ended()
        if code is not None:
            if not self._announced and child.failures >= START_ATTEMPTS:
                raise SupervisorError(
                    f"{child.name} ended {child.failures} times before anything was ready, at last with code {code}; "
                    "its own lines above say why"
                )
            log.error("process ended, starting it again", child=child.name, code=code, pause_s=child.pause_s)
        if child.due():
            child.start()
            log.info("process started", child=child.name, pid=child.pid)

    def _stop_all(self) -> None:
        """Web and worker first, together; the broker last, so that they can finish their commits."""
        for child in self._children:
            child.ask_to_stop()
        deadline = time.monotonic() + STOP_TIMEOUT_S
        for child in self._children:
            if not child.wait_or_kill(deadline):
                log.warning("process killed, it did not stop in time", child=child.name, limit_s=STOP_TIMEOUT_S)
        if self._broker is not None:
            self._broker.close()
        log.info("stopped")


@contextlib.contextmanager
def _only_one(data: Path) -> Iterator[IO[str]]:
    """Hold the data directory's lock; it falls with the process, however that ends."""
    with (data / "supervisor.lock").open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            raise SupervisorError(
                f"already running for {data} (process {lock.read().strip() or 'unknown'}); stop that one, "
                "or set HEADWATER_DATA and PORT for a second one"
            ) from None
        lock.truncate(0)
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield lock


def _refuse_taken_port(settings: Settings) -> None:
    if not port_is_free(settings.host, settings.port):
        raise SupervisorError(
            f"PORT: {settings.port} on {settings.host} is taken by another program; stop it, or set PORT to a free one"
        )


def _migrate(settings: Settings) -> None:
    """Here nobody runs `headwater release` first. Raises DatabaseDown."""
    database = Database(settings.database_address)
    before = migrate(database)
    database.close()
    if not before.current:
        log.info("database migrated", database=database.address, before=before.found, now=before.needed)


def local_ingest_key(data: Path) -> str:
    """The secret with which this machine's user may post to every feed; made on the first start."""
    path = data / "ingest.key"
    with contextlib.suppress(FileNotFoundError):
        if secret := path.read_text().strip():
            return secret
    secret = secrets.token_urlsafe(24)
    path.touch(mode=0o600)
    path.chmod(0o600)
    path.write_text(f"{secret}\n")
    return secret


def _is_ready(settings: Settings) -> bool:
    connection = http.client.HTTPConnection(settings.local_host, settings.port, timeout=2.0)
    with contextlib.closing(connection), contextlib.suppress(OSError, http.client.HTTPException):
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    return False
