"""A reader is told which values are of the open window, and which were changed by what came late."""

from __future__ import annotations

import time
from typing import Any

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

MINUTE_MS = 60_000
OPEN = " (open window, incomplete)"
TEXTS = (
    "const texts = document.querySelector('.js-plotly-plot')?.data?.[0]?.text ?? [];"
    "return texts.map((text, i) => [texts.length - i, text]).filter(([, text]) => text)"
)


def order(number: int, at: int, price: float) -> dict[str, Any]:
    return {"id": f"w{number}", "order": f"W{number}", "shop": "north", "price": price, "created_at": at}


def test_the_open_window_is_told_from_full_ones_and_a_late_order_marks_what_it_changes(
    installation: Installation, viewer: Viewer
) -> None:
    this_minute = time.time_ns() // 1_000_000 // MINUTE_MS * MINUTE_MS
    orders = [order(n, this_minute - n * MINUTE_MS, 100.0 + n) for n in range(5)]
    installation.post([*orders, order(9, this_minute - 4 * MINUTE_MS, 900.0)])
    viewer.open(f"{installation.url}/minutes")
    wait_until(lambda: viewer.text(".tile [data-window]").startswith("so far, since "), what="since when it counts")
    wait_until(lambda: viewer.text(".tile .change[data-change]") == "−2.00 in 2 min", what="a change of full windows")
    wait_until(lambda: [1, OPEN] in viewer.run(TEXTS), what="the open point")
    installation.post([order(10, this_minute - 2 * MINUTE_MS, 50.0)])
    wait_until(lambda: [3, " (restated once)"] in viewer.run(TEXTS), what="the point that was changed")
    wait_until(lambda: viewer.text(".tile:nth-child(2) [data-window]") == "↺ restated once", what="the marked tile")
    wait_until(lambda: viewer.text(".cell-restated") == "north", what="the marked row")
    viewer.run("document.querySelector('.chart .freshness').open = true")
    told = "2 points restated; the newest of"  # its turnover and its count
    wait_until(lambda: told in viewer.text(".chart .freshness[open] .popover"), what="what the details say")
