"""What browsers let our pages do: every page keeps to its policy, whatever is opened on it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.keys import Keys

from tests.app.running import environment
from tests.installation import ROOT, Installation
from tests.journeys.browser import Viewer
from tests.journeys.watching import found, plant, watched
from tests.ports import free_port
from tests.waiting import PATIENCE_S, wait_until

PRESS = """
const buttons = [...document.querySelectorAll(`${arguments[0]} .menu button`)];
const found = buttons.find((one) => one.textContent === arguments[1]);
found?.click();
return Boolean(found);
"""
TEXTS = "return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)"


@pytest.fixture
def page(viewer: Viewer) -> Iterator[Viewer]:
    """A browser that is watched."""
    with watched(viewer) as made:
        yield made


def click(page: Viewer, selector: str) -> None:
    page.run("document.querySelector(arguments[0]).click()", selector)


def test_every_page_of_a_project_keeps_to_its_policy_whatever_is_opened_on_it(
    installation: Installation, page: Viewer, tmp_path: Path
) -> None:
    settings = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.driver.execute_cdp_cmd("Page.setDownloadBehavior", settings)
    installation.post([{"id": f"p{n}", "order": f"P{n}", "shop": "north", "price": 99.0 + n} for n in range(5)])
    page.open(installation.url)
    wait_until(lambda: page.grid_row("P1") and page.chart_points(), what="rows and a line")
    for theme in ("dark", "light"):
        page.run("document.documentElement.dataset.theme = arguments[0]", theme)
    page.run("document.querySelectorAll('.freshness, .menu').forEach((one) => { one.open = true; })")
    for block, label, ending in ((".table", "CSV", "csv"), (".table", "Parquet", "parquet")):
        wait_until(lambda block=block, label=label: page.run(PRESS, block, label), what=label)  # type: ignore[misc]
        wait_until(lambda ending=ending: list(tmp_path.glob(f"*.{ending}")), what=f"a saved {ending}")  # type: ignore[misc]
    page.driver.find_element("css selector", ".tools input").send_keys("P", Keys.BACKSPACE)
    click(page, ".ag-row .ag-cell[col-id='row-details']")
    wait_until(lambda: page.text("dialog.drawer[open]"), what="the opened row")
    page.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    click(page, "[data-look-back]")
    wait_until(lambda: "Look back" in page.text("dialog"), what="the dialog")
    assert found(page) == [], "the first page"

    for path, ready in (
        ("/total?paused=1", ".tile"), ("/minutes", ".js-plotly-plot"), ("/shops?shop=north", ".js-plotly-plot"),
        ("/explore?of=orders&show=sum&field=price&by=shop", ".explore-form"), ("/sla", ".tile"),
        ("/total?replay=2026-11-01T00:00:00Z", ".replay-bar"), ("/?kiosk=1&rotate=5&pages=/,/total", ".tile"),
        ("/?embed=1", ".js-plotly-plot"),
    ):
        page.open(installation.url + path)
        wait_until(lambda ready=ready: page.run(TEXTS, ready), what=f"{path}: {ready}")  # type: ignore[misc]
        wait_until(lambda: page.run("return document.querySelector('#early') === null"), what=f"{path}: drawn by Dash")
        assert found(page) == [], path
    page.driver.get(f"{installation.url}/status")
    assert found(page) == [], "the status page"

    page.open(installation.url)
    plant(page)
    assert wait_until(lambda: len(found(page)) >= 3 and found(page), what="what was planted, refused")
    assert not any("it ran" in one for one in found(page)), found(page)


def test_every_page_of_the_demo_keeps_to_its_policy(installation: Installation, page: Viewer, tmp_path: Path) -> None:
    port = free_port()
    url, own = f"http://127.0.0.1:{port}", environment(
        PORT=str(port), REDIS_URL=installation.broker.url, HEADWATER_DATA=str(tmp_path), WEB_CONCURRENCY="1"
    )
    web = subprocess.Popen([sys.executable, "-m", "app.cli", "web"], cwd=ROOT, env=own, stderr=subprocess.DEVNULL)
    try:
        wait_until(lambda: installation.status("/healthz", port) == 200, what="the demo's web process")
        page.open(url)
        paths = page.run("return [...document.querySelectorAll('#navigation a')].map((one) => one.pathname)")
        assert len(paths) >= 5
        for path in paths:
            page.open(url + path)
            wait_until(lambda: page.run("return document.querySelector('#early') === null"), what=f"{path}: drawn")
            assert found(page) == [], path
    finally:
        page.leave()
        web.terminate()
        web.wait(PATIENCE_S)
