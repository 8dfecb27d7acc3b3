"""A link: what one person made of a page is what another one sees who opens its address."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs, urlsplit

from selenium.webdriver.common.by import By

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.journeys.test_choice import choices, choose
from tests.journeys.test_look_back import press
from tests.waiting import wait_until

ORDERS = [
    {"order": f"{letter}{number}", "shop": shop, "price": 10.0 * number}
    for shop, letter in (("north", "A"), ("south", "B"), ("south", "C")) for number in range(1, 5)
]  # fmt: skip
SHOWN = """
  const found = [...document.querySelectorAll('[id]')].find((one) => one.id.includes('live-table')), rows = [];
  try { dash_ag_grid.getApi(JSON.parse(found.id)).forEachNodeAfterFilter(({data}) => rows.push(data.order)); } catch {}
  const pressed = (one) => one.querySelector('.lookback-choice [aria-pressed=true]')?.textContent;
  return {
    choice: document.querySelector('#_pages_content [data-choose]')?.value, rows: rows.sort(),
    quick: document.querySelector('.tools input')?.value, paused: !document.querySelector('.pause-bar')?.hidden,
    windows: [...document.querySelectorAll('.lookback')].map(pressed),
  };
"""


def shown(viewer: Viewer) -> dict[str, Any]:
    """What the page shows of a person's own doing."""
    found: dict[str, Any] = viewer.run(SHOWN)
    return found


def test_a_link_restores_page_choice_filter_window_and_pause_together(
    installation: Installation, viewer: Viewer
) -> None:
    installation.post(ORDERS)
    viewer.open(f"{installation.url}/shops")
    wait_until(lambda: choices(viewer) == ["", "north", "south"], what="the shops to choose from")
    wait_until(lambda: len(shown(viewer)["rows"]) == len(ORDERS), what="all rows")
    choose(viewer, "south")
    wait_until(lambda: len(shown(viewer)["rows"]) == 8, what="the rows of the south")
    viewer.driver.find_element(By.CSS_SELECTOR, ".tools input").send_keys("B")
    wait_until(lambda: shown(viewer)["rows"] == ["B1", "B2", "B3", "B4"], what="those with a B")
    press(viewer, "6 h")
    viewer.driver.find_element(By.CSS_SELECTOR, ".header [data-pause]").click()
    wait_until(lambda: shown(viewer)["paused"], what="a paused page")
    made, link = shown(viewer), viewer.driver.current_url
    assert made["windows"] == ["6 h", "6 h"], "a window is the page's"
    assert {name: value for name, (value,) in parse_qs(urlsplit(link).query).items()} == {
        "shop": "south", "orders.everything.q": "B", "window": "6h", "paused": "1",
    }  # fmt: skip

    viewer.leave()
    viewer.open(link)
    wait_until(lambda: shown(viewer) == made, what=f"the page as it was: {made}")
    wait_until(lambda: viewer.tile("Orders") == "8", what="the tile of the choice")
    installation.post([{"order": "B9", "shop": "south", "price": 1.0}])
    wait_until(lambda: "behind" in viewer.text(".pause-bar"), what="what came since, untouched by the page")
    assert shown(viewer) == made
    viewer.driver.find_element(By.CSS_SELECTOR, ".pause-bar button").click()
    wait_until(lambda: shown(viewer)["rows"] == ["B1", "B2", "B3", "B4", "B9"], what="the same choice and filter, live")
    assert "paused" not in viewer.driver.current_url
