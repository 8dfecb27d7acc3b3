"""Explore: an analyst asks a question by keyboard alone, reads the answer, asks again, and takes it away."""

from __future__ import annotations

import csv
import io
import math
from pathlib import Path
from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.installation import Installation
from tests.journeys.axe import faults
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

ORDERS = [{"id": f"explore-{n}", "order": f"E{n:03}", "shop": ("north", "south")[n % 2], "price": n} for n in range(40)]
ROWS = (
    "return [...document.querySelectorAll('.answer-table tbody tr')]"
    ".map((row) => [...row.children].map((cell) => cell.textContent))"
)
LINES = """
  const graph = document.querySelector('.chart .js-plotly-plot');
  return Object.fromEntries((graph?.data ?? []).filter(({name}) => name).map(({name, y}) => [name, [...y]]))
"""


def keys(viewer: Viewer, *typed: str) -> None:
    ActionChains(viewer.driver).send_keys(*typed).perform()


def answered(viewer: Viewer) -> str:
    """Which answer stands on the page, '' where none does."""
    found: str = viewer.run("return document.querySelector('[data-answered]')?.dataset.answered ?? ''")
    return found


def focused(viewer: Viewer) -> str:
    found: str = viewer.run("return document.activeElement.textContent")
    return found


def totals(orders: list[dict[str, Any]]) -> list[list[str]]:
    """What the table shows of orders: shop, turnover and count, the greatest first."""
    shops: dict[str, list[float]] = {}
    for order in orders:
        shops.setdefault(order["shop"], []).append(order["price"])
    found = sorted(shops.items(), key=lambda one: -math.fsum(one[1]))
    return [[shop, f"{math.fsum(prices):,.2f}", str(len(prices))] for shop, prices in found]


def test_a_question_is_asked_answered_asked_again_and_taken_away_by_keyboard(
    installation: Installation, viewer: Viewer, tmp_path: Path
) -> None:
    installation.post(ORDERS)
    settings = {"behavior": "allow", "downloadPath": str(tmp_path)}
    viewer.driver.execute_cdp_cmd("Page.setDownloadBehavior", settings)
    viewer.open(f"{installation.url}/explore")
    wait_until(lambda: viewer.run("return document.querySelector('#early') === null"), what="Dash's own page")
    wait_until(lambda: viewer.run("return document.querySelector('.explore-form') !== null"), what="the form")
    viewer.run("document.querySelector('.explore-form [name=of]').focus()")
    for typed in ("orders: events", "Sum", "Price", "Shop", "all events", "last 5", "Table", "by hand"):
        keys(viewer, typed, Keys.TAB)
    assert focused(viewer) == "Show"
    keys(viewer, Keys.ENTER)
    wait_until(lambda: answered(viewer), what="an answer")
    wait_until(lambda: focused(viewer) == "Show", what="the focus where it was")
    address = viewer.run("return location.search")
    assert address == "?of=orders&show=sum&field=price&by=shop&window=5min&as=table"

    def asked_until(orders: list[dict[str, Any]]) -> None:
        """The archive lags by a second: it is asked until it has all."""

        def agrees() -> bool:
            if viewer.run(ROWS) == totals(orders):
                return True
            former = answered(viewer)
            viewer.driver.find_element(By.CSS_SELECTOR, ".explore-bar button").send_keys(Keys.ENTER)
            wait_until(lambda: answered(viewer) != former, what="another answer")
            return False

        wait_until(agrees, what="the sums of what was posted")

    asked_until(ORDERS)
    assert "from the archive" in viewer.text(".freshness-text")
    late = [{"id": "explore-late", "order": "E900", "shop": "north", "price": 1_000}]
    installation.post(late)
    asked_until(ORDERS + late)

    assert faults(viewer) == [], "an answer as a table"
    files = {button.text: button for button in viewer.driver.find_elements(By.CSS_SELECTOR, ".explore-bar button")}
    files["CSV"].send_keys(Keys.ENTER)
    (saved,) = wait_until(lambda: list(tmp_path.glob("explore-orders-*.csv")), what="the file")
    body = wait_until(saved.read_bytes, what="its content").decode("utf-8-sig")
    read = csv.DictReader(io.StringIO(body))
    rows = [[row["shop"], f"{float(row['sum_price']):,.2f}", row["events"]] for row in read]
    assert sorted(rows) == sorted(totals(ORDERS + late))

    viewer.driver.find_element(By.CSS_SELECTOR, "[data-answer] .freshness summary").send_keys(Keys.ENTER)
    wait_until(lambda: "Formula" in viewer.text("[data-answer] .popover"), what="what the number is")


def test_a_link_holds_what_is_right_says_what_is_wrong_and_a_declared_channel_is_live(
    installation: Installation, viewer: Viewer
) -> None:
    installation.post([{"id": "explore-1st", "order": "E800", "shop": "east", "price": 7}])
    viewer.open(f"{installation.url}/explore?of=orders&show=max&field=cost&by=shop&window=5min")
    wait_until(lambda: answered(viewer), what="a drawn answer")
    assert viewer.text(".explore-problems") == "field: 'cost': give one of price"
    wait_until(lambda: max(filter(None, viewer.run(LINES).get("east", []) or [0])) == 7, what="the line of east")

    assert faults(viewer) == [], "an answer as a chart, and a problem"
    field = viewer.driver.find_element(By.CSS_SELECTOR, ".explore-form [name=of]")
    field.send_keys("Prices")
    field.send_keys(Keys.ENTER)
    viewer.driver.find_element(By.CSS_SELECTOR, ".explore-ask").send_keys(Keys.ENTER)
    wait_until(lambda: "of=orders.prices" in viewer.run("return location.search"), what="another question")
    wait_until(lambda: viewer.badge("orders.prices") and viewer.data("orders.prices"), what="the channel on the page")
    assert viewer.text(".explore-problems") == ""
    installation.post([{"id": "explore-live", "order": "E801", "shop": "east", "price": 4_321}])
    wait_until(lambda: 4_321 in viewer.run(LINES).get("east", []), what="the new price on the chart, by itself")
    viewer.driver.back()
    wait_until(lambda: viewer.run("return document.querySelector('[data-answer]') !== null"), what="the one before")
