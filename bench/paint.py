"""**`paint`**: event → paint on a page of 20 tiles, 2 charts of 4 × 600 points and a table of 500 rows, at 200 and at
5,000 changes/s posted open loop by HTTP. An event counts from when it was due until the first task after the frame that
shows it or a newer one of its meter; busy is the main thread's `TaskDuration`. Charts and table are told apart.

    python -m bench.paint [--runs 5] [--seconds 10]
"""

from __future__ import annotations

import argparse
import time
from dataclasses import dataclass

from bench.browser.chromium import Browser, chromium
from bench.browser.producer import Plant
from bench.browser.quiet import in_quiet
from bench.browser.seen import quantile, waits_ms
from bench.browser.served import served
from bench.figures import Bound, Figure, table

SECONDS = 10.0
DRAWN = "return document.querySelectorAll('.js-line').length >= 8 && document.querySelectorAll('.ag-row').length > 5"
SETTLE_S = 3.0
PAGE = "20 tiles + 2 charts (4 × 600) + 500-row table"
USUAL, FAST = 200.0, 5_000.0


@dataclass(frozen=True, slots=True)
class Sitting:
    """One run: waits in ms, the main thread's shares in percent, and what was missed."""

    tile_p50: float
    tile_p95: float
    row_p95: float
    line_p95: float
    busy: float
    script: float
    style_and_layout: float
    gaps: float
    unseen: float


def run(runs: int, seconds: float = SECONDS) -> list[Figure]:
    with served() as at, chromium() as browser:
        plant = Plant(at)
        plant.fill()
        open_page(browser, at.url)
        usual = [in_quiet(lambda: sit(browser, plant, USUAL, seconds)) for _ in range(runs)]
        fast = [in_quiet(lambda: sit(browser, plant, FAST, seconds)) for _ in range(runs)]
    return [*_usual(usual), *_fast(fast)]


def open_page(browser: Browser, url: str) -> None:
    """Open a watched page and wait until charts and table are drawn and the page has settled."""
    browser.watch()
    browser.open(url)
    browser.wait_for(DRAWN)
    time.sleep(SETTLE_S)


def sit(browser: Browser, plant: Plant, rate: float, seconds: float) -> Sitting:
    """Watch the open page for so long at so many changes a second."""
    plant.produce(rate, 1.0)  # the page gets going
    browser.run("benchSeen.length = 0")
    gaps, before, began = gaps_of(browser), browser.figures(), time.monotonic()
    sent = plant.produce(rate, seconds)
    took, after = time.monotonic() - began, browser.figures()
    time.sleep(2.0)  # what is under way arrives
    seen = browser.run("return benchSeen")
    tiles, unseen = waits_ms(sent, seen, "tile")
    rows, unseen_rows = waits_ms(sent, seen, "row")
    lines, unseen_points = waits_ms(sent, seen, "line")

    def share(*names: str) -> float:
        return 100 * sum(after[name] - before[name] for name in names) / took

    return Sitting(
        quantile(tiles, 0.5), quantile(tiles, 0.95), quantile(rows, 0.95), quantile(lines, 0.95),
        share("TaskDuration"), share("ScriptDuration"), share("LayoutDuration", "RecalcStyleDuration"),
        gaps_of(browser) - gaps, unseen + unseen_rows + unseen_points,
    )


def gaps_of(browser: Browser) -> float:
    return float(browser.run("return headwater.stats().gaps"))


def _usual(sittings: list[Sitting]) -> list[Figure]:
    what = f"event → paint, {PAGE}, 200 changes/s"

    def figure(measure: str, reach: str, values: list[float], unit: str = "ms") -> Figure:
        return Figure(what, measure, Bound.parse(reach) if reach else None, tuple(values), unit, "less")

    return [
        figure("tiles p50", "≤ 35", [one.tile_p50 for one in sittings]),
        figure("tiles p95", "≤ 60", [one.tile_p95 for one in sittings]),
        figure("main thread busy", "≤ 25", [one.busy for one in sittings], "%"),
        figure("of it script", "", [one.script for one in sittings], "%"),
        figure("of it style and layout", "", [one.style_and_layout for one in sittings], "%"),
        figure("charts p95", "≤ 350", [one.line_p95 for one in sittings]),
        figure("table p95", "≤ 350", [one.row_p95 for one in sittings]),
        figure("events never seen", "≤ 0", [one.unseen for one in sittings], ""),
    ]


def _fast(sittings: list[Sitting]) -> list[Figure]:
    what = "the same at 5,000 changes/s"

    def figure(measure: str, reach: str, values: list[float], unit: str = "ms") -> Figure:
        return Figure(what, measure, Bound.parse(reach) if reach else None, tuple(values), unit, "less")

    return [
        figure("tiles p95", "≤ 75", [one.tile_p95 for one in sittings]),
        figure("main thread busy", "≤ 30", [one.busy for one in sittings], "%"),
        figure("gaps", "≤ 0", [one.gaps for one in sittings], ""),
        figure("charts p95", "", [one.line_p95 for one in sittings]),
        figure("table p95", "", [one.row_p95 for one in sittings]),
        figure("events never seen", "≤ 0", [one.unseen for one in sittings], ""),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    arguments = parser.parse_args()
    print(table(run(arguments.runs, arguments.seconds)))


if __name__ == "__main__":
    main()
