"""`tick_latency`: from a tick's commit to the last of 1,000 viewers, at 20 ticks a second, open loop.

p99 of each run, in turn with Node `ws` reading the same stream; then while Dash callbacks of 50 ms CPU follow one
another in the same process, one at a time and four, with the server free to use both cores.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack

from bench.figures import Bound, Figure, table
from bench.rig import servers
from bench.rig.callers import burning
from bench.rig.cores import BOTH, LOAD, pin
from bench.rig.ticker import Ticker
from bench.rig.viewers import Viewers, at_share
from services.broker import Broker
from services.declare import Lane

OURS, PEER = "signals.newest", "bench.node"
VIEWERS, RATE, SECONDS = 1_000, 20.0, 8.0
WHAT = "1,000 viewers × 20 ticks/s"


def _p99_ms(ticker: Ticker, channel: str, viewers: Viewers) -> float:
    viewers.tally()
    ticked = ticker.run(channel, RATE, SECONDS)
    time.sleep(0.5)
    return at_share(viewers.tally().sound().latencies_ms(ticked), 0.99)


def _beside_node(runs: int) -> list[Figure]:
    with ExitStack() as stack:
        made = stack.enter_context(servers.broker())
        ticker = _ticker(made.url)
        ours = stack.enter_context(servers.headwater(made.url))
        node = stack.enter_context(servers.node_ws(made.url, ticker.stream(PEER), PEER))
        mine = stack.enter_context(Viewers(ours.port, VIEWERS, [OURS]))
        theirs = stack.enter_context(Viewers(node.port, VIEWERS, [PEER], greeted=False))
        pairs = []
        for number in range(runs + 1):
            pair = _p99_ms(ticker, OURS, mine), _p99_ms(ticker, PEER, theirs)
            print(f"  run {number}: p99 {pair[0]:.1f} ms, ws {pair[1]:.1f} ms", flush=True)
            pairs.append(pair)
    measured = pairs[1:]  # the first is a warm-up
    ratios = tuple(mine / theirs for mine, theirs in measured)
    return [
        Figure(WHAT, "tick → last viewer p99 ÷ Node ws", Bound.parse("≤ 1"), ratios, "×", "less"),
        Figure(WHAT, "tick → last viewer p99", None, tuple(mine for mine, _ in measured), "ms", "less"),
        Figure(WHAT, "the same of Node ws", None, tuple(theirs for _, theirs in measured), "ms", "less"),
    ]


def _beside_callbacks(runs: int) -> list[Figure]:
    with ExitStack() as stack:
        made = stack.enter_context(servers.broker())
        ticker = _ticker(made.url)
        ours = stack.enter_context(servers.headwater(made.url, cores=BOTH))
        viewers = stack.enter_context(Viewers(ours.port, VIEWERS, [OURS]))
        found: dict[int, list[float]] = {1: [], 4: []}
        for _ in range(runs):
            for callers, values in found.items():
                with burning(ours.port, callers):
                    values.append(_p99_ms(ticker, OURS, viewers))
            print("  " + ", ".join(f"{n} callbacks: p99 {v[-1]:.1f} ms" for n, v in found.items()), flush=True)
    what = f"{WHAT}, beside callbacks of 50 ms CPU"
    return [
        Figure(what, "p99, one at a time", Bound.parse("≤ 40"), tuple(found[1]), "ms", "less"),
        Figure(what, "p99, four at a time", Bound.parse("≤ 80"), tuple(found[4]), "ms", "less"),
    ]


def _ticker(broker_url: str) -> Ticker:
    ticker = Ticker(Broker(broker_url), Lane("signals", 0), (OURS, PEER))
    for channel in (OURS, PEER):
        ticker.run(channel, 10, 0.1)
    return ticker


def run(runs: int) -> list[Figure]:
    """Latency alone and beside callbacks."""
    pin(LOAD)
    return [*_beside_node(runs), *_beside_callbacks(runs)]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--part", choices=("node", "callbacks"))
    arguments = parser.parse_args()
    pin(LOAD)
    parts = {"node": _beside_node, "callbacks": _beside_callbacks}
    chosen = [parts[arguments.part]] if arguments.part else list(parts.values())
    print(table([figure for part in chosen for figure in part(arguments.runs)]))


if __name__ == "__main__":
    sys.exit(main())
