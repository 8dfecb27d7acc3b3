"""What a reader does with the frame and the components, in a real browser: themes, phone, keyboard, filter."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from components.table import OPEN_COLUMN
from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

ORDERS = [{"id": f"look-{n}", "order": f"L{n:03}", "shop": ("north", "south")[n % 2], "price": n} for n in range(60)]

NO_GRID_IS_READY = """
let library;
Object.defineProperty(window, 'dash_ag_grid', {
  get: () => library,
  set(given) {
    library = new Proxy(given, {
      get: (of, name) => (name === 'getApi' && !window.gridsAreReady ? () => null : of[name]),
    });
  },
});
"""


@pytest.fixture(scope="module")
def shop(installation: Installation) -> str:
    """The address of a running system with orders in it."""
    installation.post(ORDERS)
    return installation.url


@pytest.fixture
def phone(viewer: Viewer) -> Iterator[Viewer]:
    """The browser at a phone's width."""
    size = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield viewer
    viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def rows_shown(viewer: Viewer) -> int:
    found: int = viewer.run(
        "const id = [...document.querySelectorAll('[id]')].map(e => e.id).find(id => id.includes('live-table'));"
        "try { return dash_ag_grid.getApi(JSON.parse(id)).getDisplayedRowCount(); } catch { return -1; }"
    )
    return found


def test_a_table_is_narrowed_by_its_filter_and_widened_again(shop: str, viewer: Viewer) -> None:
    viewer.open(shop)
    wait_until(lambda: rows_shown(viewer) == len(ORDERS), what="all rows in the table")
    field = viewer.driver.find_element(By.CSS_SELECTOR, ".tools input")
    field.send_keys("L01")
    wait_until(lambda: rows_shown(viewer) == 10, what="ten rows that contain L01")
    field.send_keys(Keys.BACKSPACE * 3)
    wait_until(lambda: rows_shown(viewer) == len(ORDERS), what="all rows again")


def columns_shown(viewer: Viewer) -> list[str]:
    shown: list[str] = viewer.run(
        "return [...document.querySelectorAll('.ag-header-cell')].map((one) => one.getAttribute('col-id'))"
    )
    return [name for name in shown if name != OPEN_COLUMN]


def test_a_link_restores_a_tables_filter_sorting_and_columns_and_back_undoes_them(shop: str, viewer: Viewer) -> None:
    viewer.open(shop)
    wait_until(lambda: rows_shown(viewer) == len(ORDERS), what="all rows in the table")
    viewer.run("window.drawn = document.querySelector('[data-page]')")
    viewer.driver.find_element(By.CSS_SELECTOR, ".tools input").send_keys("L01")
    wait_until(lambda: rows_shown(viewer) == 10, what="ten rows that contain L01")
    viewer.driver.find_element(By.CSS_SELECTOR, ".table .menu summary").send_keys(Keys.ENTER)
    wait_until(lambda: "Columns" in viewer.text(".table .menu-columns"), what="the choice of columns")
    viewer.run("document.querySelectorAll('.menu-columns input')[1].click()")
    wait_until(lambda: columns_shown(viewer) == ["order", "price", "note"], what="a column less")
    link = viewer.run("return location.href")
    assert "orders.everything.q=L01" in link
    viewer.driver.back()
    wait_until(lambda: "shop" in columns_shown(viewer), what="the column again")
    viewer.driver.back()
    wait_until(lambda: rows_shown(viewer) == len(ORDERS), what="all rows again")
    assert viewer.run("return document.querySelector('[data-page]') === window.drawn"), "the page was not drawn anew"
    viewer.open(link)
    wait_until(lambda: rows_shown(viewer) == 10, what="the ten rows, by the link alone")
    assert columns_shown(viewer) == ["order", "price", "note"]
    assert viewer.run("return document.querySelector('.tools input').value") == "L01"


def test_a_menu_that_was_opened_before_its_table_was_ready_offers_the_columns_then(shop: str, viewer: Viewer) -> None:
    viewer.driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NO_GRID_IS_READY})
    viewer.open(shop)
    viewer.driver.find_element(By.CSS_SELECTOR, ".table .menu summary").send_keys(Keys.ENTER)
    wait_until(lambda: "Copy link" in viewer.text(".table .menu[open]"), what="the menu")
    assert "Columns" not in viewer.text(".table .menu")
    viewer.run("window.gridsAreReady = true")
    wait_until(lambda: "Columns" in viewer.text(".table .menu-columns"), what="the choice of columns")
    assert viewer.run("return document.querySelectorAll('.menu-columns').length") == 1


