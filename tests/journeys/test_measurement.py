"""A real browser measures what its viewer experiences, and that reaches the database by channel and page."""

from __future__ import annotations

import re
import signal
from collections import Counter
from itertools import count

from services.database import Database
from services.measurement.kept import Kept
from services.sheets import Sheet
from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

REPORTS = re.compile(r"^headwater_viewer_reports_total\S* (\d+)", re.MULTILINE)
SHOWN = {"orders.everything", "orders.total", "orders.dear"}


def measured_by_viewers(database: Database) -> Counter[tuple[str, str, str]]:
    """How much viewers measured, by stage, channel and page."""
    found: Counter[tuple[str, str, str]] = Counter()
    for _, body in Kept(database).sheets(0, 2**52):
        for key, line in Sheet.decoded(body).lines.items():
            found[key.stage, key.channel, key.page] += sum(viewer.count for viewer in line.viewers.values())
    return found


def test_what_a_viewer_experiences_is_kept_by_channel_and_page(
    own_installation: Installation, viewer: Viewer
) -> None:
    numbers = count(1)
    viewer.open(own_installation.url)

    def reported() -> bool:
        n = next(numbers)
        own_installation.post([{"id": f"m{n}", "order": f"M{n:05}", "shop": "north", "price": 140.0}])
        viewer.run("document.body.click()")
        return any(int(reports) >= 3 for reports in REPORTS.findall(own_installation.get("/metrics")))

    wait_until(reported, what="three reports of the viewer")
    own_installation.end_process("web", signal.SIGTERM)  # its last sheet is the minute that is not over
    database = Database(f"sqlite:///{own_installation.folder / 'data' / 'headwater.db'}")
    wanted = {("created_to_painted", channel, "/") for channel in SHOWN} | {("round_trip", "", "/")}
    wanted |= {(stage, channel, "/") for stage in ("view_second", "event_age", "first_value") for channel in SHOWN}
    wanted |= {("painted_less_network", "orders.total", "/"), ("received_to_applied", "orders.total", "/")}

    def missing() -> set[tuple[str, str, str]]:
        return wanted - measured_by_viewers(database).keys()

    wait_until(lambda: not missing(), what="what the viewer measured")
    found = measured_by_viewers(database)
    assert found["first_value", "orders.total", "/"] == 1
    assert 0 < found["view_second", "orders.total", "/"] <= 90
    database.close()
