"""`python -m tests.pictures [FOLDER]`: takes the README's picture from the demo's first page, and those of
docs/components.md from its gallery.

It starts the demo as `make run` does, on a free port and with data of its own, waits until the page has something to
show, and takes each component as Chromium draws it, at twice the size of the screen's points.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from selenium import webdriver
from selenium.webdriver.chrome.service import Service

from tests.chromium import FLAGS
from tests.ports import free_port
from tests.waiting import wait_until

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / "docs/pictures"
SCREEN = {"width": 1280, "height": 1800, "deviceScaleFactor": 1.5, "mobile": False}
FIRST_PAGE = "first_page"
FIRST_SCREEN = {"width": 1280, "height": 860, "deviceScaleFactor": 1.5, "mobile": False}
FIRST_FILLED = """
const figures = [...document.querySelectorAll('.tile [data-value]')].map((one) => one.textContent);
return figures.every((one) => /\\d/.test(one)) && Number(figures[0]) >= 25
  && document.querySelectorAll('.ag-row').length > 8 && !document.querySelector('[data-live][data-empty]')
  && !document.querySelector('#early') && !document.querySelector('.tile .freshness:not([data-state=live])')
  && document.querySelector('.js-plotly-plot .scatterlayer .trace path.js-line')?.getTotalLength() > 300;
"""
PICTURES = {
    "live_text": ".painted:has(.live-text)", "bar": ".painted:has(.bars)", "status_list": ".painted:has(.states)",
    "histogram": ".painted:has(.bins)", "heat_map": ".painted:has(.heat[data-timed])",
    "heat_map_by_fields": ".painted:has(.heat:not([data-timed]))", "grid": ".areas",
    "of_your_own": ".painted:has([data-place=gauge])",
}
"""Each picture's name, and what is on it."""
FILLED = """
const filled = (selector, most) => document.querySelectorAll(selector).length >= most;
return filled('.bar', 10) && filled('.state', 8) && filled('.heat[data-timed] td:not([data-shade=""])', 20)
  && document.querySelector('.gauge-words')?.textContent !== '—' && !filled('.painted[data-empty]', 1)
  && !filled('.painted .freshness:not([data-state=live])', 1);
"""


@contextlib.contextmanager
def demo() -> Iterator[str]:
    """The demo as `make run` starts it; its address."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="hw-") as folder:
        environment = {**os.environ, "PORT": str(port), "HEADWATER_DATA": folder, "HEADWATER_LOG_LEVEL": "error"}
        with subprocess.Popen([sys.executable, "-m", "app.cli", "up"], cwd=ROOT, env=environment) as running:
            try:
                wait_until(lambda: _is_ready(port), 120, "the demo")
                yield f"http://127.0.0.1:{port}"
            finally:
                running.terminate()


def _is_ready(port: int) -> bool:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


@contextlib.contextmanager
def chromium() -> Iterator[webdriver.Chrome]:
    options = webdriver.ChromeOptions()
    for option in (*FLAGS, "--hide-scrollbars"):
        options.add_argument(option)
    driver = webdriver.Chrome(service=Service("chromedriver"), options=options)
    try:
        yield driver
    finally:
        driver.get("about:blank")
        driver.quit()


def take_first(url: str, driver: webdriver.Chrome, folder: Path) -> None:
    """The first screen of the first page, as soon as there is something on it."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", FIRST_SCREEN)
    driver.get(url)
    wait_until(lambda: driver.execute_script(FIRST_FILLED), 300, "a full first page")
    (folder / f"{FIRST_PAGE}.png").write_bytes(driver.get_screenshot_as_png())


def take(url: str, driver: webdriver.Chrome, folder: Path) -> None:
    """Every picture, of the page as it is once it is full."""
    driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", SCREEN)
    driver.get(f"{url}/gallery")
    wait_until(lambda: driver.execute_script(FILLED), 300, "a full gallery")
    driver.execute_script("document.documentElement.dataset.theme = 'light'")
    for name, selector in PICTURES.items():
        found = driver.find_element("css selector", f"main {selector}")
        (folder / f"{name}.png").write_bytes(found.screenshot_as_png)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with demo() as url, chromium() as driver:
        take_first(url, driver, folder)
        take(url, driver, folder)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else FOLDER)
