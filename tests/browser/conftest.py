"""One Chromium for all tests of the browser's half, and a page that is fresh for each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.browser.scripted import RunningApp, ScriptedGateway
from tests.chromium import FLAGS
from tests.waiting import wait_until


class Page:
    """The open page, in words of the product."""

    def __init__(self, driver: webdriver.Chrome, app: RunningApp) -> None:
        self.driver, self.app = driver, app

    def open(self, path: str = "/") -> None:
        self.driver.get(self.app.url + path)
        wait_until(lambda: self.link().get("state") == "open", what="an open socket")

    def run(self, script: str, *given: Any) -> Any:
        return self.driver.execute_script(script, *given)

    def link(self) -> dict[str, Any]:
        return self.run("return window.headwater ? headwater.stats().link : {}")

    def stats(self) -> dict[str, Any]:
        return self.run("return headwater.stats()")

    def state(self, channel: str) -> Any:
        return self.run("return headwater.state(arguments[0])", channel)

    def text(self, selector: str) -> str:
        return self.run("return document.querySelector(arguments[0])?.textContent ?? ''", selector)

    def texts(self, selector: str) -> list[str]:
        return self.run("return [...document.querySelectorAll(arguments[0])].map((one) => one.textContent)", selector)

    def attribute(self, selector: str, name: str) -> str | None:
        return self.run("return document.querySelector(arguments[0])?.getAttribute(arguments[1])", selector, name)

    def shows(self, selector: str, text: str) -> None:
        wait_until(lambda: self.text(selector) == text, what=f"{selector} shows {text!r}")

    def agrees(self, gateway: ScriptedGateway, *channels: str) -> None:
        """The browser's state is the server's, value by value."""
        for name in channels:
            wait_until(lambda name=name: self.state(name) == gateway.truth(name), what=f"{name} equal to the server")

    def frames_asked_for_during(self, frames: int) -> int:
        """How many animation frames the paint loop asked for while the screen showed so many."""
        return self.driver.execute_async_script(
            "const [left, done] = arguments, count = () => headwater.stats().animation_frames, start = count();"
            "const look = (i) => (i ? requestAnimationFrame(() => look(i - 1)) : done(count() - start)); look(left)",
            frames,
        )

    @contextmanager
    def other_tab(self) -> Iterator[None]:
        """Another tab in front, so that this page is hidden; afterwards it is shown again."""
        ours = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        yield
        self.driver.close()
        self.driver.switch_to.window(ours)

    def errors(self) -> list[str]:
        """What the page complained of."""
        return [entry["message"] for entry in self.driver.get_log("browser") if "favicon" not in entry["message"]]


@pytest.fixture(scope="session")
def driver() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for flag in (*FLAGS, "--window-size=1200,1600"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    driver = webdriver.Chrome(service=Service("chromedriver"), options=options)
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def running() -> Iterator[tuple[ScriptedGateway, RunningApp]]:
    """One app a file: Dash keeps its pages in one registry a process, and another file's app may empty it."""
    gateway = ScriptedGateway()
    app = RunningApp(gateway)
    yield gateway, app
    gateway.reset()
    app.stop()


@pytest.fixture
def gateway(running: tuple[ScriptedGateway, RunningApp]) -> ScriptedGateway:
    """A gateway that has forgotten all former tests."""
    running[0].reset()
    return running[0]


@pytest.fixture
def page(
    driver: webdriver.Chrome, running: tuple[ScriptedGateway, RunningApp], gateway: ScriptedGateway
) -> Iterator[Page]:
    page = Page(driver, running[1])
    yield page
    driver.get("about:blank")  # an open socket would reconnect into the next test
    driver.get_log("browser")
