"""Journeys: a person's way through the running product, in Chromium."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from dash.testing.browser import Browser
from selenium.webdriver.chrome.options import Options

from tests.chromium import FLAGS
from tests.installation import Installation
from tests.journeys.browser import Viewer, new_window
from tests.journeys.proxy import FaultProxy


def pytest_setup_options() -> Options:
    """Asked for by dash[testing]: how Chromium is started."""
    options = Options()
    for flag in (*FLAGS, "--window-size=1280,1000"):
        options.add_argument(flag)
    return options


@pytest.fixture(scope="module")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """One running system for the journeys of a file; each posts orders of its own."""
    running = Installation(tmp_path_factory.mktemp("installation"), forked=True)
    running.start()
    running.wait_archive()
    yield running
    running.stop()


@pytest.fixture
def own_installation(tmp_path: Path) -> Iterator[Installation]:
    """A running system for one journey that breaks it."""
    running = Installation(tmp_path, forked=True)
    running.start()
    yield running
    running.stop()


@pytest.fixture(scope="session")
def chromium(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The browser of dash[testing], started once: to start it costs as much as many a journey."""
    downloads = str(tmp_path_factory.mktemp("downloads"))
    options = request.config.hook.pytest_setup_options()
    with Browser("chrome", headless=True, options=options, download_path=downloads, percy_run=False) as browser:
        yield browser.driver


@pytest.fixture
def viewer(chromium: Any) -> Iterator[Viewer]:
    """A person at the browser, in a window of their own, of whom nothing is left: neither socket, nor cookie."""
    with new_window(chromium):
        opened = Viewer(chromium)
        yield opened
        opened.leave()


@pytest.fixture
def proxy(installation: Installation) -> Iterator[FaultProxy]:
    """A link to the running system that a journey may damage."""
    link = FaultProxy(installation.port)
    yield link
    link.close()
