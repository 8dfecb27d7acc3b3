"""Work that takes long shows how far it is and can be stopped: a history and a replay over a slow link.

An export that is stopped stands with the other files, in `test_take_away.py`.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

from selenium.webdriver.common.by import By

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

SEEN = "return document.querySelector(arguments[0])?.checkVisibility() === true"
SEEK = """
const scrub = document.querySelector('.replay-scale input');
scrub.value = String(Number(scrub.min) + arguments[0]);
scrub.dispatchEvent(new Event('change', { bubbles: true }));
"""
LOADED = ("As recorded", "In part recomputed from events")
"""What a replay says that has what it shows; a channel of which there was nothing yet is computed anew."""
SHOWN = "return document.querySelector('.replay-time').textContent"


@contextmanager
def slow_link(viewer: Viewer) -> Iterator[None]:
    """Whatever is asked over HTTP takes a minute."""
    viewer.driver.execute_cdp_cmd("Network.enable", {})
    usual = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    viewer.driver.execute_cdp_cmd("Network.emulateNetworkConditions", {**usual, "latency": 60_000})
    yield
    viewer.driver.execute_cdp_cmd("Network.emulateNetworkConditions", usual)


def post(installation: Installation) -> int:
    """Ten orders; when the first of them was posted."""
    began = int(time.time() * 1_000)
    installation.post([{"order": f"W{n}", "shop": "north", "price": 10 + n} for n in range(10)])
    return began


def press(viewer: Viewer, place: str, words: str) -> None:
    buttons = viewer.driver.find_elements(By.CSS_SELECTOR, f"{place} button")
    next(one for one in buttons if one.text == words).click()


def test_a_history_that_takes_long_is_stopped_and_the_live_line_stays(
    installation: Installation, viewer: Viewer
) -> None:
    post(installation)
    viewer.open(installation.url)
    wait_until(lambda: viewer.chart_points().get("north"), what="the live line")
    with slow_link(viewer):
        press(viewer, ".lookback", "24 h")
        wait_until(lambda: viewer.run(SEEN, ".lookback progress"), what="a progress bar")
        assert viewer.text(".lookback [role=status]") == "Reading 24 h"
        press(viewer, ".lookback", "Stop")
        wait_until(lambda: not viewer.run(SEEN, ".lookback progress"), what="no progress bar any more")
        assert viewer.chart_points()["north"], "the live line stays"
    press(viewer, ".lookback", "24 h")
    told = "return document.querySelector('.lookback [role=status]').textContent"
    wait_until(lambda: "Nothing before" in viewer.run(told), what="the day, as far as there is one")


def test_a_replay_that_takes_long_to_load_is_given_up_and_shows_what_it_showed(
    installation: Installation, viewer: Viewer
) -> None:
    began = post(installation)
    wait_until(lambda: time.time() * 1_000 > began + 6_000, what="the end of the interval")
    viewer.open(f"{installation.url}/?replay={began}&until={began + 5_000}")
    wait_until(lambda: viewer.text(".replay-said") in LOADED, what="the recording")
    before = viewer.run(SHOWN)
    with slow_link(viewer):
        viewer.run(SEEK, 2_000)
        wait_until(lambda: viewer.run(SEEN, ".replay-bar progress"), what="a progress bar")
        assert viewer.text(".replay-said") == "Loading the recording"
        press(viewer, ".replay-news", "Cancel")
        wait_until(lambda: not viewer.run(SEEN, ".replay-bar progress"), what="no progress bar any more")
        wait_until(lambda: viewer.run(SHOWN) == before, what="the time that was shown before")
    viewer.run(SEEK, 2_000)
    wait_until(lambda: viewer.run(SHOWN) != before, what="the later time")
    wait_until(lambda: viewer.text(".replay-said") in LOADED, what="its recording")
