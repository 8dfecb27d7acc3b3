"""`python -m tests.project web|worker [STATIONS]`: the product's own processes, serving the test project."""

import os
import sys
from pathlib import Path

import tests.project.feeds
import tests.project.pages
from app.loading import Project
from app.logs import start_logging
from app.settings import read_settings
from tests.project import TOGETHER
from tests.project.planted import ENVIRONMENT, plant

SEES = "HEADWATER_TEST_SEES"
"""Who comes to this web process sees these channels alone: names or patterns, separated by spaces."""
_HERE = Path(__file__).parent
PROJECT = Project(tests.project.feeds, tests.project.pages, _HERE / "contract.toml", _HERE / "roles.toml")


def main() -> None:
    _, role, *stations = sys.argv
    plant(os.environ.get(ENVIRONMENT, ""))
    settings = read_settings()
    start_logging(role, settings.log_level)
    if role == "web":
        from app.doors import Doors
        from app.server import WebServer
        from services.accounts import Principal

        if patterns := os.environ.get(SEES, "").split():
            Doors.principal = lambda _: Principal("some", channels=tuple(patterns))  # type: ignore[method-assign]
        WebServer(settings, PROJECT).run()
    else:
        from app.worker import Worker, read_stations

        apart = None if TOGETHER in os.environ else [sys.executable, "-m", "tests.project", "worker"]
        Worker(settings, project=PROJECT, stations=read_stations(",".join(stations)), apart=apart).run()


if __name__ == "__main__":
    main()
