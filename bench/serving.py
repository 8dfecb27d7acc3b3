"""Serving: the product's own processes with a project of the benches; `python -m PROJECT web|worker [STATIONS]`."""

from __future__ import annotations

import sys

from app.loading import Project
from app.logs import start_logging
from app.settings import read_settings


def serve(project: Project, module: str, role: str, stations: str = "") -> None:
    """Run one process of the project until it is told to stop; `module` starts the worker's children."""
    settings = read_settings()
    start_logging(role, settings.log_level)
    if role == "web":
        from app.server import WebServer

        WebServer(settings, project).run()
    else:
        from app.worker import Worker, read_stations

        apart = [sys.executable, "-m", module, "worker"]
        Worker(settings, project=project, stations=read_stations(stations), apart=apart).run()
