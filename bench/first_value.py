"""**`first_value`**: from navigation to the first painted value of the page of `paint`, on a cold visit (nothing
cached) and on a warm one, and to the first line of a chart.

    python -m bench.first_value [--runs 5]
"""

from __future__ import annotations

import argparse
import time

from bench.browser.chromium import Browser, chromium
from bench.browser.producer import Plant
from bench.browser.quiet import in_quiet
from bench.browser.served import served
from bench.figures import Bound, Figure, table

_FIRST = """
const first = (kind) => benchSeen.find(([what]) => what === kind)?.[3] - performance.timeOrigin;
return Number.isFinite(first('line')) && [first('tile'), first('line')];
"""


def run(runs: int) -> list[Figure]:
    with served() as at, chromium() as browser:
        Plant(at).fill()
        browser.watch()
        for _ in range(4):  # each web process compresses what it serves once; the browser caches what it compiled
            _visit(browser, at.url)
        warm = [in_quiet(lambda: _visit(browser, at.url)) for _ in range(runs)]
        cold = [in_quiet(lambda: _cold_visit(browser, at.url)) for _ in range(runs)]
    what = "first live value, navigation → first painted value"
    return [
        Figure(what, "warm visit", Bound.parse("≤ 400"), tuple(tile for tile, _ in warm), "ms", "less"),
        Figure(what, "warm visit, first line of a chart", None, tuple(line for _, line in warm), "ms", "less"),
        Figure(what, "cold visit", Bound.parse("≤ 900"), tuple(tile for tile, _ in cold), "ms", "less"),
        Figure(what, "cold visit, first line of a chart", None, tuple(line for _, line in cold), "ms", "less"),
    ]


def _cold_visit(browser: Browser, url: str) -> tuple[float, float]:
    browser.open("about:blank")
    browser.command("Network.clearBrowserCache")
    return _visit(browser, url)


def _visit(browser: Browser, url: str) -> tuple[float, float]:
    """Milliseconds to the first value and to the first line."""
    browser.open("about:blank")
    time.sleep(1.0)
    browser.open(url)
    tile, line = browser.wait_for(_FIRST)
    time.sleep(1.0)
    return float(tile), float(line)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    main()
