"""A page is seen with its values while Dash's bundles are still on their way; Dash's own then takes its place."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

EARLY_TILE = "#early .tile[aria-label=Orders] [data-value]"
GONE = "return document.getElementById('early') === null"


@pytest.fixture
def without_dash(viewer: Viewer) -> Iterator[Viewer]:
    """A browser to which Dash's renderer does not come."""
    viewer.driver.execute_cdp_cmd("Network.enable", {})
    _block(viewer, "*dash_renderer*")
    yield viewer
    _block(viewer)


def _block(viewer: Viewer, *urls: str) -> None:
    viewer.driver.execute_cdp_cmd("Network.setBlockedURLs", {"urls": list(urls)})


def test_values_are_seen_and_move_before_dash_has_drawn_the_page(
    installation: Installation, without_dash: Viewer
) -> None:
    installation.post([{"order": "E1", "shop": "north", "price": 120}])
    without_dash.driver.get(installation.url)
    first = wait_until(lambda: without_dash.text(EARLY_TILE), what="the count of orders")
    assert without_dash.text("#early [aria-current=page]") == "Shop", "the open page's link"
    installation.post([{"order": "E2", "shop": "north", "price": 130}])
    wait_until(lambda: without_dash.text(EARLY_TILE) not in ("", first), what="the next count of orders")
    wait_until(lambda: "E2" in without_dash.text("#early [data-entries]"), what="the order in the log")


def test_dashs_own_page_takes_the_place_of_the_early_one(installation: Installation, viewer: Viewer) -> None:
    installation.post([{"order": "E3", "shop": "north", "price": 120}])
    viewer.open(installation.url)
    wait_until(lambda: viewer.run(GONE), what="the end of the early view")
    assert viewer.text(".tile[aria-label=Orders] [data-value]") != ""
    assert viewer.run("return getComputedStyle(document.getElementById('react-entry-point')).visibility") == "visible"


def test_a_page_whose_early_module_does_not_come_is_dashs_alone(installation: Installation, viewer: Viewer) -> None:
    viewer.driver.execute_cdp_cmd("Network.enable", {})
    _block(viewer, "*early.mjs*")
    viewer.open(installation.url)
    wait_until(lambda: viewer.run(GONE), what="the end of the early view")
    _block(viewer)
