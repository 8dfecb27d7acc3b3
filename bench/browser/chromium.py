"""Chromium: one headless browser, driven by selenium and the DevTools protocol."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver.chrome.options import Options

FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
    "--disable-background-networking", "--disable-component-update",
    "--window-size=1920,1223",  # 1920 × 1080 of it are the page's
)
_WATCH = Path(__file__).with_name("watch.js").read_text()


class Browser:
    """One tab of it; `watched` pages note what stood on the screen when (`watch.js`)."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def watch(self) -> None:
        """From the next page on, note what is painted."""
        self.command("Page.addScriptToEvaluateOnNewDocument", source=_WATCH)

    def command(self, name: str, **given: Any) -> dict[str, Any]:
        """A command of the DevTools protocol."""
        answer: dict[str, Any] = self.driver.execute_cdp_cmd(name, given) or {}
        return answer

    def run(self, script: str, *given: Any) -> Any:
        return self.driver.execute_script(script, *given)

    def open(self, url: str) -> None:
        self.driver.get(url)

    def wait_for(self, script: str, within_s: float = 30.0) -> Any:
        """The script's first truthy answer. Ends the bench where there is none."""
        return wait_for(lambda: self.run(script), within_s, script)

    def figures(self) -> dict[str, float]:
        """`Performance.getMetrics`: seconds of the main thread by what it did, heap, nodes."""
        found = self.command("Performance.getMetrics")["metrics"]
        return {one["name"]: float(one["value"]) for one in found}


def wait_for(condition: Callable[[], Any], within_s: float, what: str) -> Any:
    deadline = time.monotonic() + within_s
    while not (answer := condition()):
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {within_s:g} s: {what}")
        time.sleep(0.05)
    return answer


@contextmanager
def chromium() -> Iterator[Browser]:
    """A browser with a fresh profile; closed at the end."""
    options = Options()
    for flag in FLAGS:
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options)
    try:
        browser = Browser(driver)
        browser.command("Performance.enable", timeDomain="timeTicks")
        yield browser
        browser.open("about:blank")
    finally:
        driver.quit()
