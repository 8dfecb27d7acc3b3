"""Times on a page: in the viewer's zone, or in the server's, wherever they stand."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

OWN, SERVER = "Australia/Adelaide", "America/New_York"  # the server's is the contract's
LETTERS = "return getComputedStyle(document.documentElement).getPropertyValue('--zone').replaceAll('\"', '')"

AXIS = "return document.querySelector('.xtitle')?.textContent"


@pytest.fixture
def traveller(viewer: Viewer) -> Iterator[Viewer]:
    """A browser far from its server."""
    viewer.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": OWN})
    yield viewer
    viewer.run("localStorage.removeItem('headwater-zone')")
    viewer.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": ""})


def test_times_go_from_the_viewers_zone_to_the_servers_and_the_choice_is_kept(
    installation: Installation, traveller: Viewer
) -> None:
    at = datetime.now(UTC)
    order = {"id": "z1", "order": "Z1", "shop": "north", "price": 9_000}
    installation.post([{**order, "created_at": round(at.timestamp() * 1000)}])
    traveller.open(installation.url)

    def agrees(zone: str) -> None:
        clock = f"{at.astimezone(ZoneInfo(zone)):%H:%M:%S}"
        wait_until(lambda: clock in traveller.log_text(), what=f"{clock} in the log")
        letters = wait_until(lambda: traveller.run(LETTERS), what="the zone's letters")
        wait_until(lambda: traveller.text("[data-zone-switch]") == letters, what="them on the switch")
        wait_until(lambda: f"{zone} ({letters})" in traveller.text(".footer"), what="the zone's name in the footer")
        wait_until(lambda: traveller.run(AXIS) == letters, what="them on the chart's axis")
        hour = "return new Date(document.querySelector('.js-plotly-plot').data[0].x[0]).getUTCHours()"
        wait_until(lambda: traveller.run(hour) == at.astimezone(ZoneInfo(zone)).hour, what="the hour on the axis")
        traveller.run("document.querySelector('.tile .freshness').open = true")  # a click elsewhere closes it
        wait_until(lambda: f"{clock} {letters}" in traveller.text(".tile .freshness-now"), what="them in the details")

    agrees(OWN)
    traveller.run("document.querySelector('[data-zone-switch]').click()")
    agrees(SERVER)
    traveller.run("document.querySelector('[data-look-back]').click()")
    letters = traveller.run(LETTERS)
    wait_until(lambda: f"Time ({letters})" in traveller.text("dialog"), what="the zone of the time that is asked for")
    asked = traveller.run("return document.querySelector('dialog input').value")
    told = datetime.fromisoformat(asked).replace(tzinfo=ZoneInfo(SERVER))
    assert abs((datetime.now(UTC) - told).total_seconds() - 3_600) < 120, "an hour ago, by the server's clock"

    traveller.open(installation.url)
    wait_until(lambda: SERVER in traveller.text(".footer"), what="the choice, kept")
    traveller.open(f"{installation.url}/?zone=viewer")
    wait_until(lambda: OWN in traveller.text(".footer"), what="the choice of a link")
    assert re.search("server", traveller.run("return document.querySelector('[data-zone-switch]').title"))
