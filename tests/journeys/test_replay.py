"""A past interval plays through the same page: each position shows what was shown then, and is marked as not live."""

from __future__ import annotations

from typing import Any

import orjson
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

CHANNEL = "orders.total"
MARKED = "return document.documentElement.dataset.replay !== undefined"
TIME = "return Date.parse(new URL(location.href).searchParams.get('replay'))"


def post_one(installation: Installation, number: int) -> dict[str, Any]:
    """One order; the snapshot that holds it."""
    installation.post([{"id": f"replay-{number}", "order": f"R{number}", "shop": "north", "price": 10 * number}])

    def shown() -> Any:
        found = installation.snapshot(CHANNEL)
        return found if found["data"]["rows"].get("all", {}).get("orders") == number else None

    found: dict[str, Any] = wait_until(shown, what=f"order {number} in the total")
    return found


def archived(installation: Installation, snapshot: dict[str, Any]) -> bool:
    """Whether a replay reaches what a snapshot shows."""
    at = snapshot["times"]["processed"] + 1
    asked = f"/api/channels/{CHANNEL}/recorded?since={at}&until={at}"
    if installation.status(asked) == 503:  # the worker has not made its tables yet
        return False
    told = orjson.loads(installation.get(asked))
    return bool(told["how"] == "recorded" and told["frames"][0]["seq"] == snapshot["seq"])


def at_position(viewer: Viewer, snapshot: dict[str, Any]) -> bool:
    """Whether the page stands where a snapshot stood, and holds the same."""
    state = viewer.state(CHANNEL)
    place = state and (state["epoch"], state["seq"])
    return place == (snapshot["epoch"], snapshot["seq"]) and viewer.data(CHANNEL) == snapshot["data"]


def press(viewer: Viewer, title: str) -> None:
    viewer.driver.find_element(By.CSS_SELECTOR, f'.replay-bar button[title="{title}"]').send_keys(Keys.ENTER)


def test_what_was_shown_is_shown_again_position_by_position_and_marked(
    installation: Installation, viewer: Viewer
) -> None:
    shown = [post_one(installation, number) for number in range(1, 5)]
    wait_until(lambda: archived(installation, shown[-1]), what="the archive has all")
    first, last = (one["times"]["processed"] for one in (shown[0], shown[-1]))
    viewer.open(f"{installation.url}/?replay={first}&until={last}")
    wait_until(lambda: at_position(viewer, shown[0]), what="the first recorded state")
    assert viewer.run(MARKED)
    wait_until(lambda: viewer.tile("Orders") == "1", what="the value that was shown")
    assert viewer.badge(CHANNEL).startswith("replay")
    post_one(installation, 5)
    press(viewer, "Next change")
    wait_until(lambda: viewer.run(TIME) > first, what="a step")
    wait_until(lambda: step(viewer) and at_position(viewer, shown[1]), what="the second state")
    press(viewer, "Previous change")
    wait_until(lambda: at_position(viewer, shown[0]), what="the first again")
    press(viewer, "Play")
    wait_until(lambda: at_position(viewer, shown[-1]), what="the last, and nothing of what came since")
    press(viewer, "Back to live")
    wait_until(lambda: not viewer.run(MARKED) and viewer.tile("Orders") == "5", what="the live page")


def step(viewer: Viewer) -> bool:
    """One step on while the total does not change: other channels of the page commit at other times."""
    if (viewer.state(CHANNEL) or {}).get("seq") == 1:
        press(viewer, "Next change")
    return True
