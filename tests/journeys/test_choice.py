"""A choice: one value of a field on every component, as SQL over the archive has it; and who may choose what."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.journeys.test_early_view import without_dash
from tests.ports import free_port
from tests.waiting import wait_until

__all__ = ["without_dash"]
SHOPS = ("north", "south")
ORDERS = [
    {"order": f"C{number}", "shop": SHOPS[number % 2], "price": 40.0 + 10 * number} for number in range(12)
]
ROWS = """
  const found = [...document.querySelectorAll('[id]')].find((one) => one.id.includes('live-table')), rows = {};
  try {
    dash_ag_grid.getApi(JSON.parse(found.id)).forEachNode(({data}) => { rows[data.id] = data.price; });
  } catch { return {}; } // the grid is not there yet
  return rows;
"""
LINES = """
  const named = (graph) => (graph.data ?? []).filter(({name}) => name && name !== 'room');
  const line = (graph) => named(graph).map(({name, y}) => [name, [...(y ?? [])]]);
  return [...document.querySelectorAll('.js-plotly-plot')].map((graph) => Object.fromEntries(line(graph)));
"""
TOLD = """
  return [...document.querySelectorAll('[data-live]')].map((one) => {
    const chip = one.querySelector('.choice-told');
    return chip && !chip.hidden ? chip.textContent.trim() : '';
  })
