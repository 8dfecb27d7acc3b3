"""`small_dyno`: two web processes on one core, in a control group of 512 MB and 256 threads, as small hosts give them.

3,000 viewers of five channels get 5 ticks a second and check each, while pages and API are asked for 20 times a
second, open loop. Printed are the viewers held, p99 of HTTP from when each request was due, and the resident memory.
"""

from __future__ import annotations

import argparse
import sys
import threading
from contextlib import ExitStack

import psutil

from bench.figures import Bound, Figure, table
from bench.rig import servers
from bench.rig.callers import Visitors
from bench.rig.cores import LOAD, pin
from bench.rig.dyno import MEMORY_BYTES, small_dyno
from bench.rig.ticker import Ticker
from bench.rig.viewers import Viewers, at_share
from services.broker import Broker
from services.declare import Lane

CHANNELS = ("signals.newest", "signals.values", "signals.last_minute", "signals.entries")
PATHS = (
    "/", "/_dash-layout", "/_dash-dependencies", "/api/channels", "/api/channels/signals.newest/snapshot", "/healthz",
    "/api/session", "/status",
)
VIEWERS, TICKS_PER_S, REQUESTS_PER_S, SECONDS = 3_000, 5.0, 20.0, 15.0


def _measure(runs: int) -> list[Figure]:
    with ExitStack() as stack:
        made = stack.enter_context(servers.broker())
        dyno = stack.enter_context(small_dyno())
        ticker = Ticker(Broker(made.url), Lane("signals", 0), CHANNELS)
        ticker.run(CHANNELS[0], 10, 0.2)
        server = stack.enter_context(servers.headwater(made.url, processes=2, command=dyno.command))
        viewers = stack.enter_context(Viewers(server.port, VIEWERS, CHANNELS))
        held, p99s, memory = [], [], []
        for number in range(runs):
            viewers.tally()
            answers, ticked = _load(server, ticker)
            found = viewers.tally().sound()
            last_viewer = at_share(found.latencies_ms(ticked), 0.99)
            held.append(float(found.viewers))
            p99s.append(at_share(answers, 0.99))
            everything = [psutil.Process(server.process.pid), *server.serving]
            memory.append(sum(one.memory_info().rss for one in everything) / 2**20)
            threads = sum(one.num_threads() for one in everything)
            print(
                f"  run {number}: {found.viewers} viewers, tick → last viewer p99 {last_viewer:.0f} ms, HTTP "
                f"p99 {p99s[-1]:.0f} ms, {memory[-1]:.0f} MB, {threads} threads", flush=True,
            )
    what = "one small dyno (512 MB, 256 threads, one core)"
    bound = Bound.parse(f"≤ {MEMORY_BYTES // 2**20}")
    return [
        Figure(what, "viewers held, 5 ticks/s", Bound.parse(f"≥ {VIEWERS}"), tuple(held), "viewers", "more", dyno.how),
        Figure(what, "HTTP p99", Bound.parse("≤ 300"), tuple(p99s), "ms", "less"),
        Figure(what, "resident memory, three processes", bound, tuple(memory), "MB", "less", f"{threads} threads"),
    ]


def _load(server: servers.Server, ticker: Ticker) -> tuple[list[float], dict[int, int]]:
    """Ticks and requests beside each other; how long the requests took in milliseconds, and the ticks."""
    answers: list[float] = []
    visitors = Visitors(server.port, PATHS)
    asking = threading.Thread(target=lambda: answers.extend(visitors.run(REQUESTS_PER_S, SECONDS)))
    asking.start()
    ticked = ticker.run(CHANNELS[0], TICKS_PER_S, SECONDS)
    asking.join()
    return answers, ticked


def run(runs: int) -> list[Figure]:
    """One dyno, measured `runs` times."""
    pin(LOAD)
    return _measure(runs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    sys.exit(main())
