"""Rows: one is opened at the side of its table, with its history; by key, by click, on a phone."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from sqlalchemy import insert

from services.database import Database
from services.database.tables import archive_deltas
from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

OLD = 120
CELL = """
  const {id} = [...document.querySelectorAll('[id]')].find((one) => one.id.includes('live-table'));
  const api = dash_ag_grid.getApi(JSON.parse(id)), node = api.getRowNode(arguments[0]);
  api.ensureNodeVisible(node);
  api.setFocusedCell(node.rowIndex, arguments[1]);
"""
FOCUS = "return document.activeElement.closest('[row-id]')?.getAttribute('row-id')"
FIELD = "return document.querySelector(`.drawer [data-field='${arguments[0]}'] ${arguments[1]}`)?.textContent ?? ''"
CHANGES = """
  return [...document.querySelectorAll('.drawer .changes .change-fields')].map((one) => one.innerText)
"""


@pytest.fixture(scope="module", autouse=True)
def orders(installation: Installation) -> None:
    """Some orders, and one whose price the archive knows of long before."""
    now = int(time.time() * 1000)
    rows = [
        {"channel": "orders.everything", "epoch": "before", "seq": number, "whole": False,
         "at": now - (OLD - number) * 3_600_000 - 60_000,
         "data": orjson.dumps({"set": {"A": {"order": "A", "price": number}, "B": {"order": "B"}}}).decode()}
        for number in range(OLD)
    ]
    database = Database(f"sqlite:///{installation.folder / 'data' / 'headwater.db'}")
    with database.writing() as connection:
        connection.execute(insert(archive_deltas), rows)
    database.close()
    for price in (150.0, 151.5):
        posted = [{"order": "A", "shop": "north", "price": price}, {"order": "B", "shop": "south", "price": 1.0}]
        installation.post(posted)
        wait_until(lambda price=price: price_of_a(installation) == price, what="the price")


def price_of_a(installation: Installation) -> Any:
    return installation.snapshot("orders.everything")["data"]["rows"].get("A", {}).get("price")


def changes(viewer: Viewer) -> list[str]:
    found: list[str] = viewer.run(CHANGES)
    return found


def field(viewer: Viewer, name: str, part: str = ".field-value") -> str:
    found: str = viewer.run(FIELD, name, part)
    return found.replace("\u00a0", " ")


def press(viewer: Viewer, key: str) -> None:
    ActionChains(viewer.driver).send_keys(key).perform()


def is_open(viewer: Viewer) -> bool:
    return bool(viewer.run("return document.querySelectorAll('dialog.drawer[open]').length"))


def open_by_key(viewer: Viewer, key: str) -> None:
    wait_until(lambda: viewer.grid_row(key) is not None, what="the row")
    viewer.run(CELL, key, "price")
    press(viewer, Keys.ENTER)
    wait_until(lambda: is_open(viewer), what="the drawer")


def test_enter_opens_a_row_with_its_history_that_goes_on_live_and_escape_leads_back(
    installation: Installation, viewer: Viewer
) -> None:
    viewer.open(installation.url)
    open_by_key(viewer, "A")
    assert field(viewer, "price") == "151.50 EUR"
    wait_until(lambda: any("150.00 → 151.50" in one for one in changes(viewer)), what="what it was before")
    assert viewer.run("return document.querySelector('.drawer [data-field=\"price\"] path').getAttribute('d')")
    installation.post([{"order": "A", "shop": "south", "price": 99.0}])
    wait_until(lambda: field(viewer, "price") == "99.00 EUR", what="the newest price")
    newest = changes(viewer)[0].replace("\u00a0", " ")
    assert newest.split("\n") == ["Shop north → south", "Price 151.50 → 99.00 EUR"]
    assert field(viewer, "shop", ".field-since").startswith("since ")
    press(viewer, Keys.ESCAPE)
    wait_until(lambda: not is_open(viewer), what="the page again")
    assert viewer.run(FOCUS) == "A"


def test_earlier_changes_are_read_on_demand_back_to_the_first_that_is_kept(
    installation: Installation, viewer: Viewer
) -> None:
    viewer.open(installation.url)
    open_by_key(viewer, "A")
    wait_until(lambda: "Read back to" in viewer.text(".drawer-told"), what="a part")
    while viewer.run("return !document.querySelector('.drawer-ways').children[3].hidden"):
        before = len(changes(viewer))
        viewer.driver.find_elements(By.CSS_SELECTOR, ".drawer-ways button")[1].click()
        wait_until(lambda before=before: len(changes(viewer)) > before, what="more of it")
    found = [one.replace("\u00a0", " ") for one in changes(viewer)]
    steps = [one for one in found if one.startswith("Price") and float(one.split()[1]) < OLD - 1]
    assert steps == [f"Price {number - 1}.00 → {number}.00 EUR" for number in range(OLD - 1, 0, -1)]
    assert found[-1].startswith("First that is kept")
    assert "Nothing earlier is kept" in viewer.text(".drawer-told")


def test_a_history_that_cannot_be_read_says_so_and_is_tried_again(installation: Installation, viewer: Viewer) -> None:
    viewer.open(installation.url)
    cdp: Any = viewer.driver.execute_cdp_cmd
    cdp("Network.enable", {})
    cdp("Network.setBlockedURLs", {"urls": ["*/history?*"]})
    open_by_key(viewer, "B")
    wait_until(lambda: "could not be read" in viewer.text(".drawer-told"), what="the trouble")
    cdp("Network.setBlockedURLs", {"urls": []})
    assert viewer.text(".drawer-ways button:not([hidden])") == "Try again"
    viewer.driver.find_elements(By.CSS_SELECTOR, ".drawer-ways button")[1].click()
    wait_until(lambda: "could not" not in viewer.text(".drawer-told") and len(changes(viewer)) > 0, what="the history")


def test_on_a_phone_the_first_cell_opens_the_row_over_the_whole_width(
    installation: Installation, viewer: Viewer
) -> None:
    metrics = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)
    try:
        viewer.open(installation.url)
        wait_until(lambda: viewer.grid_row("B") is not None, what="the row")
        viewer.run("document.querySelector('.grid-frame').scrollIntoView({block: 'center'})")
        cell = "[row-id='B'] .cell-open"
        found = viewer.driver.find_elements
        wait_until(lambda: any(one.is_displayed() for one in found(By.CSS_SELECTOR, cell)), what="the row's first cell")
        found(By.CSS_SELECTOR, cell)[0].click()
        wait_until(lambda: is_open(viewer), what="the drawer")
        assert viewer.text("#drawer-title") == "B"
        assert viewer.run("return document.querySelector('.drawer').getBoundingClientRect().width") == 390
        viewer.driver.find_element(By.CSS_SELECTOR, ".drawer-head button").click()
        wait_until(lambda: not is_open(viewer), what="the page again")
    finally:
        viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
