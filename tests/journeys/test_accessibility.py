"""Everybody reads the same page: axe-core finds nothing, in both themes and in each state; nothing is read out that
nobody asked for, the focus is seen, and who wants no motion has none."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

import pytest
from selenium.webdriver.common.keys import Keys

from tests.installation import Installation
from tests.journeys.axe import faults, faults_in_both_themes
from tests.journeys.browser import Viewer
from tests.waiting import wait_until

TALL = {"width": 1280, "height": 2400, "deviceScaleFactor": 1, "mobile": False}  # all of a page on the screen
OPEN_PAGE = "[...document.querySelectorAll('#navigation a')].find((a) => a.textContent === arguments[0]).click()"
_numbers = count()
TROUBLE = ("Late", "Stale", "Live feed delayed", "Live again")

UNSEEN_FOCUS = """
const known = 'a[href], button, input, select, summary, textarea, [tabindex="0"]', unseen = [];
for (const one of document.querySelectorAll(known)) {
  if (one.closest('.ag-root-wrapper, .modebar, [inert]') || one.offsetParent === null || one.disabled) continue;
  one.focus({ focusVisible: true });
  if (document.activeElement !== one) continue;
  const frame = one.closest('.dash-input-container') ?? one, { outlineStyle, outlineWidth } = getComputedStyle(frame);
  if (outlineStyle === 'none' || parseFloat(outlineWidth) < 2) unseen.push(one.outerHTML.slice(0, 120));
}
document.activeElement.blur();
return unseen;
"""
WATCH_STATUSES = """
window.readOut = [];
const note = (node) => window.readOut.push(node.textContent);
for (const node of document.querySelectorAll('[role="status"], [aria-live]')) {
  new MutationObserver(() => note(node)).observe(node, { subtree: true, childList: true, characterData: true });
}
"""


@pytest.fixture
def reader(viewer: Viewer) -> Iterator[Viewer]:
    """A browser that shows a page as a whole."""
    viewer.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", TALL)
    yield viewer
    viewer.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})
    viewer.driver.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def post(installation: Installation) -> None:
    number = next(_numbers)
    installation.post([{"id": f"a{number}", "order": f"A{number}", "shop": "north", "price": 10.0 + number}])


def test_axe_finds_nothing_on_any_page_and_in_any_state(installation: Installation, reader: Viewer) -> None:
    post(installation)
    reader.open(installation.url)
    wait_until(lambda: reader.grid_row("A0"), what="the row")
    names = reader.run("return [...document.querySelectorAll('#navigation a')].map((one) => one.textContent)")
    assert len(names) >= 3
    for name in names:
        reader.run(OPEN_PAGE, name)
        wait_until(lambda name=name: reader.text("h1") == name, what=name)  # type: ignore[misc]
        assert faults_in_both_themes(reader) == [], name

    reader.open(f"{installation.url}/?paused=1")
    wait_until(lambda: reader.badge("orders.everything") == "paused", what="a paused page")
    def opened() -> bool:  # what is still mounted anew is shut again
        parts = "document.querySelectorAll('.table .freshness, .table .menu')"
        reader.run(f"{parts}.forEach((one) => {{ one.open = true; }})")
        return "Columns" in reader.text(".table .menu-columns")

    wait_until(opened, what="the open menu")
    wait_until(lambda: "Definition" in reader.text(".freshness[open] .popover"), what="the open details")
    assert faults_in_both_themes(reader) == [], "paused, details and menu open"

    reader.run("document.querySelector('.pause-bar [data-pause]').click()")
    wait_until(lambda: reader.badge("orders.everything") == "stale", what="a stale page: nothing was posted for long")
    wait_until(reader.banner, what="the banner")
    assert faults_in_both_themes(reader) == [], "stale"

    reader.run("document.querySelector('[data-look-back]').click()")
    wait_until(lambda: "Look back" in reader.text("dialog"), what="the dialog")
    assert faults_in_both_themes(reader) == [], "dialog"

    reader.open(f"{installation.url}/total?replay=2026-01-01T00:00:00Z")
    wait_until(lambda: "not live" in reader.text(".replay-bar").lower(), what="the replay's bar")
    assert faults_in_both_themes(reader) == [], "replay"

    reader.driver.get(f"{installation.url}/status")
    assert faults(reader) == [], "the status page"


def test_a_page_that_flows_reads_nothing_out_and_its_focus_is_seen(installation: Installation, reader: Viewer) -> None:
    reduced = [{"name": "prefers-reduced-motion", "value": "reduce"}]
    reader.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": reduced})
    post(installation)
    reader.open(installation.url)
    wait_until(lambda: reader.tile("Orders") and reader.grid_row("A0"), what="values and rows")
    reader.run(WATCH_STATUSES)
    for _ in range(5):
        post(installation)
        shown = f"A{next(_numbers) - 1}"
        wait_until(lambda shown=shown: reader.grid_row(shown), what="the row just posted")  # type: ignore[misc]
    told = reader.run("return window.readOut")  # on a machine that is slow the page may have been late meanwhile
    assert [one for one in told if not one.startswith(TROUBLE)] == [], "values come and go, and nobody is interrupted"
    assert reader.run("return document.getAnimations().length") == 0, "nothing moves for who wants no motion"
    assert reader.run(UNSEEN_FOCUS) == []

    reader.driver.switch_to.active_element.send_keys(Keys.ALT, "p")
    wait_until(lambda: "Paused: the page" in reader.run("return window.readOut"), what="the pause, read out")
