"""A page by keyboard alone: every function is reached by Tab, seen while it has the focus, and used."""

from __future__ import annotations

import time
from functools import partial

import pytest
from selenium.webdriver.common.keys import Keys

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.journeys.typist import FOCUSED, Typist
from tests.waiting import wait_until

ROWS = """
const found = [...document.querySelectorAll('[id]')].find((one) => one.id.includes('live-table'));
try { return dash_ag_grid.getApi(JSON.parse(found.id)).getDisplayedRowCount(); } catch { return -1; }
"""
COLUMNS = "return [...document.querySelectorAll('.ag-header-cell')].map((one) => one.getAttribute('col-id'))"
ZOOMED = "return document.querySelector('.plot:focus .js-plotly-plot').layout.xaxis.autorange === false"
LINES = "return document.querySelector('.plot:focus .js-plotly-plot').data.filter(({name}) => name).length"
SEARCH = "return location.search"


@pytest.fixture(scope="module", autouse=True)
def orders(installation: Installation) -> None:
    """Orders of two shops over three minutes."""
    now = int(time.time() * 1000) - 180_000
    installation.post([
        {"order": f"K{number:02}", "shop": ("north", "south")[number % 2], "price": 90.0 + number,
         "created_at": now + 4_000 * number}
        for number in range(40)
    ])


@pytest.fixture
def typist(installation: Installation, viewer: Viewer) -> Typist:
    viewer.open(f"{installation.url}/shops")
    drawn = "document.querySelectorAll('.chart[data-drawn]:not([data-empty])').length === 2"
    whole = f"return !document.getElementById('early') && {drawn}"
    wait_until(lambda: viewer.run(whole) and viewer.run(ROWS) == 40, what="the page with its rows and charts")
    return Typist(viewer)


def test_tab_reaches_everything_on_a_page_and_the_focus_is_seen_and_not_covered(typist: Typist) -> None:
    assert "Skip to content" in typist.walk()[0]


def test_choice_windows_zoom_and_lines_are_used_by_keyboard(typist: Typist) -> None:
    viewer = typist.viewer
    typist.go_to("[data-choose]")
    typist.press("s")
    wait_until(lambda: viewer.run(SEARCH) == "?shop=south", what="the south alone")
    typist.press(Keys.ARROW_UP)
    typist.press(Keys.ARROW_UP)
    wait_until(lambda: viewer.run(SEARCH) == "", what="all shops")
    typist.go_to("[data-look='1 h'], [data-look='1h']")
    typist.press(Keys.ENTER)
    wait_until(lambda: "window=1h" in viewer.run(SEARCH), what="an hour")
    typist.go_to(".back-to-live")
    typist.press(Keys.ENTER)
    wait_until(lambda: "window" not in viewer.run(SEARCH), what="the live window")
    typist.go_to(".plot[aria-label^=Turnover]")
    wait_until(lambda: viewer.run(LINES) >= 1, what="the line, as it is on the screen again")
    typist.press(Keys.ARROW_LEFT)
    other = "return document.querySelector('.chart[aria-label=Prices] .hoverlayer').childElementCount > 0"
    wait_until(lambda: viewer.run(other), what="the same moment on the other chart")
    typist.go_to(".plot[aria-label^=Prices]")
    wait_until(lambda: viewer.run(LINES) == 2, what="the lines, as they are on the screen again")
    typist.press("1")
    off = "return document.querySelector('.plot:focus .js-plotly-plot').data.map(({visible}) => visible)"
    wait_until(lambda: "legendonly" in viewer.run(off), what="one line alone")
    typist.press("0")
    wait_until(lambda: "legendonly" not in viewer.run(off), what="both lines")
    typist.press("+")
    wait_until(lambda: viewer.run(ZOOMED), what="a zoom")
    typist.press(Keys.SHIFT, Keys.ARROW_LEFT)
    typist.press(Keys.ARROW_LEFT)
    wait_until(lambda: ";" in viewer.text(".plot:focus .plot-said"), what="a point, read out")
    for _ in range(3):
        typist.press("-")
    wait_until(lambda: not viewer.run(ZOOMED), what="all of the lines again")


HOVERED = """
const graph = document.querySelector(`.chart[aria-label="${arguments[0]}"] .js-plotly-plot`);
const points = graph?.querySelector('.hoverlayer').childElementCount > 0 ? graph._hoverdata ?? [] : [];
return points.length ? new Date(points[0].x.replace?.(' ', 'T').concat('Z') ?? points[0].x).getTime() : null;
"""


def other(viewer: Viewer, than: int | None) -> int | None:
    """The time that the prices' chart tells of, once it is another one: it tells in the next frame."""
    at: int | None = viewer.run(HOVERED, "Prices")
    return at if at != than else None


def since(viewer: Viewer, at: int) -> int:
    """For how many seconds what the turnover's chart tells had held at that moment; 0 until it tells that minute's."""
    held = viewer.run(HOVERED, "Turnover")
    return max(1, round((at - held) / 1000)) if held and 0 <= at - held < 60_000 else 0


