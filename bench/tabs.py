"""**`tabs`**: eight windows of the page of `paint` in one browser, all visible, and one tick of 200 changes each
second; event → paint in tiles over all of them, from when the tick was due.

    python -m bench.tabs [--runs 5]
"""

from __future__ import annotations

import argparse
import time

from bench.browser.chromium import Browser, chromium
from bench.browser.producer import Plant
from bench.browser.quiet import in_quiet
from bench.browser.seen import quantile, waits_ms
from bench.browser.served import served
from bench.figures import Bound, Figure, table
from bench.paint import DRAWN

TABS, TICKS, CHANGES = 8, 10, 200


def run(runs: int) -> list[Figure]:
    with served() as at, chromium() as browser:
        plant = Plant(at)
        plant.fill()
        for number in range(TABS):
            _open(browser, at.url, number)
        time.sleep(5.0)
        plant.pulse(CHANGES, 3)
        found = [in_quiet(lambda: _sit(browser, plant)) for _ in range(runs)]
        _close_all(browser)
    what = "eight tabs of the page, 1 tick/s, event → paint"
    return [
        Figure(what, "tiles p95", Bound.parse("≤ 250"), tuple(p95 for _, p95, _ in found), "ms", "less"),
        Figure(what, "tiles p50", None, tuple(p50 for p50, _, _ in found), "ms", "less"),
        Figure(what, "events never seen", Bound.parse("≤ 0"), tuple(float(n) for *_, n in found), "", "less"),
    ]


def _open(browser: Browser, url: str, number: int) -> None:
    """A window of its own: a tab behind another one is hidden, and paints nothing."""
    if number:
        browser.command("Target.createTarget", url="about:blank", newWindow=True)
        browser.driver.switch_to.window(browser.driver.window_handles[-1])
    browser.watch()
    browser.open(url)
    browser.wait_for(DRAWN, 60.0)


def _sit(browser: Browser, plant: Plant) -> tuple[float, float, int]:
    """p50 and p95 of all windows in ms, and what one of them never showed."""
    _in_each(browser, "benchSeen.length = 0; return document.hidden")
    sent = plant.pulse(CHANGES, TICKS)
    time.sleep(6.0)
    waits, unseen = [], 0
    for seen in _in_each(browser, "return document.hidden ? null : benchSeen"):
        own, missing = waits_ms(sent, seen, "tile")
        waits += own
        unseen += missing
    return quantile(waits, 0.5), quantile(waits, 0.95), unseen


def _in_each(browser: Browser, script: str) -> list[list[object]]:
    found = []
    for handle in browser.driver.window_handles:
        browser.driver.switch_to.window(handle)
        found.append(browser.run(script))
    return found


def _close_all(browser: Browser) -> None:
    first, *others = browser.driver.window_handles
    for handle in others:
        browser.driver.switch_to.window(handle)
        browser.driver.close()
    browser.driver.switch_to.window(first)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    main()
