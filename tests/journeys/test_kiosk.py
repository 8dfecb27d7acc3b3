"""A page on a wall, and inside of a page of another origin."""

from __future__ import annotations

import math
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.installation import Installation
from tests.journeys.browser import Viewer
from tests.ports import free_port
from tests.waiting import wait_until

WALL = {"width": 1920, "height": 1080, "deviceScaleFactor": 1, "mobile": False}
LINES = "return [...document.querySelectorAll('.js-line')].some((one) => one.getBoundingClientRect().width > 0)"
SIZE = "return parseFloat(getComputedStyle(document.querySelector(arguments[0])).fontSize)"
CAPITAL = """
const { fontWeight, fontSize, fontFamily } = getComputedStyle(document.querySelector(arguments[0]));
const pen = document.createElement('canvas').getContext('2d');
pen.font = `${fontWeight} ${fontSize} ${fontFamily}`;
return pen.measureText('H').actualBoundingBoxAscent;
"""
INCHES, AWAY_MM = 55, 2_000
SEEN = (
    "return [...document.querySelectorAll('button, a, input, .menu, .navigation, .footer')]"
    ".filter((one) => one.checkVisibility()).map((one) => one.className)"
)


@pytest.fixture
def wall(viewer: Viewer) -> Iterator[Viewer]:
    """A browser on a wall screen."""
    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", WALL)
    yield viewer
    viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def arc_minutes(wall: Viewer, selector: str) -> float:
    """How high a capital letter looks from two metres away, on a screen of 55 inches."""
    pixel_mm = INCHES * 25.4 * 16 / math.hypot(16, 9) / WALL["width"]
    return math.degrees(math.atan(wall.run(CAPITAL, selector) * pixel_mm / AWAY_MM)) * 60


def post(installation: Installation, number: int) -> None:
    installation.post([{"id": f"k{number}", "order": f"K{number}", "shop": "north", "price": 10.0 + number}])


def test_a_wall_shows_values_to_be_read_from_afar_without_controls_and_rotates(
    installation: Installation, wall: Viewer
) -> None:
    for number in (1, 3):
        post(installation, number)
    wall.open(f"{installation.url}/?kiosk=1")
    wait_until(lambda: wall.tile("Orders"), what="a value")
    assert set(wall.run(SEEN)) <= {"brand"}, "nothing to click on"
    assert wall.run(SIZE, ".value") >= 44
    assert arc_minutes(wall, ".freshness-text") >= 16, "what can be read at all (ISO 9241-303)"
    assert wall.run("return getComputedStyle(document.body).cursor") == "none"
    assert wall.run("return document.documentElement.scrollHeight <= innerHeight"), "one screen"
    wait_until(lambda: wall.run(LINES), what="the chart's line, which is to be seen")
    assert wait_until(lambda: wall.run("return document.documentElement.dataset.awake"), what="the screen's answer")
    wait_until(wall.banner, what="the banner: nothing was posted for long")
    assert arc_minutes(wall, ".banner") >= 20, "what is read with ease"
    assert re.search(r"since \d\d:\d\d:\d\d .*the source gives no sign of life", wall.banner())
    wait_until(lambda: "source silent" in wall.text(".tile .freshness-text"), what="it on each component")

    wall.open(f"{installation.url}/?kiosk=1&rotate=5&pages=/,/total")
    wall.run("window.loaded = true")
    wait_until(lambda: wall.text("h1") == "Total", what="the next page")
    assert wall.run("return window.loaded && location.search.includes('kiosk=1')"), "the same document, still a kiosk"
    wait_until(lambda: wall.text("h1") == "Shop", what="the first page again")

    wall.open(f"{installation.url}/?kiosk=1&rotate=often")
    wait_until(lambda: "rotate=often: give whole seconds" in wall.text("[role=alert]"), what="what is wrong")


class _Intranet(BaseHTTPRequestHandler):
    address = ""

    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(f'<h1>Intranet</h1><iframe width="900" height="700" src="{self.address}"></iframe>'.encode())

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the server's name for it
        """Nothing."""


def test_a_page_of_an_origin_that_is_allowed_shows_live_values_in_a_frame_and_no_other_does(
    installation: Installation, viewer: Viewer
) -> None:
    intranet = ThreadingHTTPServer(("127.0.0.1", 0), _Intranet)
    threading.Thread(target=intranet.serve_forever, daemon=True).start()
    page, port = f"http://localhost:{intranet.server_port}", free_port()  # another origin than 127.0.0.1
    installation.start_process("web", name="framed", port=port, more={"HEADWATER_FRAME_ANCESTORS": page})
    wait_until(lambda: installation.status("/readyz", port) == 200, what="a web process that may be framed")
    post(installation, 2)
    try:
        _Intranet.address = f"http://127.0.0.1:{port}/?embed=1"
        viewer.driver.get(page)
        viewer.driver.switch_to.frame(0)
        wait_until(lambda: viewer.tile("Orders"), what="a value in the frame")
        wait_until(lambda: viewer.stats()["link"]["state"] == "open", what="its socket, of its own origin")
        seen = "return ['.header', '.footer', '.tile'].filter((one) => document.querySelector(one).checkVisibility())"
        assert viewer.run(seen) == [".tile"]
        viewer.driver.switch_to.default_content()

        _Intranet.address = f"{installation.url}/?embed=1"  # as it is by default
        viewer.driver.get(page)
        viewer.driver.switch_to.frame(0)
        assert viewer.run("return document.querySelector('#react-entry-point, .page') === null"), "refused"
    finally:
        viewer.driver.switch_to.default_content()
        viewer.leave()
        installation.end_process("framed")
        intranet.shutdown()
        intranet.server_close()
