"""A reader pauses a page or one component: it stays as it was, says how far behind it is, and misses nothing."""

from __future__ import annotations

import csv
import io
import re
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.journeys.test_live_page import CHANNELS, agrees
from tests.waiting import wait_until

_numbers = count(1)
PAGE_BUTTON = ".header [data-pause]"
RESUME = ".pause-bar button"
GRID = (
    "const id = [...document.querySelectorAll('[id]')].map(e => e.id).find(id => id.includes('live-table'));"
    "const grid = dash_ag_grid.getApi(JSON.parse(id));"
)


@pytest.fixture
def page(installation: Installation, viewer: Viewer) -> Viewer:
    """The shop's page, with orders on it."""
    post(installation, 60)
    viewer.open(installation.url)
    wait_until(lambda: agrees(viewer, installation), what="agreement with the server")
    wait_until(lambda: table(viewer) == rows_of(installation), what="the table as the server has it")
    wait_until(lambda: screen(viewer)["chart"].get("north"), what="the chart's line")
    wait_until(lambda: viewer.run("return document.getElementById('early') === null"), what="Dash's own page")
    return viewer


def post(installation: Installation, times: int) -> None:
    """So many requests with an order each, for every channel of the page."""
    for _ in range(times):
        n = next(_numbers)
        installation.post([{"id": f"pause-{n}", "order": f"P{n:05}", "shop": "north", "price": 100 + n % 50}])


def rows_of(installation: Installation) -> dict[str, Any]:
    rows: dict[str, Any] = installation.snapshot("orders.everything")["data"]["rows"]
    return rows


def table(viewer: Viewer) -> dict[str, Any]:
    """Every row as the grid on the page holds it."""
    rows = "const rows = {}; grid.forEachNode(({data: {id, ...row}}) => { rows[id] = row }); return rows"
    found: dict[str, Any] = viewer.run(f"try {{ {GRID} {rows} }} catch {{ return {{}} }}")
    return found


def screen(viewer: Viewer) -> dict[str, Any]:
    """What stands on the page."""
    return {
        "tiles": [viewer.tile("Orders"), viewer.tile("Turnover")], "log": viewer.log_text(),
        "chart": {name: points for name, points in viewer.chart_points().items() if name in ("north", "south")},
        "table": table(viewer),
    }


def differing(viewer: Viewer, installation: Installation) -> dict[str, Any]:
    """What stands on the page otherwise than the server has it."""
    shown, total = screen(viewer), installation.snapshot("orders.total")["data"]["rows"]["all"]
    entries = installation.snapshot("orders.dear")["data"]["entries"]
    points = installation.snapshot("orders.prices")["data"]["points"]["price:north"]
    wanted = {
        "tiles": [f"{total['orders']:,}", f"{total['turnover']:,.2f}"], "log": [one["order"] for one in entries[::-1]],
        "chart": [value for _, value in points], "table": rows_of(installation),
    }
    found = shown | {
        "log": re.findall(r"P\d{5}", shown["log"]),
        "chart": [value for value in shown["chart"].get("north", []) if value is not None],  # None: a gap in time
    }
    return {part: (found[part], wanted[part]) for part in wanted if found[part] != wanted[part]}


def shows_the_server(viewer: Viewer, installation: Installation) -> None:
    """Waits until all that stands on the page is what the server has."""
    last: dict[str, Any] = {}

    def agreed() -> bool:
        last.clear()
        last.update(differing(viewer, installation))
        return not last

    try:
        wait_until(agreed)
    except AssertionError:
        raise AssertionError(f"the page shows otherwise than the server has: {last}") from None


def positions(installation: Installation) -> dict[str, int]:
    return {name: installation.snapshot(name)["seq"] for name in CHANNELS}


def behind(text: str) -> int:
    """The count in `214 updates behind` or `paused, 1,214 behind`."""
    found = re.search(r"([\d,]+) (?:updates? )?behind", text)
    assert found is not None, text
    return int(found[1].replace(",", ""))


def bar(viewer: Viewer) -> str:
    """What the bar says, '' where none is seen."""
    found: str = viewer.run("const bar = document.querySelector('.pause-bar'); return bar.hidden ? '' : bar.innerText")
    return found


def badges(viewer: Viewer) -> dict[str, list[str]]:
    """State and words of each component's badge, by its title."""
    found: dict[str, list[str]] = viewer.run(
        "return Object.fromEntries([...document.querySelectorAll('section[data-live]')].map(one => [one.ariaLabel, "
        "[one.dataset.state, badge(one.querySelector('.freshness-text'))]]));"
        "function badge({textContent, dataset}) { return textContent + dataset.more }"
    )
    return found


def click(viewer: Viewer, selector: str) -> None:
    viewer.driver.find_element(By.CSS_SELECTOR, selector).click()


