"""The gallery: what is painted, in a real browser: empty, under 200 changes a second, held, stale, on a phone."""

from __future__ import annotations

import time
from itertools import count
from threading import Event
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

SHOPS = ("north", "south", "east", "west", "<img src=x onerror='window.hacked=1'>")
TITLES = ("In words", "Turnover by shop", "Shops", "Price: distribution", "Tally", "Price", "By two fields", "Broken")
PHONE = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
WATCH_FRAMES = """
window.framesSeen = 0;
const look = () => { window.framesSeen += 1; requestAnimationFrame(look); };
requestAnimationFrame(look);
"""
_numbers = count()


def post(installation: Installation, most: int) -> None:
    """So many events of a hundred orders, which come again and again; each changes every component."""
    numbers = [next(_numbers) for _ in range(most)]
    installation.post([
        {"id": f"g{n}", "order": f"G{n % 100:02}", "shop": SHOPS[n % 5], "price": float(n % 230)} for n in numbers
    ])


def post_for(installation: Installation, seconds: float, each_second: int = 200) -> int:
    """Post so many a second, in ten batches, and return how many it were."""
    posted, begin, clock = 0, time.monotonic(), Event()
    while (passed := time.monotonic() - begin) < seconds:
        due = int(passed * each_second) - posted
        if due >= each_second // 10:
            post(installation, due)
            posted += due
        clock.wait(0.02)
    return posted


def block(viewer: Viewer, title: str) -> str:
    """The visible text of a component."""
    found: str = viewer.run(
        "return document.querySelector(`.painted[aria-label=\"${arguments[0]}\"]`)?.innerText ?? ''", title
    )
    return found


def bars(viewer: Viewer) -> dict[str, str]:
    found: dict[str, str] = viewer.run(
        "return Object.fromEntries([...document.querySelectorAll('.bar')].map((one) =>"
        " [one.querySelector('.bar-name').textContent, one.querySelector('.bar-value').textContent]))"
    )
    return found


def wanted_bars(installation: Installation) -> dict[str, str]:
    rows: dict[str, dict[str, Any]] = installation.snapshot("orders.by_shop")["data"]["rows"]
    return {name: f"{row['turnover']:,.2f}\u00a0EUR" for name, row in rows.items()}


def test_what_is_painted_is_empty_follows_200_changes_a_second_is_held_and_grows_stale(
    installation: Installation, viewer: Viewer
) -> None:
    viewer.open(f"{installation.url}/gallery")
    wait_until(lambda: "No rows yet" in block(viewer, "Turnover by shop"), what="no bars")
    assert "No values yet" in block(viewer, "Price: distribution")
    titles = viewer.run("return [...document.querySelectorAll('.painted')].map((one) => one.ariaLabel)")
    assert tuple(titles) == TITLES

    post(installation, 100)
    wait_until(lambda: len(bars(viewer)) == 5, what="five bars")
    wait_until(lambda: "100 rows" in block(viewer, "Tally"), what="a painter of the project's own")
    wait_until(lambda: "<b>oh</b>" in block(viewer, "Broken"), what="a painter that fails says so, as text")
    viewer.run("window.nodes = [...document.querySelectorAll('.bar, .bin, .heat td, .live-text strong')]")
    viewer.run(WATCH_FRAMES)
    assert post_for(installation, 4) > 300
    wait_until(lambda: bars(viewer) == wanted_bars(installation), what="the bars of what was posted")
    assert viewer.run("return window.framesSeen") > 20, "the page stays one that answers"
    assert viewer.run("return window.nodes.filter((one) => !one.isConnected).length") == 0, "no node is made anew"
    told = int(block(viewer, "Tally").split()[-2])
    assert told == 100, "the keys that changed, each of them"
    assert viewer.run("return window.hacked") is None, "text of an event stays text"
    assert SHOPS[4] in bars(viewer)
    assert "EUR" in block(viewer, "In words")
    total = installation.snapshot("orders.total")["data"]["rows"]["all"]["orders"]
    wait_until(lambda: f"{total:,}" in block(viewer, "In words"), what="the text")
    points = sum(map(len, installation.snapshot("orders.prices")["data"]["points"].values()))
    wait_until(lambda: f"{points:,} points" in block(viewer, "Price: distribution"), what="every point, once")

    viewer.driver.find_element(By.CSS_SELECTOR, ".header [data-pause]").click()
    wait_until(lambda: viewer.badge("orders.by_shop") == "paused", what="a paused page")
    held = bars(viewer)
    post(installation, 50)
    wait_until(lambda: viewer.state("orders.by_shop")["data"]["rows"]["north"]["orders"] > 0  # type: ignore[index]
               and "behind" in viewer.text(".pause-bar") and "0 updates" not in viewer.text(".pause-bar"),
               what="updates behind")
    assert bars(viewer) == held
    viewer.driver.find_element(By.CSS_SELECTOR, ".pause-bar [data-pause]").click()
    wait_until(lambda: bars(viewer) == wanted_bars(installation), what="what came meanwhile")

    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", PHONE)
    wait_until(lambda: viewer.run("return document.documentElement.scrollWidth") == 390, what="nothing stands out")
    viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    wait_until(lambda: viewer.badge("orders.by_shop") == "stale", what="a stale page: nothing is posted")
    assert bars(viewer) == wanted_bars(installation), "the last values stay"


def test_a_drawing_is_read_by_keyboard_and_its_details_say_what_it_shows(
    installation: Installation, viewer: Viewer
) -> None:
    post(installation, 20)
    viewer.open(f"{installation.url}/gallery")
    wait_until(lambda: len(bars(viewer)) > 1 and viewer.run("return document.querySelectorAll('.bin').length") == 10,
               what="bars and ranges")
    frame = viewer.driver.find_element(By.CSS_SELECTOR, ".bins-frame")
    frame.send_keys(Keys.ARROW_RIGHT)
    wait_until(lambda: viewer.text(".bins-frame + .readout").startswith("under 20"), what="the first range")
    frame.send_keys(Keys.END)
    wait_until(lambda: "180" in viewer.text(".bins-frame + .readout"), what="the last range")
    map_ = viewer.driver.find_element(By.CSS_SELECTOR, ".heat-frame")
    map_.send_keys(Keys.ARROW_LEFT)
    wait_until(lambda: ": " in viewer.text(".heat-foot .readout"), what="a cell in words")
    map_.send_keys(Keys.ESCAPE)
    wait_until(lambda: viewer.text(".heat-foot .readout") == "", what="no cell")
    viewer.run("document.querySelector('.painted[aria-label=\"Turnover by shop\"] .freshness').open = true")
    for part in ("Shows the 5 greatest of all rows", "Position", "painted", "orders.by_shop"):
        wait_until(  # type: ignore[misc]
            lambda part=part: part in viewer.text(".freshness[open] .popover").replace("\n", " "), what=part
        )


def test_a_replay_paints_what_was(installation: Installation, viewer: Viewer) -> None:
    post(installation, 20)
    viewer.open(f"{installation.url}/gallery?replay=2026-01-01T00:00:00Z")
    wait_until(lambda: "not live" in viewer.text(".replay-bar").lower(), what="the replay's bar")
    wait_until(lambda: "No rows yet" in block(viewer, "Turnover by shop"), what="nothing was yet")


def test_a_table_says_that_it_has_no_rows_when_that_is_known(installation: Installation, viewer: Viewer) -> None:
    viewer.open(f"{installation.url}/shops?replay=2026-01-01T00:00:00Z")
    wait_until(lambda: viewer.text(".ag-overlay").strip() == "No rows yet", what="no row was yet")
