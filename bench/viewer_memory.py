"""`viewer_memory`: what one more idle viewer of five channels costs the web process in resident memory.

The full app with all its pages serves 300 viewers, so that what is made once is made; then 2,000 more come, and the
growth of RSS is divided by them. The same with permessage-deflate after five seconds of ticks, compressed for each.
"""

from __future__ import annotations

import argparse
import sys
import time
from contextlib import ExitStack

from bench.figures import Bound, Figure, table
from bench.rig import servers
from bench.rig.cores import LOAD, pin
from bench.rig.ticker import Ticker
from bench.rig.viewers import Viewers
from services.broker import Broker
from services.declare import Lane

CHANNELS = ("signals.newest", "signals.values", "signals.last_minute", "signals.entries", "host.now")
FIRST, MORE = 300, 2_000
SETTLE_S, TICKED_S = 3.0, 5.0


def _kb_a_viewer(*, deflate: bool) -> float:
    with ExitStack() as stack:
        made = stack.enter_context(servers.broker())
        ticker = Ticker(Broker(made.url), Lane("signals", 0), CHANNELS[:-1])
        ticker.run(CHANNELS[0], 10, 0.5)
        Ticker(Broker(made.url), Lane("host", 0), CHANNELS[-1:]).run(CHANNELS[-1], 10, 0.5)
        server = stack.enter_context(servers.headwater(made.url))
        stack.enter_context(Viewers(server.port, FIRST, CHANNELS, deflate=deflate))
        before = _settled(server, ticker, ticked=deflate)
        viewers = stack.enter_context(Viewers(server.port, MORE, CHANNELS, deflate=deflate))
        grown = _settled(server, ticker, ticked=deflate) - before
        viewers.tally().sound()
    print(f"  {grown / MORE / 1024:.1f} KB a viewer" + (" with permessage-deflate" if deflate else ""), flush=True)
    return grown / MORE / 1024


def _settled(server: servers.Server, ticker: Ticker, *, ticked: bool) -> int:
    if ticked:
        ticker.run(CHANNELS[0], 5, TICKED_S)
    time.sleep(SETTLE_S)
    return server.rss_bytes()


def run(runs: int) -> list[Figure]:
    """Idle, and compressed."""
    pin(LOAD)
    idle = tuple(_kb_a_viewer(deflate=False) for _ in range(runs))
    deflated = tuple(_kb_a_viewer(deflate=True) for _ in range(runs))
    return [
        Figure("memory", "RSS for each idle viewer of five channels", Bound.parse("≤ 8"), idle, "KB", "less"),
        Figure("fan-out, permessage-deflate", "RSS for each viewer", Bound.parse("≤ 20"), deflated, "KB", "less"),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    sys.exit(main())