def test_a_paused_page_stays_counts_exactly_and_misses_nothing(installation: Installation, page: Viewer) -> None:
    before, start = screen(page), positions(installation)
    painted = page.stats()["created_to_painted_ms"]["n"]
    click(page, PAGE_BUTTON)
    wait_until(lambda: re.fullmatch(r"Paused \d\d:\d\d:\d\d", page.text("[data-pause-since]")), what="since when")
    post(installation, 80)
    wait_until(lambda: agrees(page, installation), what="a store that goes on")
    now = positions(installation)
    expected = sum(now[name] - start[name] for name in CHANNELS)
    assert expected >= 4
    wait_until(lambda: behind(bar(page)) == expected, what=f"{expected} updates behind")
    assert screen(page) == before
    told = badges(page)
    assert {state for state, _ in told.values()} == {"paused"}
    assert behind(told["Dear orders"][1]) == now["orders.dear"] - start["orders.dear"]
    assert page.text(".link-state") not in ("Live", "Quiet"), "paused, or what is wrong meanwhile"
    assert page.stats()["created_to_painted_ms"]["n"] == painted, "what nobody sees is not measured as painted"
    click(page, RESUME)
    shows_the_server(page, installation)
    assert bar(page) == ""
    assert page.run("return document.activeElement.matches(arguments[0])", PAGE_BUTTON), "the focus goes on"
    wait_until(lambda: {state for state, _ in badges(page).values()} <= {"live", "late"}, what="badges of the feed")


def test_one_component_is_paused_while_the_others_move(installation: Installation, page: Viewer) -> None:
    log, orders = page.log_text(), page.tile("Orders")
    start = positions(installation)["orders.dear"]
    click(page, ".log [data-pause]")
    post(installation, 5)
    wait_until(lambda: page.tile("Orders") != orders, what="a tile that moves")
    wait_until(lambda: agrees(page, installation), what="a store that goes on")
    page.run("document.querySelector('.log .scroll').scrollTop = 40")  # drawn further down from what is held
    expected = positions(installation)["orders.dear"] - start
    wait_until(lambda: behind(badges(page)["Dear orders"][1]) == expected, what=f"{expected} behind")
    assert page.log_text() == log
    assert [title for title, (state, _) in badges(page).items() if state == "paused"] == ["Dear orders"]
    assert bar(page) == ""
    click(page, ".log [data-pause]")
    shows_the_server(page, installation)


def test_a_held_table_keeps_its_selection_and_its_place(installation: Installation, page: Viewer) -> None:
    page.run(GRID + "grid.ensureIndexVisible(40, 'top'); grid.getDisplayedRowAtIndex(45).setSelected(true)")
    place = "return document.querySelector('.table .ag-body-viewport').scrollTop"
    chosen = GRID + "return grid.getSelectedNodes().map(({data}) => data.order)"
    wait_until(lambda: page.run(place) > 0, what="a scrolled table")
    where, which, rows = page.run(place), page.run(chosen), table(page)
    click(page, ".table [data-pause]")
    post(installation, 20)
    wait_until(lambda: agrees(page, installation), what="a store that goes on")
    assert (page.run(place), page.run(chosen), table(page)) == (where, which, rows)
    click(page, ".table [data-pause]")
    wait_until(lambda: table(page) == rows_of(installation), what="the table as the server has it")
    assert (page.run(place), page.run(chosen)) == (where, which)


def test_a_tile_is_paused_from_its_details_by_keyboard(installation: Installation, page: Viewer) -> None:
    before = page.tile("Orders")
    page.driver.find_element(By.CSS_SELECTOR, ".tile[aria-label=Orders] summary").send_keys(Keys.ENTER)
    wait_until(lambda: page.text(".tile[aria-label=Orders] [data-pause]") == "Pause", what="the open details")
    page.driver.find_element(By.CSS_SELECTOR, ".tile[aria-label=Orders] [data-pause]").send_keys(Keys.ENTER)
    wait_until(lambda: page.text(".tile[aria-label=Orders] [data-pause]") == "Resume", what="a way back")
    post(installation, 3)
    told = ".tile[aria-label=Orders] .freshness-now"
    wait_until(lambda: re.match(r"Paused [\d:]+: [1-9]\d* updates? behind", page.text(told)), what="updates behind")
    assert page.tile("Orders") == before
    page.driver.find_element(By.CSS_SELECTOR, ".tile[aria-label=Orders] [data-pause]").send_keys(Keys.ENTER)
    shows_the_server(page, installation)


