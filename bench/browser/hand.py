"""Hand: real input to a page (mouse and keys by the DevTools protocol), and what the browser says each of it cost."""

from __future__ import annotations

import time
from dataclasses import dataclass

from bench.browser.chromium import Browser

_BOX = """
const box = document.querySelector(arguments[0]).getBoundingClientRect();
return [box.left, box.top, box.width, box.height];
"""
_COSTS = """
const longest = {};
for (const [, id, ms] of benchInteractions.splice(0)) longest[id] = Math.max(ms, longest[id] ?? 0);
return Object.values(longest);
"""
SHORTEST_MS = 16.0
"""The browser tells of no shorter interaction: one that it is silent about counts as this long."""


@dataclass(frozen=True, slots=True)
class Hand:
    """Acts on the open page like a person; each act returns when the input was dispatched."""

    browser: Browser

    def click(self, selector: str) -> None:
        left, top, width, height = self.browser.run(_BOX, selector)
        self._mouse("mouseMoved", left + width / 2, top + height / 2, "none")
        self._mouse("mousePressed", left + width / 2, top + height / 2)
        self._mouse("mouseReleased", left + width / 2, top + height / 2)

    def drag(self, selector: str, start: float, end: float) -> None:
        """Across the element, from one share of its width to another."""
        left, top, width, height = self.browser.run(_BOX, selector)
        y, steps = top + height / 2, 5
        self._mouse("mousePressed", left + start * width, y)
        for step in range(1, steps + 1):
            self._mouse("mouseMoved", left + (start + (end - start) * step / steps) * width, y)
            time.sleep(0.02)
        self._mouse("mouseReleased", left + end * width, y)

    def type(self, text: str) -> None:
        for letter in text:
            self._key(letter, letter, 0)

    def erase(self, letters: int) -> None:
        for _ in range(letters):
            self._key("Backspace", "", 8)

    def cost_ms(self, interactions: int) -> list[float]:
        """From input to next paint, of each interaction since the last call; so many were made."""
        time.sleep(0.4)  # the browser tells of an event after its paint
        told = [float(ms) for ms in self.browser.run(_COSTS)]
        return told + [SHORTEST_MS] * (interactions - len(told))

    def _mouse(self, kind: str, x: float, y: float, button: str = "left") -> None:
        self.browser.command("Input.dispatchMouseEvent", type=kind, x=x, y=y, button=button, clickCount=1)

    def _key(self, key: str, text: str, code: int) -> None:
        code = code or ord(key.upper())
        given = {"key": key, "windowsVirtualKeyCode": code, "nativeVirtualKeyCode": code}
        self.browser.command("Input.dispatchKeyEvent", type="keyDown", text=text, **given)
        self.browser.command("Input.dispatchKeyEvent", type="keyUp", **given)
        time.sleep(0.12)
