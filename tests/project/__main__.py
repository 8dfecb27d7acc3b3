"""`python -m tests.project web|worker`: the product's own processes, serving the test project."""

import os
import sys
from pathlib import Path

import tests.project.feeds
import tests.project.pages
from app.loading import Project
from app.logs import start_logging
from app.settings import read_settings
from tests.project.planted import ENVIRONMENT, plant

PROJECT = Project(tests.project.feeds, tests.project.pages, Path(__file__).with_name("contract.toml"))


def main(role: str) -> None:
    plant(os.environ.get(ENVIRONMENT, ""))
    settings = read_settings()
    start_logging(role, settings.log_level)
    if role == "web":
        from app.server import WebServer

        WebServer(settings, PROJECT).run()
    else:
        from app.worker import Worker

        Worker(settings, project=PROJECT).run()


if __name__ == "__main__":
    main(sys.argv[1])