def test_the_key_pauses_and_resumes_and_leaves_inputs_alone(page: Viewer) -> None:
    def press() -> None:
        ActionChains(page.driver).key_down(Keys.ALT).send_keys("p").key_up(Keys.ALT).perform()

    press()
    wait_until(lambda: bar(page).startswith("Paused"), what="a paused page")
    told = page.text("[data-pause-told]")
    press()
    wait_until(lambda: bar(page) == "", what="a live page")
    assert [told, page.text("[data-pause-told]")] == ["Paused: the page", "Resumed: the page"]
    page.driver.find_element(By.CSS_SELECTOR, ".tools input").click()
    press()
    assert page.run("return document.documentElement.hasAttribute('data-paused')") is False


def test_a_paused_page_gives_away_what_it_shows_and_its_replay_is_no_pause(
    installation: Installation, page: Viewer, tmp_path: Path
) -> None:
    settings = {"behavior": "allow", "downloadPath": str(tmp_path)}
    page.driver.execute_cdp_cmd("Page.setDownloadBehavior", settings)
    click(page, PAGE_BUTTON)
    since = wait_until(lambda: page.text("[data-pause-since]").removeprefix("Paused "), what="a paused page")
    held, rows = page.state("orders.everything"), table(page)
    post(installation, 3)
    wait_until(lambda: behind(bar(page)) > 0 and page.state("orders.everything") != held, what="a store that goes on")
    page.driver.find_element(By.CSS_SELECTOR, ".table .menu summary").send_keys(Keys.ENTER)
    wait_until(lambda: f"What is shown, paused {since}" in page.text(".table .menu-body"), what="words that say so")
    page.run("document.querySelector('.table .menu-body [data-shown]').parentElement.querySelector('button').click()")
    told = f"{len(rows)} rows saved, paused {since}"
    wait_until(lambda: page.text(".table .menu-status") == told, what="the rows that were paused")
    (path,) = wait_until(lambda: list(tmp_path.glob("*.csv")), what="the file")
    file = list(csv.DictReader(io.StringIO(wait_until(path.read_bytes, what="it").decode("utf-8-sig"))))
    assert {row["key"] for row in file} == set(rows)
    assert held is not None
    assert {(row["stamp_epoch"], int(row["stamp_seq"])) for row in file} == {(held["epoch"], held["seq"])}
    assert {row["stamp_shown"] for row in file} == {"paused"}
    assert all(row["stamp_shown_at"] <= row["stamp_exported_at"] for row in file)

    click(page, "[data-look-back]")
    wait_until(lambda: page.text("dialog.look-back h2"), what="the dialog")
    page.run("[...document.querySelectorAll('dialog button')].find((one) => one.type === 'submit').click()")
    wait_until(lambda: "not live" in page.text(".replay-bar").lower(), what="a replay")
    wait_until(lambda: page.text("h1"), what="its page")
    assert page.run("return new URLSearchParams(location.search).has('paused')") is False
    assert bar(page) == ""
    seen = "return [...document.querySelectorAll('[data-pause]')].filter((one) => one.checkVisibility()).length"
    assert page.run(seen) == 0, "no button that pauses a live page"
    ActionChains(page.driver).key_down(Keys.ALT).send_keys("p").key_up(Keys.ALT).perform()
    assert page.run("return document.documentElement.hasAttribute('data-paused')") is False

    def hands() -> str:
        icons = ".replay-hands :is([data-icon=play], [data-icon=pause])"
        found: str = page.run("return document.querySelector(arguments[0]).title", icons)
        return found

    loading = "return document.querySelector('.replay-bar').dataset.loading"
    wait_until(lambda: page.run(loading) == "false", what="frames")
    assert hands() == "Play"
    ActionChains(page.driver).send_keys(Keys.SPACE).perform()
    wait_until(lambda: hands() == "Pause the replay", what="a replay that plays")
    ActionChains(page.driver).send_keys(Keys.SPACE).perform()
    wait_until(lambda: hands() == "Play", what="one that stands")
    click(page, ".replay-leave")
    wait_until(lambda: page.run("return document.documentElement.dataset.replay === undefined") and page.text("h1"))
    wait_until(lambda: page.tile("Orders"), what="the live page")
    assert bar(page) == "", "which is not paused"


def test_a_link_restores_the_pause_and_another_page_is_live(installation: Installation, page: Viewer) -> None:
    click(page, PAGE_BUTTON)
    link = wait_until(lambda: page.run("return location.search.includes('paused=1') && location.href"), what="a link")
    page.open(link)
    wait_until(lambda: bar(page).startswith("Paused"), what="a paused page")
    held = wait_until(lambda: page.tile("Orders"), what="the value that it is paused at")
    post(installation, 3)
    wait_until(lambda: behind(bar(page)) > 0, what="updates behind")
    assert page.tile("Orders") == held
    page.driver.find_element(By.LINK_TEXT, "Total").click()
    wait_until(lambda: page.text("h1") == "Total" and bar(page) == "", what="another page that is live")
    assert page.run("return location.search") == ""
