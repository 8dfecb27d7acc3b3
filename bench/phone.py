"""**`phone`**: the page of `paint` on a phone's screen, its CPU throttled 6 times (DevTools), over a link of 400 kbit/s
and 200 ms round trip (a proxy), at 200 changes/s: how old the tiles get (event → paint), taps, gaps, and whether a
badge tells of a reduced rate where the gateway merges frames for it.

    python -m bench.phone [--runs 5]
"""

from __future__ import annotations

import argparse
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from bench.browser.chromium import Browser, chromium
from bench.browser.hand import Hand
from bench.browser.producer import Plant
from bench.browser.quiet import in_quiet
from bench.browser.seen import quantile, waits_ms
from bench.browser.served import served
from bench.browser.slow_link import slow_link
from bench.figures import Bound, Figure, table
from bench.paint import USUAL, gaps_of

SECONDS, CPU_RATE, KBIT_S, ROUND_TRIP_MS = 15.0, 6, 400.0, 200.0
_SHOWN = "return [...document.querySelectorAll('[data-value]')].every((value) => value.textContent)"
_BADGES = "return [...document.querySelectorAll('.freshness-text')].map((badge) => badge.textContent).join(' ')"
BADGE = ".tile .freshness summary"


@dataclass(frozen=True, slots=True)
class Held:
    """One run: ages and taps in ms, gaps, events in view that were never shown, whether a reduced rate was told."""

    age_p95: float
    age_p50: float
    tap_p95: float
    gaps: float
    unseen: float
    reduced: float


def run(runs: int) -> list[Figure]:
    with served() as at, slow_link(at.port) as link, chromium() as browser:
        plant = Plant(at)
        plant.fill()
        _become_a_phone(browser)
        browser.watch()
        browser.open(link.url)
        browser.wait_for(_SHOWN, 60.0)
        time.sleep(3.0)
        link.slow_down(kbit_s=KBIT_S, round_trip_ms=ROUND_TRIP_MS)
        browser.command("Emulation.setCPUThrottlingRate", rate=CPU_RATE)
        found = [in_quiet(lambda: _hold(browser, plant)) for _ in range(runs)]
        browser.command("Emulation.setCPUThrottlingRate", rate=1)
    return _figures(found)


def _become_a_phone(browser: Browser) -> None:
    browser.command(
        "Emulation.setDeviceMetricsOverride", width=390, height=844, deviceScaleFactor=2, mobile=True,
    )


def _hold(browser: Browser, plant: Plant) -> Held:
    browser.run("benchSeen.length = 0")
    gaps, hand, costs, told = gaps_of(browser), Hand(browser), [], ""
    with ThreadPoolExecutor(1) as pool:
        job = pool.submit(plant.produce, USUAL, SECONDS)
        time.sleep(2.0)
        hand.cost_ms(0)
        while not job.done():
            hand.click(BADGE)
            time.sleep(0.8)
            costs += hand.cost_ms(1)
            told += browser.run(_BADGES)
        sent = job.result()
    time.sleep(3.0)
    waits, unseen = waits_ms(sent, browser.run("return benchSeen"), "tile")
    return Held(
        quantile(waits, 0.95), quantile(waits, 0.5), quantile(costs, 0.95), gaps_of(browser) - gaps, unseen,
        float("reduced to" in told),
    )


def _figures(found: list[Held]) -> list[Figure]:
    what = f"phone: CPU ÷ {CPU_RATE}, {KBIT_S:g} kbit/s, {ROUND_TRIP_MS:g} ms round trip, 200 changes/s"

    def figure(measure: str, reach: str, values: list[float], unit: str = "ms", note: str = "") -> Figure:
        return Figure(what, measure, Bound.parse(reach) if reach else None, tuple(values), unit, "less", note)

    return [
        figure("age on screen p95", "≤ 1,500", [one.age_p95 for one in found]),
        figure("age on screen p50", "", [one.age_p50 for one in found]),
        figure("interaction p95", "≤ 300", [one.tap_p95 for one in found]),
        figure("gaps", "≤ 0", [one.gaps for one in found], ""),
        figure("events never seen", "≤ 0", [one.unseen for one in found], ""),
        figure("runs with a reduced rate shown", "", [one.reduced for one in found], "",
               "1 where the link was too slow for every frame"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    main()
