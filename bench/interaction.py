"""**`interaction`**: real input on the page of `paint` at 200 changes/s: letters in the table's filter, clicks on a
column to sort, a drag in a chart to zoom, links to another page and back. Input → next paint by the Event Timing API,
the longest event of each interaction.

    python -m bench.interaction [--runs 5]
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from bench.browser.chromium import Browser, chromium
from bench.browser.hand import Hand
from bench.browser.producer import Plant
from bench.browser.quiet import in_quiet
from bench.browser.seen import quantile
from bench.browser.served import served
from bench.figures import Bound, Figure, table
from bench.paint import DRAWN, USUAL, open_page

ROUNDS, SECONDS = 3, 22.0
FILTER, HEADING = ".quick-filter", ".ag-header-cell[col-id=value]"
PLOT, LINK, BACK = ".nsewdrag", "#navigation a[href='/stock']", "#navigation a[href='/']"
Costs = dict[str, list[float]]


def run(runs: int) -> list[Figure]:
    with served() as at, chromium() as browser:
        plant = Plant(at)
        plant.fill()
        open_page(browser, at.url)
        found = [in_quiet(lambda: sit(browser, plant)) for _ in range(runs)]
    what = "interaction while live, 200 changes/s, input → next paint"

    def p95(chosen: Callable[[Costs], list[float]]) -> tuple[float, ...]:
        return tuple(quantile(chosen(costs), 0.95) for costs in found)

    return [
        Figure(what, "p95", Bound.parse("≤ 100"), p95(lambda costs: [ms for each in costs.values() for ms in each]),
               "ms", "less"),
        *(Figure(what, f"{kind}, longest", None, tuple(max(costs[kind]) for costs in found), "ms", "less")
          for kind in found[0]),
    ]


def sit(browser: Browser, plant: Plant) -> Costs:
    """What each kind of interaction cost, in some rounds of them all."""
    costs: Costs = {"filter": [], "sort": [], "zoom": [], "page change": []}
    hand = Hand(browser)
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(plant.produce, USUAL, SECONDS)
        time.sleep(1.0)
        hand.cost_ms(0)
        for _ in range(ROUNDS):
            _one_round(browser, hand, costs)
        job.result()
    return costs


def _one_round(browser: Browser, hand: Hand, costs: Costs) -> None:
    hand.click(FILTER)
    hand.type("m01")
    hand.erase(3)
    costs["filter"] += hand.cost_ms(7)
    for _ in range(3):  # up, down, as it was
        hand.click(HEADING)
        time.sleep(0.2)
    costs["sort"] += hand.cost_ms(3)
    hand.drag(PLOT, 0.3, 0.6)
    time.sleep(0.4)
    hand.click(PLOT)
    hand.click(PLOT)  # twice in a row: as it was
    costs["zoom"] += hand.cost_ms(3)
    hand.click(LINK)
    browser.wait_for("return location.pathname === '/stock' && document.querySelector('[data-page=stock]')")
    time.sleep(0.5)
    hand.click(BACK)
    browser.wait_for("return document.querySelector('[data-page=home]')")
    costs["page change"] += hand.cost_ms(2)
    browser.wait_for(DRAWN)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    main()
