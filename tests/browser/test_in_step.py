"""What is pointed at: a chart tells its newest points, and the others show what held at that moment."""

from __future__ import annotations

from typing import Any

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.conftest import Page
from tests.browser.scripted import ScriptedGateway, now_ms
from tests.waiting import wait_until

NEWEST = "return document.querySelector(arguments[0] + ' .js-plotly-plot')?.data?.[0]?.x.at(-1)"
MARKED = """
const graph = document.querySelector(arguments[0] + ' .js-plotly-plot'), [point] = graph._hoverdata ?? [];
if (!point || graph.querySelector('.hoverlayer').childElementCount === 0) return null;
const {xaxis} = graph._fullLayout, at = xaxis.d2c(point.x);
const box = graph.querySelector('.hoverlayer .axistext path').getBoundingClientRect();
const place = graph.querySelector('.nsewdrag').getBoundingClientRect().left + xaxis.c2p(at);
return {at, value: point.y, isInPlace: Math.abs((box.left + box.right) / 2 - place) < 3};
"""
PLACE = """
const graph = document.querySelector(arguments[1] + ' .js-plotly-plot');
const {left, top} = graph.querySelector('.nsewdrag').getBoundingClientRect();
return {x: left + graph._fullLayout.xaxis.c2p(arguments[0]), y: top + 20};
"""
HOLD_FRAMES = """
window.heldBack = []; window.itsOwn = window.requestAnimationFrame;
window.requestAnimationFrame = (frame) => window.heldBack.push(frame);
"""
LET_FRAMES_GO = """
window.requestAnimationFrame = window.itsOwn;
for (const frame of window.heldBack.splice(0)) frame(performance.now());
"""
POINT_AT = """
const graph = document.querySelector('#chart .js-plotly-plot');
graph.emit('plotly_hover', {points: [{x: arguments[0]}]});
"""


def marked(page: Page, chart: str) -> dict[str, Any] | None:
    """What a chart tells of: time, value, and whether its label stands at that time on the axis."""
    found: dict[str, Any] | None = page.run(MARKED, chart)
    return found


def shows(page: Page, chart: str, at: int, value: float) -> None:
    told = {"at": at, "value": value, "isInPlace": True}
    wait_until(lambda: marked(page, chart) == told, what=f"{chart} telling {told}")


def open_with(page: Page, gateway: ScriptedGateway, **points: list[list[float]]) -> None:
    """The page with two charts, drawn with these points."""
    for name, those in points.items():
        gateway.delta(f"host.{name}", {"points": {"percent:0": those}})
    page.open("/charts")
    newest = {{"cpu": "#chart", "slow": "#slow"}[name]: those[-1][0] for name, those in points.items()}
    wait_until(lambda: {chart: page.run(NEWEST, chart) for chart in newest} == newest, what="the lines")


def focus(page: Page, *keys: str) -> None:
    page.run("document.querySelector('#chart .plot').focus()")
    for key in keys:
        page.driver.switch_to.active_element.send_keys(key)


def move_mouse(page: Page, x: float, y: float) -> None:
    page.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": "mouseMoved", "x": x, "y": y})


@pytest.fixture
def at() -> int:
    return now_ms() - 200_000


def written(page: Page, gateway: ScriptedGateway, at: int, value: float) -> None:
    """A point that is written into the drawn line, which has room for it."""
    gateway.delta("host.cpu", {"points": {"percent:0": [[at, value]]}})
    wait_until(lambda: page.run(NEWEST, "#chart") == at, what="the newest point")


def test_a_point_that_came_since_the_drawing_is_told_by_keys(page: Page, gateway: ScriptedGateway, at: int) -> None:
    open_with(page, gateway, cpu=[[at, 10], [at + 100_000, 30]])
    written(page, gateway, at + 101_000, 29)
    focus(page, Keys.ARROW_LEFT)
    shows(page, "#chart", at + 101_000, 29)


def test_a_point_that_came_since_the_drawing_is_told_under_a_mouse(
    page: Page, gateway: ScriptedGateway, at: int
) -> None:
    open_with(page, gateway, cpu=[[at, 10], [at + 100_000, 30]])
    written(page, gateway, at + 101_000, 29)
    move_mouse(page, **page.run(PLACE, at + 101_000, "#chart"))
    shows(page, "#chart", at + 101_000, 29)
    move_mouse(page, x=0, y=0)


def test_a_chart_whose_line_comes_later_shows_the_moment_then(page: Page, gateway: ScriptedGateway, at: int) -> None:
    open_with(page, gateway, cpu=[[at, 10], [at + 100_000, 30]])
    focus(page, Keys.ARROW_LEFT)
    shows(page, "#chart", at + 100_000, 30)
    gateway.delta("host.slow", {"points": {"percent:0": [[at - 1_000, 5], [at + 75_000, 6]]}})
    shows(page, "#slow", at + 75_000, 6)


def test_marks_stay_at_their_moment_while_the_axes_move(page: Page, gateway: ScriptedGateway, at: int) -> None:
    open_with(page, gateway, cpu=[[at, 10], [at + 100_000, 30]], slow=[[at, 5], [at + 75_000, 6]])
    focus(page, Keys.ARROW_LEFT)
    shows(page, "#slow", at + 75_000, 6)
    for name in ("cpu", "slow"):
        gateway.delta(f"host.{name}", {"points": {"percent:0": [[at + 150_000, 7]]}})
    for chart in ("#chart", "#slow"):
        wait_until(lambda chart=chart: page.run(NEWEST, chart) == at + 150_000, what="the axis, moved")
    shows(page, "#chart", at + 100_000, 30)
    shows(page, "#slow", at + 75_000, 6)


def test_of_moments_within_a_frame_the_last_one_is_shown_and_none_after_the_end(
    page: Page, gateway: ScriptedGateway, at: int
) -> None:
    open_with(page, gateway, cpu=[[at, 10], [at + 100_000, 30]], slow=[[at, 5], [at + 75_000, 6]])
    focus(page)
    page.run(HOLD_FRAMES)
    page.run(POINT_AT, at + 100_000)
    page.run(POINT_AT, at)
    page.run(LET_FRAMES_GO)
    shows(page, "#slow", at, 5)
    page.run(HOLD_FRAMES)
    page.run(POINT_AT, at + 100_000)
    page.run("document.querySelector('#chart .js-plotly-plot').emit('plotly_unhover', {points: []})")
    page.run(LET_FRAMES_GO)
    wait_until(lambda: marked(page, "#slow") is None, what="no moment, no mark")


def test_a_mouse_that_leaves_ends_its_moment_also_beside_a_chart_with_the_focus(
    page: Page, gateway: ScriptedGateway, at: int
) -> None:
    open_with(page, gateway, cpu=[[at, 10], [at + 100_000, 30]], slow=[[at, 5], [at + 75_000, 6]])
    focus(page, Keys.ARROW_LEFT)
    shows(page, "#slow", at + 75_000, 6)
    move_mouse(page, **page.run(PLACE, at + 500, "#slow"))  # some pixels inside of the plot
    shows(page, "#chart", at, 10)
    move_mouse(page, x=0, y=0)
    wait_until(lambda: (marked(page, "#chart"), marked(page, "#slow")) == (None, None), what="no moment, no marks")
