"""First value: how long a page takes until a value is on the screen, in a real browser.

Selenium is an extra (`headwater[browser]`); without it, or without Chromium, the criterion is not seen, and said so.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from services.acceptance.outcome import Outcome, judged, not_seen

NAME = "first-value"
ROUNDS = 3
OPENED_MAX = 12
LOST_AFTER_S = 30.0
_FLAGS = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync", "--window-size=1280,1000",
)  # fmt: skip
_SHOWN = """
if (!location.href.startsWith(arguments[0])) return false;
const shown = [...document.querySelectorAll('[data-live] [data-value], [data-live] [data-entries] > *,'
  + ' [data-live] .ag-row .ag-cell, [data-live] .js-plotly-plot .trace')];
return shown.some(one => one.closest('.trace') ? one.getBBox().width > 0 : /[0-9A-Za-z]/.test(one.textContent));
"""
"""Whether a live component shows a value: a number, a row, an entry or a line that is drawn."""


@dataclass(frozen=True, slots=True)
class Opened:
    """What is promised: a share of the pages that are opened show their first value within so many seconds."""

    within_s: float
    share: float


def first_value(
    url: str, cookie: str, pages: Sequence[str], promised: Opened, before: Callable[[], None]
) -> Outcome:  # fmt: skip
    """Open each page a few times, each as if for the first time; `before` brings a value there is to be shown."""
    try:
        with _browser() as driver:
            if cookie:
                _sign_in(driver, url, cookie)
            took = [
                (page, _opened(driver, f"{url}{page}", before))
                for page in (list(pages) * ROUNDS)[:OPENED_MAX]
            ]  # fmt: skip
    except ImportError:
        return not_seen(NAME, "no browser: install headwater[browser] (selenium), and Chromium with its driver")
    except _NoBrowser as fault:
        return not_seen(NAME, f"no browser could be started: {fault}; install Chromium with its driver (chromedriver)")
    in_time = [one for _, one in took if one is not None and one <= promised.within_s]
    good, slowest = len(in_time) / len(took), max((one for _, one in took if one is not None), default=0.0)
    blank = sorted({page for page, one in took if one is None})
    said = f"{100 * good:.0f} % of {len(took)} pages opened showed a value within {promised.within_s:g} s, "
    said += f"{100 * promised.share:g} % promised; the slowest took {slowest:.1f} s"
    if blank:
        said += f"; nothing was shown on {', '.join(blank)}"
    return judged(NAME, good >= promised.share, said, took_s=[[page, one] for page, one in took])


class _NoBrowser(Exception):
    """Chromium or its driver is not there."""


@contextmanager
def _browser() -> Iterator[Any]:
    """Chromium, that does not wait for a page to be loaded. Raises ImportError or _NoBrowser."""
    from selenium import webdriver
    from selenium.common.exceptions import WebDriverException
    from selenium.webdriver.chrome.options import Options

    options = Options()
    for flag in _FLAGS:
        options.add_argument(flag)
    options.page_load_strategy = "none"
    try:
        driver = webdriver.Chrome(options=options)
    except (WebDriverException, OSError) as error:
        raise _NoBrowser(str(getattr(error, "msg", None) or error).splitlines()[0][:160]) from error
    try:
        yield driver
    finally:
        driver.get("about:blank")
        driver.quit()


def _sign_in(driver: Any, url: str, cookie: str) -> None:
    """The browser takes cookies of a site only while it is there."""
    driver.get(f"{url}/healthz")
    until = time.monotonic() + LOST_AFTER_S
    while not driver.current_url.startswith(url) and time.monotonic() < until:
        time.sleep(0.05)
    for part in cookie.split(";"):
        name, _, value = part.strip().partition("=")
        if name:
            driver.add_cookie({"name": name, "value": value, "path": "/", "secure": url.startswith("https:")})


def _opened(driver: Any, address: str, before: Callable[[], None]) -> float | None:
    """Seconds until a value is shown, with nothing kept from before; None where none is."""
    from selenium.common.exceptions import WebDriverException

    before()
    driver.get("about:blank")  # or the former page would answer for this one
    driver.execute_cdp_cmd("Network.clearBrowserCache", {})
    began = time.monotonic()
    driver.get(address)
    while (took := time.monotonic() - began) < LOST_AFTER_S:
        try:
            if driver.execute_script(_SHOWN, address):
                return round(took, 3)
        except WebDriverException:
            continue  # the document is being exchanged
        finally:
            time.sleep(0.02)
    return None
