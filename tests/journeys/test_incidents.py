"""An incident stands on the charts that it concerns, with its text, while it lasts and afterwards; so do notes."""

from __future__ import annotations

import time
from typing import Any

from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from services.alerts.finding import Finding
from services.alerts.register import Register
from services.database import Database
from services.notes import Notes
from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

NOTES = "return [...document.querySelectorAll('.chart .annotation-text')].map((one) => one.textContent)"
BANDS = "return document.querySelectorAll('.chart .shapelayer path').length"


def test_an_incident_is_marked_on_a_chart_with_its_text(installation: Installation, viewer: Viewer) -> None:
    database = Database(f"sqlite:///{installation.folder / 'data' / 'headwater.db'}")
    register, now = Register(database), int(time.time() * 1_000)
    viewer.open(installation.url)
    orders: list[dict[str, Any]] = [
        {"id": f"mark-{n}", "order": f"M{n}", "shop": "north", "price": 10 + n, "created_at": now - 20_000 + 1_000 * n}
        for n in range(20)
    ]
    installation.post(orders)
    wait_until(lambda: viewer.chart_points(), what="a chart with points")
    text = "backlog of orders at 12,400 events: live tiles delayed by 3.1 s for 42 viewers since 14:03"
    found = Finding("backlog:orders.0", "backlog:orders", "major", "worker", text, now - 10_000)
    number = register.fire(found, now, "journey")
    wait_until(lambda: viewer.run(NOTES), what="the incident's text on the chart")
    assert viewer.run(NOTES)[0].startswith(f"#{number} major: backlog of orders at")  # and what there is room for
    assert viewer.run(BANDS) >= 2
    database.close()
    viewer.open(f"{installation.url}/?replay={now - 15_000}")
    offered = "return [...document.querySelectorAll('.replay-ways option')].map((one) => one.textContent)"
    wait_until(lambda: "major: backlog of orders" in str(viewer.run(offered)), what="the incident to jump to")
    Select(viewer.driver.find_element(By.CSS_SELECTOR, ".replay-ways select")).select_by_index(1)
    begins = "return Date.parse(new URL(location.href).searchParams.get('replay'))"
    wait_until(lambda: viewer.run(begins) == found.since - 30_000, what="half a minute before it began")


def test_a_note_is_marked_on_a_chart_and_in_a_replay(
    installation: Installation, viewer: Viewer
) -> None:
    database = Database(f"sqlite:///{installation.folder / 'data' / 'headwater.db'}")
    now = int(time.time() * 1_000)
    installation.post([
        {"id": f"note-{n}", "order": f"N{n}", "shop": "north", "price": 10 + n, "created_at": now - 20_000 + 1_000 * n}
        for n in range(20)
    ])
    viewer.open(installation.url)
    wait_until(lambda: viewer.chart_points(), what="a chart with points")
    Notes(database).add("Release 4.2 <b>", person="Ada", at=now - 5_000, feed="orders")
    database.close()
    wait_until(lambda: "note: Release 4.2 <b>" in viewer.run(NOTES), what="the note on the chart, as text")
    viewer.open(f"{installation.url}/?replay={now - 3_000}")
    wait_until(lambda: "note: Release 4.2 <b>" in viewer.run(NOTES), what="the note in a replay of later")
    offered = "return [...document.querySelectorAll('.replay-ways option')].map((one) => one.textContent)"
    assert "Release" not in str(viewer.run(offered)), "a note is no incident to jump to"