"""


@pytest.fixture(scope="module", autouse=True)
def orders(installation: Installation) -> None:
    """Orders of two shops, archived."""
    now = int(time.time() * 1000)  # a line has one point of a time
    installation.post([one | {"created_at": now - 2_000 + 100 * number} for number, one in enumerate(ORDERS)])
    wait_until(lambda: len(archived(installation)) == len(ORDERS), what="the orders in the archive")


def archived(installation: Installation, shop: str | None = None) -> list[dict[str, Any]]:
    """What SQL over the archive has of a shop, or of all of them."""
    path = installation.folder / "data" / "headwater.db"
    asked = """
        select json_extract(body, '$.order'), json_extract(body, '$.price'), created_at from archive_events
        where feed = 'orders' and coalesce(?, json_extract(body, '$.shop')) = json_extract(body, '$.shop')
        order by created_at, id"""
    with closing(sqlite3.connect(path)) as database:
        try:
            found = database.execute(asked, (shop,)).fetchall()
        except sqlite3.OperationalError:  # the worker has not made its tables yet
            return []
    return [{"order": order, "price": price, "at": at} for order, price, at in found]


def lines(viewer: Viewer) -> list[dict[str, list[Any]]]:
    """The lines of both charts by name; of one that is not drawn yet none."""
    found: list[dict[str, list[Any]]] = viewer.run(LINES)
    return [*found, {}, {}]


def choose(viewer: Viewer, value: str) -> None:
    Select(viewer.driver.find_element(By.CSS_SELECTOR, "#_pages_content [data-choose]")).select_by_value(value)


def choices(viewer: Viewer) -> list[str]:
    found: list[str] = viewer.run("return [...document.querySelectorAll('#_pages_content [data-choose] option')]"
                                  ".map(({value}) => value)")
    return found


def agree(installation: Installation, viewer: Viewer, shop: str) -> None:
    """Every tile, table, chart and log of the page shows this shop as the archive has it."""
    events = archived(installation, shop)
    prices = {event["order"]: event["price"] for event in events}
    minutes: dict[int, float] = {}
    for event in events:
        minute = event["at"] // 60_000
        minutes[minute] = minutes.get(minute, 0) + event["price"]
    wait_until(lambda: viewer.tile("Orders") == str(len(events)), what="the number of orders")
    wait_until(lambda: viewer.tile("Turnover") == f"{sum(prices.values()):,.2f}", what="the turnover")
    wait_until(lambda: viewer.run(ROWS) == prices, what="the rows")
    wait_until(lambda: lines(viewer)[0].get("Turnover") == list(minutes.values()), what="the turnover by minute")
    wait_until(lambda: lines(viewer)[1] == {shop: [event["price"] for event in events]}, what="the shop's line")
    dear = {order for order, price in prices.items() if price >= 100}
    wait_until(lambda: {one for one in viewer.log_text().split() if one.startswith("C")} == dear, what="dear orders")


def test_a_choice_is_on_every_component_as_the_archive_has_it_and_in_the_address(
    installation: Installation, viewer: Viewer
) -> None:
    viewer.open(f"{installation.url}/shops")
    wait_until(lambda: choices(viewer) == ["", "north", "south"], what="the shops to choose from")
    wait_until(lambda: viewer.tile("Orders") == str(len(ORDERS)), what="all orders")
    choose(viewer, "south")
    agree(installation, viewer, "south")
    assert viewer.run("return location.search") == "?shop=south"
    more = [{"order": "C90", "shop": "south", "price": 500.0}, {"order": "C91", "shop": "north", "price": 7.0}]
    installation.post(more)
    wait_until(lambda: len(archived(installation)) == len(ORDERS) + 2, what="two more orders in the archive")
    agree(installation, viewer, "south")
    viewer.driver.refresh()
    wait_until(lambda: viewer.run("return !!window.headwater?.stats && !document.getElementById('early')"), what="it")
    agree(installation, viewer, "south")
    told, alone = "shop south", "shows all shops"
    assert viewer.run(TOLD) == [told, told, alone, alone, told, told, told, told]
    subscribed = viewer.stats()["channels"]
    assert "orders.total_by_shop:south" in subscribed
    assert not {"orders.total", "orders.minutes"} & set(subscribed), "what is not shown is not asked for"
    viewer.driver.back()
    wait_until(lambda: viewer.tile("Orders") == str(len(ORDERS) + 2), what="all orders again")
    assert set(viewer.run(TOLD)) == {""}


def test_a_row_leads_to_what_it_is_of(installation: Installation, viewer: Viewer) -> None:
    viewer.open(f"{installation.url}/shops")
    wait_until(lambda: viewer.run(ROWS).get("C2"), what="the row")
    wait_until(lambda: choices(viewer) == ["", "north", "south"], what="the shops to choose from")
    viewer.run("document.querySelector('.grid-frame').scrollIntoView({block: 'center'})")
    cell = "[row-id='C2'] .cell-open"
    wait_until(lambda: viewer.driver.find_elements(By.CSS_SELECTOR, cell), what="its first cell")
    viewer.driver.find_element(By.CSS_SELECTOR, cell).click()
    wait_until(lambda: viewer.text(".drawer > .button") == "Only shop north", what="what it leads to")
    viewer.driver.find_element(By.CSS_SELECTOR, ".drawer > .button").click()
    wait_until(lambda: set(viewer.run(ROWS)) == {one["order"] for one in archived(installation, "north")}, what="rows")
    assert viewer.run("return location.search") == "?shop=north"
    assert viewer.tile("Orders") == "—", "no value of before stays where nobody looks"
    viewer.run("scrollTo(0, 0)")
    agree(installation, viewer, "north")


def test_the_first_values_are_those_of_the_choice(installation: Installation, without_dash: Viewer) -> None:
    without_dash.driver.get(f"{installation.url}/shops?shop=north")
    expected = str(len(archived(installation, "north")))
    tile = "#early .tile[aria-label=Orders] [data-value]"
    assert wait_until(lambda: without_dash.text(tile), what="the first value") == expected


@pytest.fixture
def of_south(installation: Installation) -> Iterator[str]:
    """The address of a web process whose visitors may see the south alone."""
    port = free_port()
    sees = {"HEADWATER_TEST_SEES": "orders.*_by_shop:south"}
    installation.start_process("web", name="south", port=port, more=sees)
    wait_until(lambda: installation.status("/readyz", port) == 200, what="the web process of the south")
    yield f"http://127.0.0.1:{port}"
    installation.end_process("south", 15)


def test_who_may_not_see_a_value_is_not_offered_it_and_its_address_says_so(
    installation: Installation, viewer: Viewer, of_south: str
) -> None:
    viewer.open(f"{of_south}/shops?shop=north")
    note = "There is no shop north that you may see"
    wait_until(lambda: note in viewer.text("#_pages_content [data-choice-note]"), what="what is wrong")
    wait_until(lambda: "not available" in viewer.text(".tile[aria-label=Orders] .freshness"), what="a refused tile")
    assert viewer.tile("Orders") in ("", "—")
    choose(viewer, "south")
    events = archived(installation, "south")
    wait_until(lambda: viewer.tile("Orders") == str(len(events)), what="the orders of the south")
    assert choices(viewer) == ["south"], "who sees parts alone is not offered all"
    assert viewer.text("#_pages_content [data-choice-note]") == ""
    assert "7.00" not in viewer.text("#_pages_content"), "nothing of the north is anywhere"
