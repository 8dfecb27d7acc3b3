"""`python -m tests.busy [STATIONS]`: the product's own worker, serving the busy project."""

import sys

import tests.busy.feeds
import tests.busy.pages
from app.loading import Project
from app.logs import start_logging
from app.settings import read_settings
from app.worker import Worker, read_stations

PROJECT = Project(tests.busy.feeds, tests.busy.pages)

if __name__ == "__main__":
    settings = read_settings()
    start_logging("worker", settings.log_level)
    stations = read_stations(sys.argv[1] if len(sys.argv) > 1 else "")
    Worker(settings, project=PROJECT, stations=stations, apart=[sys.executable, "-m", "tests.busy"]).run()
