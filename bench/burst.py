"""**`burst`**: 10,000 events over 1,000 keys, posted as fast as they are taken; the time from the first POST until
every tile and row in view shows its key's last value (and the store holds all 1,000), and the page's longest task.

    python -m bench.burst [--runs 5]
"""

from __future__ import annotations

import argparse
import random
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.browser.chromium import Browser, chromium, wait_for
from bench.browser.producer import Client, Sent
from bench.browser.quiet import in_quiet
from bench.browser.seen import waits_ms
from bench.browser.served import Served, served
from bench.figures import Bound, Figure, table
from bench.project.feeds.stock import ARTICLES

EVENTS, POST_EVENTS = 10_000, 2_500
_DRAWN = "return document.querySelectorAll('.ag-row').length > 5 && headwater.channel('stock.levels')"
_HELD = """
const { rows } = headwater.channel('stock.levels');
return Object.fromEntries(Object.entries(rows).map(([key, { serial }]) => [key, serial]));
"""


class Stock:
    """Posts bursts; each event has a serial of its own."""

    def __init__(self, at: Served) -> None:
        self._client, self._serial, self._chance = Client(at), 0, random.Random(7)

    def post(self, articles: list[str]) -> list[Sent]:
        """Post an event for each; returns the last one of each article."""
        made_ms, events, last = int(time.time() * 1000), [], {}
        for number, article in enumerate(articles):
            self._serial += 1
            created = made_ms - (len(articles) - 1 - number) // len(ARTICLES)  # of one article, one after the other
            last[article] = self._serial
            event = {"article": article, "serial": self._serial, "place": f"aisle {number}"}
            events.append({"created_at": created, **event})
        began = time.time() * 1000
        with ThreadPoolExecutor(1) as pool:  # one after the other: a key's order is the order of its posts
            for at in range(0, len(events), POST_EVENTS):
                pool.submit(self._client.post, "stock", events[at:at + POST_EVENTS]).result()
        return [Sent(serial, article, began) for article, serial in last.items()]

    def burst(self) -> list[Sent]:
        rounds = EVENTS // len(ARTICLES)
        return self.post([one for _ in range(rounds) for one in self._chance.sample(ARTICLES, len(ARTICLES))])


def run(runs: int) -> list[Figure]:
    with served() as at, chromium() as browser:
        stock = Stock(at)
        stock.post(list(ARTICLES))
        browser.watch()
        browser.open(f"{at.url}/stock")
        browser.wait_for(_DRAWN)
        time.sleep(2.0)
        _settle(browser, stock)  # the first burst compiles what the others use
        found = [in_quiet(lambda: _settle(browser, stock)) for _ in range(runs)]
    what = "burst of 10,000 events over 1,000 keys"
    return [
        Figure(what, "settled on screen", Bound.parse("≤ 1"), tuple(one[0] for one in found), "s", "less"),
        Figure(what, "longest task", Bound.parse("≤ 100"), tuple(one[1] for one in found), "ms", "less"),
        Figure(what, "keys in view without their last value", Bound.parse("≤ 0"),
               tuple(float(one[2]) for one in found), "", "less"),
    ]


def _settle(browser: Browser, stock: Stock) -> tuple[float, float, int]:
    """Seconds until all is shown, the longest task in ms, and how many keys in view never got there."""
    browser.run("benchSeen.length = benchTasks.length = 0")
    last = stock.burst()
    expected = {one.meter: one.serial for one in last}
    wait_for(lambda: browser.run(_HELD) == expected, 20.0, "the last value of each article in the store")
    time.sleep(1.5)
    seen: list[Any] = browser.run("return benchSeen")
    tiles, unseen_tiles = waits_ms(last, seen, "tile")
    rows, unseen_rows = waits_ms(last, seen, "row")
    longest = max(browser.run("return benchTasks"), default=50.0)  # shorter ones are not told of
    return max(*tiles, *rows) / 1000, float(longest), unseen_tiles + unseen_rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    main()
