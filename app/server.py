"""Server: gunicorn's entry. Each of its processes makes the app after the fork and keeps its own gateway."""

from __future__ import annotations

import os
import signal
import sys
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any

import structlog
from gunicorn import util
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger
from gunicorn.workers import gthread

from app.addresses import bracketed
from app.factory import Web, create_app
from app.loading import DEMO, Project, load_declarations, load_pages
from app.patience import CONNECTIONS_MAX, FIELD_BYTES_MAX, FIELDS_MAX, LINE_BYTES_MAX, PatientWorker
from app.settings import Settings

log = structlog.get_logger("web")

GRACEFUL_TIMEOUT_S = 2
SWITCH_INTERVAL_S = 0.0005
"""How long a thread may hold the interpreter: the gateway's loop waits for it (p99 69 ms instead of 139)."""
DRAINED_WITHIN_S = 0.05
"""How long a thread waits for the rest of a body that nobody read, before it gives the connection up."""
LINGER_S = 0.05
"""How long gunicorn waits, in its main thread, for the other end of a connection that is over.

With its own 2 s a client that keeps such a connection open stops all HTTP for that time.
"""


class QuietLogger(Logger):  # type: ignore[misc] # gunicorn has no types
    """gunicorn's messages through our own logging; its access log stays off."""

    def setup(self, cfg: Any) -> None:
        self.error_log.propagate = True
        self.error_log.handlers.clear()


class WebServer(BaseApplication):  # type: ignore[misc] # gunicorn has no types
    """gunicorn with our settings: `WebServer(settings).run()` serves until SIGTERM."""

    def __init__(self, settings: Settings, project: Project = DEMO) -> None:
        self._settings, self._project = settings, project
        self.web: Web | None = None
        super().__init__()

    def load_config(self) -> None:
        for name, value in gunicorn_settings(self._settings).items():
            self.cfg.set(name, value)

    def run(self) -> None:
        """Serve until told to stop. Raises DeclarationError before anything is served.

        Feeds and pages are loaded here once: a wrong one is told once, and the processes share their memory.
        """
        load_pages(load_declarations(self._project), self._project)
        super().run()

    def load(self) -> Any:
        """The WSGI application of this process; called after the fork."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        gthread.DEFAULT_WORKER_DATA_TIMEOUT = DRAINED_WITHIN_S
        util.close_graceful = partial(util.close_graceful, timeout=LINGER_S)
        self.web = create_app(self._settings, self._project)
        return self.web.server


def gunicorn_settings(settings: Settings) -> dict[str, Any]:
    """What gunicorn is told, by its own names.

    `max_requests` stays 0: a restart by count would drop every viewer of the process.
    """
    shared_memory = Path("/dev/shm")  # noqa: S108 - gunicorn's heartbeat file, which a disk may stall
    return {
        "bind": [f"{bracketed(settings.host)}:{settings.port}"],
        "workers": settings.web_processes,
        "worker_class": PatientWorker,
        "worker_connections": CONNECTIONS_MAX,
        "limit_request_line": LINE_BYTES_MAX,
        "limit_request_fields": FIELDS_MAX,
        "limit_request_field_size": FIELD_BYTES_MAX,
        "threads": settings.threads,
        "timeout": 30,
        "graceful_timeout": GRACEFUL_TIMEOUT_S,
        "keepalive": 15,
        "max_requests": 0,
        # what a proxy says is read in one place, and only when told (app/transport.py); a PaaS sets '*' by environment
        "forwarded_allow_ips": "",
        "secure_scheme_headers": {},
        "control_socket_disable": True,
        "worker_tmp_dir": str(shared_memory) if os.access(shared_memory, os.W_OK) else None,
        "logger_class": QuietLogger,
        "loglevel": "debug" if settings.log_level == "debug" else "warning",  # its routine is not ours to tell
        "post_worker_init": _start,
        "worker_exit": _stop,
        "proc_name": "headwater-web",
    }


def _start(worker: Any) -> None:
    worker.app.web.start()
    _let_viewers_go_on_sigterm(worker.app.web)
    log.info("web process started", pid=worker.pid)


def _let_viewers_go_on_sigterm(web: Web) -> None:
    """Close viewers' sockets, and hand over what was measured, as soon as the process is told to end.

    gunicorn waits for kept-alive connections first, up to all of the time that it has; what it kills then
    has told no viewer why.
    """
    stop = signal.getsignal(signal.SIGTERM)

    def close_and_stop(number: int, frame: FrameType | None) -> None:
        web.gateway.begin_stop()
        web.publisher.begin_stop()
        if callable(stop):
            stop(number, frame)

    signal.signal(signal.SIGTERM, close_and_stop)


def _stop(_: Any, worker: Any) -> None:
    if worker.app.web is not None:
        worker.app.web.stop()
        log.info("web process stopped", pid=worker.pid)
