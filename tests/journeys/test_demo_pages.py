"""The demo's pages for everybody: by keyboard alone from their begin to their end, and as axe-core sees them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from selenium.webdriver.common.keys import Keys

from tests.app.running import Running, running
from tests.journeys.axe import faults_in_both_themes
from tests.journeys.browser import Viewer
from tests.journeys.typist import Typist
from tests.waiting import wait_until

STOPS_MAX = 300
TALL = {"width": 1280, "height": 3000, "deviceScaleFactor": 1, "mobile": False}
SETTLED = """
const charts = [...document.querySelectorAll('.chart')], grids = [...document.querySelectorAll('.table')];
return document.getElementById('early') === null && document.querySelector('[data-page]') !== null
  && charts.every((one) => one.hasAttribute('data-drawn') || one.hasAttribute('data-empty'))
  && grids.every((one) => one.querySelector('.ag-header-cell'))
  && [...document.querySelectorAll('.painted')].every((one) => one.querySelector('[data-place]').childElementCount);
"""
ASKED = "return performance.getEntriesByType('resource').filter(({name}) => name.includes('_dash-update')).length"
ROWS = "return document.querySelectorAll('.ag-center-cols-container .ag-row').length"


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running("up", tmp_path_factory.mktemp("demo")) as started:
        started.wait_until_ready()
        yield started


@pytest.fixture
def typist(demo: Running, viewer: Viewer) -> Typist:
    return Typist(viewer)


def opened(demo: Running, viewer: Viewer, path: str) -> None:
    viewer.open(f"{demo.url}{path}")
    wait_until(lambda: viewer.run(SETTLED), 90, f"{path} with everything on it")


@pytest.mark.parametrize("path", ["/", "/host", "/sla", "/operations", "/gallery", "/signals", "/explore"])
def test_axe_finds_nothing_on_a_page_in_both_themes(demo: Running, viewer: Viewer, path: str) -> None:
    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TALL)
    opened(demo, viewer, path)
    found = faults_in_both_themes(viewer)
    viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    assert found == []


@pytest.mark.parametrize("path", ["/host", "/sla", "/operations", "/gallery"])
def test_tab_reaches_everything_on_a_page_and_the_focus_is_seen_and_not_covered(
    demo: Running, typist: Typist, path: str
) -> None:
    opened(demo, typist.viewer, path)
    stops = typist.walk(STOPS_MAX)
    assert "Skip to content" in stops[0]
    assert len(stops) > 20


def test_the_hosts_charts_and_processes_are_used_by_keyboard(demo: Running, typist: Typist) -> None:
    viewer = typist.viewer
    opened(demo, viewer, "/host")
    typist.go_to(".plot")
    wait_until(lambda: viewer.run("return document.querySelector('.plot:focus .js-plotly-plot').data.length > 1"),
               what="the cores' lines")
    typist.press("1")
    off = "return document.querySelector('.plot:focus .js-plotly-plot').data.map(({visible}) => visible)"
    wait_until(lambda: "legendonly" in viewer.run(off), what="one core alone")
    typist.press(Keys.ESCAPE)
    wait_until(lambda: "legendonly" not in viewer.run(off), what="all cores")
    typist.press(Keys.ARROW_LEFT)
    wait_until(lambda: ";" in viewer.text(".plot:focus .plot-said"), what="a point, read out")
    typist.go_to(".ag-header-cell")
    typist.press(Keys.ARROW_DOWN)
    typist.press(Keys.ENTER)
    wait_until(lambda: viewer.text("dialog.drawer h2"), what="an open process")
    typist.press(Keys.ESCAPE)
    wait_until(lambda: viewer.run("return document.querySelector('dialog') === null"), what="a closed one")


def test_an_objective_is_opened_and_its_budget_looked_back_at_by_keyboard(demo: Running, typist: Typist) -> None:
    viewer = typist.viewer
    opened(demo, viewer, "/sla")
    wait_until(lambda: viewer.run(ROWS) > 0, 90, "objectives")
    typist.go_to(".ag-header-cell")
    typist.press(Keys.ARROW_DOWN)
    typist.press(Keys.ENTER)
    wait_until(lambda: viewer.text("dialog.drawer h2"), what="an open objective")
    typist.press(Keys.ESCAPE)
    wait_until(lambda: viewer.run("return document.querySelector('dialog') === null"), what="a closed one")
    typist.go_to("[data-look]")
    typist.press(Keys.ENTER)
    wait_until(lambda: "window=" in viewer.run("return location.search"), what="another window")


def test_an_event_is_asked_for_and_the_quarantine_read_anew_by_keyboard(demo: Running, typist: Typist) -> None:
    viewer = typist.viewer
    opened(demo, viewer, "/operations")
    typist.go_to("#trace-wanted")
    typist.press("no-such-event")
    typist.press(Keys.ENTER)
    wait_until(lambda: "No event" in viewer.text(".trace-answer"), what="the answer that there is none")
    typist.go_to("#quarantine-refresh")
    asked = viewer.run(ASKED)
    typist.press(Keys.ENTER)
    wait_until(lambda: viewer.run(ASKED) > asked, what="another question")
    wait_until(lambda: "Empty" in viewer.text(".quarantine-list"), what="what is in quarantine: nothing")


def test_the_gallerys_drawings_are_read_by_keyboard(demo: Running, typist: Typist) -> None:
    viewer = typist.viewer
    opened(demo, viewer, "/gallery")
    typist.go_to(".bins-frame")
    typist.press(Keys.END)
    wait_until(lambda: viewer.text(".bins-frame + .readout"), what="the last range in words")
    typist.go_to(".heat-frame")
    typist.press(Keys.ARROW_LEFT)
    wait_until(lambda: ": " in viewer.text(".heat-foot .readout"), what="a cell in words")
    typist.press(Keys.ESCAPE)
    wait_until(lambda: viewer.text(".heat-foot .readout") == "", what="no cell")
