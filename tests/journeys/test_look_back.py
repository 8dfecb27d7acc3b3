"""Looking back: a chart's window from the archive to the live tail, the period before, and back to live."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from selenium.webdriver.common.by import By
from sqlalchemy import insert, select

from services.database import Database, DatabaseDown
from services.database.tables import archive_deltas, archive_gaps
from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

STEP_MS, HOUR_MS = 60_000, 3_600_000
LINES = """
  const offset = new Date().getTimezoneOffset() * 60000;
  const graph = document.querySelector('.chart .js-plotly-plot');
  const named = (graph?.data ?? []).filter(({name}) => name);
  return Object.fromEntries(named.map(({name, x, y}) => [name, x.map((t, i) => [t + offset, y[i]])]))
"""
NOTES = "return [...document.querySelectorAll('.annotation-text')].map((one) => one.textContent)"
BUSY = "return document.querySelector('.lookback progress').checkVisibility()"
Truth = dict[int, Any]


@pytest.fixture(scope="module")
def truth(installation: Installation) -> Truth:
    """Prices of two days in the archive, each minute, with a gap of an hour that is known; what is posted is added."""
    now = int(time.time() * 1000)
    begin, lost = now - 48 * HOUR_MS, (now - 5 * HOUR_MS, now - 4 * HOUR_MS)
    times = [at for at in range(begin, now - 11 * STEP_MS, STEP_MS) if not lost[0] < at < lost[1]]
    prices = {at: at // STEP_MS % 97 for at in times}
    rows = [
        {"channel": "orders.prices", "epoch": "before", "seq": number, "whole": False, "at": at,
         "data": orjson.dumps({"points": {"price:old": [[at, price]]}}).decode()}
        for number, (at, price) in enumerate(prices.items())
    ]
    gap = {"feed": "orders", "channel": "orders.prices", "since": lost[0], "until": lost[1], "events": 0,
           "reason": "deltas_trimmed", "recorded_at": now}
    database = Database(f"sqlite:///{installation.folder / 'data' / 'headwater.db'}")
    wait_until(lambda: is_made(database), what="the worker's tables")
    with database.writing() as connection:
        connection.execute(insert(archive_deltas), rows)
        connection.execute(insert(archive_gaps), [gap])
    database.close()
    return prices


def is_made(database: Database) -> bool:
    """Whether the tables are there."""
    try:
        with database.reading() as connection:
            return connection.execute(select(archive_gaps.c.number)).first() is None
    except DatabaseDown:
        return False


def press(viewer: Viewer, words: str) -> None:
    """Press a button of the row above the chart."""
    for button in viewer.driver.find_elements(By.CSS_SELECTOR, ".lookback button"):
        if button.text == words:
            return button.click()
    raise AssertionError(f"no button {words!r}")


def drawn(viewer: Viewer, name: str = "old") -> Truth:
    """A line as it is drawn, without its gaps."""
    return {at: price for at, price in viewer.run(LINES).get(name, []) if price is not None}


def settled(viewer: Viewer) -> bool:
    return not viewer.run(BUSY)


def post(installation: Installation, truth: Truth, number: int) -> None:
    at = int(time.time() * 1000)
    installation.post([{"id": f"b{number}", "order": f"B{number}", "shop": "old", "price": number, "created_at": at}])
    truth[at] = number


def newest(truth: Truth, window_ms: int) -> Truth:
    since = max(truth) - window_ms
    return {at: price for at, price in truth.items() if at >= since}


def test_a_day_is_one_line_from_the_archive_to_the_newest_event_and_back_to_live_is_one_gesture(
    installation: Installation, viewer: Viewer, truth: Truth
) -> None:
    for number in range(5):
        post(installation, truth, number)
    viewer.open(installation.url)
    wait_until(lambda: len(drawn(viewer)) == 5, what="the live line")
    press(viewer, "6 h")
    wait_until(lambda: settled(viewer) and drawn(viewer) == newest(truth, 6 * HOUR_MS), what="six hours as they were")
    for number in range(5, 10):
        post(installation, truth, number)
    wait_until(lambda: drawn(viewer) == newest(truth, 6 * HOUR_MS), what="the same with what came meanwhile")
    assert viewer.run("return location.search") == "?window=6h"
    assert "nobody archived" in viewer.run(NOTES)
    press(viewer, "24 h")
    wait_until(lambda: settled(viewer) and min(drawn(viewer)) == min(newest(truth, 24 * HOUR_MS)), what="a whole day")
    day = newest(truth, 24 * HOUR_MS)
    found = drawn(viewer)
    assert found.items() <= day.items()
    assert max(found) == max(day)
    press(viewer, "Back to live")
    wait_until(lambda: drawn(viewer) == newest(truth, 600_000), what="the live line again")
    assert viewer.run("return location.search") == ""


def test_a_link_restores_the_window_and_the_period_before(
    installation: Installation, viewer: Viewer, truth: Truth
) -> None:
    viewer.open(f"{installation.url}/?window=6h&compare=1")
    before = "old, 6 h before"
    wait_until(lambda: len(drawn(viewer)) > 200 and len(drawn(viewer, before)) > 200, what="both lines")
    moved = {at - 6 * HOUR_MS: price for at, price in drawn(viewer, before).items()}
    assert moved.items() <= truth.items()
    assert max(moved) <= max(truth) - 6 * HOUR_MS
    press(viewer, "Period before")
    wait_until(lambda: not drawn(viewer, before), what="the present alone")
    assert viewer.run("return location.search") == "?window=6h"


def test_a_zoom_offers_the_way_back_to_live(installation: Installation, viewer: Viewer, truth: Truth) -> None:
    viewer.open(installation.url)
    post(installation, truth, 11)
    wait_until(lambda: drawn(viewer), what="the live line")
    way = "return document.querySelector('.back-to-live').checkVisibility()"
    zoomed = "return document.querySelector('.chart .js-plotly-plot').layout.xaxis.autorange === false"
    assert not viewer.run(way)
    drag(viewer)
    wait_until(lambda: viewer.run(zoomed) and viewer.run(way), what="a zoom, and the way back")
    assert 11 in drawn(viewer).values(), "what was drawn stays, also where nothing comes"
    post(installation, truth, 12)
    wait_until(lambda: 12 in drawn(viewer).values(), what="what came meanwhile")
    assert viewer.run(zoomed)
    press(viewer, "Back to live")
    wait_until(lambda: not viewer.run(zoomed) and not viewer.run(way), what="the live axes")


def drag(viewer: Viewer) -> None:
    """Zoom into the middle of the chart, as with a mouse."""
    place = viewer.driver.find_element(By.CSS_SELECTOR, ".chart .nsewdrag").rect
    left, middle = place["x"] + place["width"] * 0.3, place["y"] + place["height"] / 2
    way = (("mousePressed", 0, 1), ("mouseMoved", 60, 1), ("mouseMoved", 120, 1), ("mouseReleased", 120, 0))
    for kind, moved, buttons in way:
        x = left + moved
        event = {"type": kind, "x": x, "y": middle, "button": "left", "buttons": buttons, "clickCount": 1}
        viewer.driver.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def test_what_cannot_be_read_is_said_and_can_be_tried_again(installation: Installation, viewer: Viewer) -> None:
    viewer.open(installation.url)
    installation.post([{"id": "t1", "order": "T1", "shop": "old", "price": 1}])
    wait_until(lambda: drawn(viewer), what="the live line")
    viewer.run("window.kept = window.fetch; window.fetch = () => Promise.reject(new TypeError('no network'))")
    press(viewer, "1 h")
    told = "return document.querySelector('.lookback [role=status]').textContent"
    words = "History could not be read: the server does not answer"
    wait_until(lambda: viewer.run(told) == words, what="what went wrong, in words")
    assert drawn(viewer), "the live line stays"
    viewer.run("window.fetch = window.kept")
    press(viewer, "Try again")
    wait_until(lambda: viewer.run(told) == "" and len(drawn(viewer)) > 40, what="the hour")
