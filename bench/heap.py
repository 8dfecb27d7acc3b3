"""**`heap`**: the page of `paint` at 200 changes/s for ten minutes (`--minutes`), whatever `--runs` says; the slope of
the JavaScript heap after a forced garbage collection every ten seconds, and of the number of DOM nodes, the first
minute aside.

    python -m bench.heap [--minutes 10]
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Sequence

from bench.browser.chromium import Browser, chromium
from bench.browser.producer import Plant
from bench.browser.served import served
from bench.figures import Bound, Curve, Figure, Finding, Line, table
from bench.paint import USUAL, open_page

MINUTES, EVERY_S, WARM_S = 10.0, 10.0, 60.0


def run(runs: int) -> list[Finding]:
    """One sitting of ten minutes, however many runs are asked for."""
    return watch(MINUTES)


def watch(minutes: float) -> list[Finding]:
    with served() as at, chromium() as browser:
        plant = Plant(at)
        plant.fill()
        open_page(browser, at.url)
        plant.produce(USUAL, min(WARM_S, 15 * minutes))
        samples = []
        for number in range(1, round(60 * minutes / EVERY_S) + 1):
            plant.produce(USUAL, EVERY_S)
            browser.run("benchSeen.length = 0")  # the bench's own notes
            samples.append((number * EVERY_S / 60, *_heap(browser)))
    heap = [(at_min, used_kb) for at_min, used_kb, _ in samples]
    nodes = [(at_min, count) for at_min, _, count in samples]
    what = f"browser over {minutes:g} minutes, 200 changes/s"
    return [
        Figure(what, "slope of the heap", Bound.parse("≤ 20"), (_slope(heap),), "KB/min", "less"),
        Figure(what, "slope of DOM nodes", Bound.parse("≤ 5"), (_slope(nodes),), "a minute", "less"),
        Figure(what, "heap", None, tuple(used / 1000 for _, used in heap), "MB", "less"),
        Curve(what, "minutes", "KB", (Line("JavaScript heap", tuple(heap)),)),
    ]


def _heap(browser: Browser) -> tuple[float, float]:
    """KB that are reachable, and DOM nodes."""
    browser.command("HeapProfiler.collectGarbage")
    found = browser.figures()
    return found["JSHeapUsedSize"] / 1000, found["Nodes"]


def _slope(points: Sequence[tuple[float, float]]) -> float:
    return statistics.linear_regression(*zip(*points, strict=True)).slope


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=float, default=MINUTES)
    found = watch(parser.parse_args().minutes)
    print(table([one for one in found if isinstance(one, Figure)]))


if __name__ == "__main__":
    main()