def test_a_table_keeps_few_rows_in_the_page(shop: str, viewer: Viewer) -> None:
    viewer.open(shop)
    wait_until(lambda: rows_shown(viewer) == len(ORDERS), what="all rows in the table")
    assert viewer.run("return document.querySelectorAll('.ag-center-cols-container .ag-row').length") < len(ORDERS)


def test_a_badge_opens_by_keyboard_and_closes_by_escape(shop: str, viewer: Viewer) -> None:
    viewer.open(shop)
    summary = viewer.driver.find_element(By.CSS_SELECTOR, ".freshness summary")
    summary.send_keys(Keys.ENTER)
    wait_until(lambda: "Definition" in viewer.text(".freshness[open] .popover"), what="the open details")
    wait_until(lambda: "Last event" in viewer.text(".freshness[open] .freshness-now"), what="what is now")
    for part in ("Window now", "open and incomplete", "Position", "orders.total", "Newest event", "Formula"):
        wait_until(lambda part=part: part in viewer.text(".freshness[open] .popover"), what=part)  # type: ignore[misc]
    painted = ".freshness[open] [data-stage='painted']"
    wait_until(lambda: re.search(r"painted\s+\d\d:\d\d:\d\d\.\d{3}\s", viewer.text(painted)), what="the last stage")
    summary.send_keys(Keys.TAB)
    assert viewer.run("return document.activeElement.textContent") == "Copy", "the position is copied by keyboard too"
    viewer.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    wait_until(lambda: viewer.text(".freshness[open]") == "", what="closed details")
    assert viewer.run("return document.activeElement.tagName") == "SUMMARY"


def test_the_theme_is_switched_and_the_choice_is_kept(shop: str, viewer: Viewer) -> None:
    viewer.open(shop)
    theme = "return document.documentElement.dataset.theme"
    before = viewer.run(theme)
    grounds = {viewer.run("return getComputedStyle(document.querySelector('.table')).backgroundColor")}
    viewer.driver.find_element(By.ID, "theme-switch").click()
    wait_until(lambda: viewer.run(theme) != before, what="the other theme")
    grounds.add(viewer.run("return getComputedStyle(document.querySelector('.ag-root-wrapper')).backgroundColor"))
    assert len(grounds) == 2, "the grid follows"
    chosen = viewer.run(theme)
    viewer.open(shop)
    assert viewer.run(theme) == chosen
    viewer.run("localStorage.removeItem('headwater-theme')")


def test_the_open_page_is_marked_in_the_navigation(shop: str, viewer: Viewer) -> None:
    viewer.open(shop)
    wait_until(lambda: viewer.text("#navigation [aria-current='page']") == "Shop", what="Shop marked")
    viewer.driver.find_element(By.LINK_TEXT, "Total").click()
    wait_until(lambda: viewer.text("#navigation [aria-current='page']") == "Total", what="Total marked")
    assert viewer.text("h1") == "Total"


def test_nothing_stands_out_of_a_phones_screen(shop: str, phone: Viewer) -> None:
    phone.open(shop)
    wait_until(lambda: rows_shown(phone) == len(ORDERS), what="all rows in the table")
    assert phone.run("return document.documentElement.scrollWidth") == 390
    for part in (".header", ".tile", ".chart", ".log", ".table", ".footer"):
        edges = phone.run(
            "const r = document.querySelector(arguments[0]).getBoundingClientRect(); return [r.left, r.right]", part
        )
        assert edges[0] >= 0, part
        assert edges[1] <= 390, part
    phone.run("document.querySelector('.table .freshness').open = true")
    inside = phone.run("const r = document.querySelector('.freshness[open] .popover').getBoundingClientRect();"
                       "return r.left >= 0 && r.right <= innerWidth && r.top >= 0 && r.bottom <= innerHeight")
    assert inside, "the details lie on the screen as a whole"


def test_a_phone_has_room_for_every_name_of_a_legend(shop: str, phone: Viewer, installation: Installation) -> None:
    stalls = [f"stall of the market {n}" for n in range(8)]  # one name a row
    installation.post([{"order": f"S{n}", "shop": stall, "price": n} for n, stall in enumerate(stalls)])
    phone.open(shop)
    names = "return [...document.querySelectorAll('.legendtext')].map((one) => one.textContent)"
    wait_until(lambda: {*stalls} <= {*phone.run(names)}, what="all stalls")
    scrolled = "return document.querySelector('.legend .scrollbar').getBoundingClientRect().height"
    wait_until(lambda: phone.run(scrolled) == 0, what="a legend that is seen as a whole")