def test_a_moment_on_one_chart_is_what_held_then_on_another_or_clearly_nothing(typist: Typist) -> None:
    viewer = typist.viewer
    typist.go_to(".plot[aria-label^=Prices]")  # an order each four seconds; the other chart has a point each minute
    seen: set[int] = set()
    at = None
    for _ in range(20):
        typist.press(Keys.ARROW_LEFT)
        at = wait_until(partial(other, viewer, at), what="the next point of the prices")
        asked = partial(since, viewer, at)
        seen.add(wait_until(asked, what=f"the minute's own point at {at}"))
    assert max(seen) > 40, "also where the point lies far to the left"
    typist.go_to(".plot[aria-label^=Turnover]")
    for _ in range(5):
        typist.press(Keys.ARROW_LEFT)
    none = wait_until(lambda: viewer.text(".chart[aria-label=Prices] .plot-none"), what="that nothing had come yet")
    assert none.startswith("no value at ")
    typist.press(Keys.TAB)
    wait_until(lambda: viewer.text(".chart[aria-label=Prices] .plot-none") == "", what="no moment, no words")


def test_pause_details_menu_columns_filter_and_rows_are_used_by_keyboard(typist: Typist) -> None:
    viewer = typist.viewer
    typist.go_to(".header [data-pause]")
    typist.press(Keys.ENTER)
    wait_until(lambda: viewer.run("return document.documentElement.hasAttribute('data-paused')"), what="a pause")
    typist.press(Keys.ALT, "p")
    wait_until(lambda: not viewer.run("return document.documentElement.hasAttribute('data-paused')"), what="live again")
    typist.go_to(".tile .freshness summary")
    typist.press(Keys.ENTER)
    wait_until(lambda: "Definition" in viewer.text(".freshness[open]"), what="what the number is")
    typist.press(Keys.ESCAPE)
    wait_until(lambda: viewer.text(".freshness[open]") == "", what="closed details")
    typist.go_to(".table .tools input")
    typist.press("K1")
    wait_until(lambda: viewer.run(ROWS) == 10, what="ten rows")
    typist.go_to(".table .menu summary")
    typist.press(Keys.ENTER)
    wait_until(lambda: "Columns" in viewer.text(".table .menu[open]"), what="the open menu")
    typist.go_to(".menu-columns label:nth-of-type(2) input")
    typist.press(Keys.SPACE)
    wait_until(lambda: "shop" not in viewer.run(COLUMNS), what="a column less")
    typist.go_to(".table .menu-group:not(.menu-columns) button")
    typist.press(Keys.ENTER)
    wait_until(lambda: "10 rows saved" in viewer.text(".table .menu-status"), what="a file of what is shown")
    typist.press(Keys.ESCAPE)
    wait_until(lambda: viewer.text(".table .menu[open]") == "", what="a closed menu")
    typist.go_to(".ag-header-cell")
    typist.press(Keys.ARROW_DOWN)
    typist.press(Keys.ENTER)
    wait_until(lambda: "K" in viewer.text("dialog.drawer h2"), what="an open row")
    typist.press(Keys.ESCAPE)
    wait_until(lambda: viewer.run("return document.querySelector('dialog') === null"), what="a closed row")
    assert viewer.run(FOCUSED, ".ag-cell"), "the focus is where it was"


def test_a_past_time_is_asked_for_and_replayed_by_keyboard(typist: Typist) -> None:
    viewer = typist.viewer
    typist.go_to("[data-look-back]")
    typist.press(Keys.ENTER)
    wait_until(lambda: "Look back" in viewer.text("dialog"), what="the dialog")
    typist.go_to(".look-back-choices button")
    typist.press(Keys.ENTER)
    wait_until(lambda: "not live" in viewer.text(".replay-bar").lower(), what="a replay")
    wait_until(lambda: viewer.run("return document.querySelector('.replay-bar progress').hidden"), what="its recording")
    typist.go_to(".replay-bar [data-icon=play]")
    typist.press(Keys.ENTER)
    wait_until(lambda: viewer.run("return document.querySelector('[data-icon=pause]') !== null"), what="it plays")
    typist.press(Keys.ENTER)
    typist.go_to(".replay-bar select")
    typist.press(Keys.ARROW_DOWN)
    wait_until(lambda: "speed=2" in viewer.run(SEARCH), what="twice the speed")
    at = "return Number(document.querySelector('.replay-scale input').value)"
    typist.go_to(".replay-scale input")
    before = viewer.run(at)
    typist.press(Keys.ARROW_RIGHT)
    wait_until(lambda: viewer.run(at) > before, what="a later time")
    typist.go_to(".replay-leave")
    typist.press(Keys.ENTER)
    wait_until(lambda: viewer.run("return document.documentElement.dataset.replay === undefined"), what="the live page")


def test_a_question_is_asked_by_keyboard(installation: Installation, viewer: Viewer) -> None:
    viewer.open(f"{installation.url}/explore")
    wait_until(lambda: viewer.run("return document.querySelector('.explore-form') !== null"), what="the form")
    assert "Nothing is asked yet" in viewer.text(".explore-empty")
    typist = Typist(viewer)
    typist.go_to("[name=of]")
    typist.press("orders")
    typist.go_to(".explore-ask")
    typist.press(Keys.ENTER)
    wait_until(lambda: "of=orders" in viewer.run(SEARCH) and viewer.text(".block-title"), what="an answer")
    wait_until(lambda: viewer.run(FOCUSED, ".explore-ask"), what="the focus stays where one goes on")
