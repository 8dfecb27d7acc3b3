"""Typist: somebody without a mouse, who reaches everything by Tab and sees where the focus is."""

from __future__ import annotations

from typing import Any

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from tests.journeys.browser import Viewer

TABS_MAX = 120
STOP = """
const one = document.activeElement, ring = one.closest('.dash-input-container') ?? one;
if (one === document.body || window.stops.has(one)) return null;
const { left, top, right, bottom } = one.getBoundingClientRect();
const { outlineStyle, outlineWidth } = getComputedStyle(ring);
const within = (at, most) => Math.min(most - 1, Math.max(0, at));
const over = document.elementFromPoint(within((left + right) / 2, innerWidth), within((top + bottom) / 2, innerHeight));
const isGrid = one.closest('.ag-root-wrapper') !== null;
window.stops.add(one);
return {
  what: `${one.tagName} ${one.className} ${(one.getAttribute('aria-label') ?? one.textContent).slice(0, 40)}`,
  isSeen: isGrid || (outlineStyle !== 'none' && parseFloat(outlineWidth) >= 2),
  isUncovered: isGrid || one.contains(over) || over?.contains(one) === true,
};
"""
MISSED = """
const known = 'a[href], button, input, select, summary, textarea, [tabindex="0"]';
const shut = '.ag-root-wrapper, .modebar, [inert], details:not([open]) > :not(summary)';
const isThere = (one) => one.checkVisibility({ visibilityProperty: true }) && !one.disabled && !one.closest(shut);
return [...document.querySelectorAll(known)].filter((one) => isThere(one) && !window.stops.has(one))
  .map((one) => one.outerHTML.slice(0, 160));
"""
FOCUSED = "return document.activeElement.matches(arguments[0])"


class Typist:
    """Somebody without a mouse."""

    def __init__(self, viewer: Viewer) -> None:
        self.viewer = viewer

    def press(self, *keys: str) -> None:
        """Press keys together, into whatever has the focus."""
        chain = ActionChains(self.viewer.driver)
        *held, last = keys
        for key in held:
            chain.key_down(key)
        chain.send_keys(last)
        for key in reversed(held):
            chain.key_up(key)
        chain.perform()

    def go_to(self, selector: str) -> None:
        """Press Tab until the focus is there."""
        for _ in range(TABS_MAX):
            self.press(Keys.TAB)
            if self.viewer.run(FOCUSED, selector):
                return
        raise AssertionError(f"{selector}: not reached by Tab")

    def walk(self, most: int = TABS_MAX) -> list[str]:
        """Press Tab from the page's begin to its end; what was passed, in order.

        Fails where something holds the focus, has it unseen or covered, or is not reached.
        """
        viewer = self.viewer
        viewer.run("window.stops = new Set(); document.activeElement.blur(); document.body.focus()")
        stops: list[dict[str, Any]] = []
        while len(stops) < most:
            self.press(Keys.TAB)
            stop = viewer.run(STOP)
            if stop is None:
                break
            stops.append(stop)
        assert len(stops) < most, "nothing holds the focus"
        assert [one["what"] for one in stops if not one["isSeen"]] == []
        assert [one["what"] for one in stops if not one["isUncovered"]] == []
        assert viewer.run(MISSED) == []
        return [one["what"] for one in stops]
