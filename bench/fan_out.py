"""`fan_out`: what a delivered frame costs the server in CPU time, beside Node `ws` and a bare C send loop.

The product's web process, `ws` reading the same stream of the same broker, and a loop of `send(2)` serve as many
viewers each, in turn in one run: 1.5 KB a frame, 60,000 frames a second. Where the product goes through io_uring, a
second web process, with a broker of its own, does without, as in a sandbox that forbids it. With permessage-deflate
5,000 frames a second keep the core of `ws` busy; ours gets the same load, and in turn the one that keeps its own busy.
Every viewer checks the sequence and the values of each frame; the producer, the broker and the viewers have the other
core. Counted are frames of data, divided by all CPU time of the serving process, heartbeats and telemetry included.
"""

from __future__ import annotations

import argparse
import re
import sys
import time
import urllib.request
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace

from bench.figures import Bound, Figure, table
from bench.rig import servers
from bench.rig.cores import LOAD, pin
from bench.rig.servers import Server
from bench.rig.ticker import Ticker
from bench.rig.viewers import Viewers
from services.broker import Broker
from services.declare import Lane
from services.embedded import EmbeddedBroker

OURS, PEER, LOOP = "signals.newest", "bench.node", "bench.loop"
BY_SEND, BUSY = "headwater by send", "headwater, core busy"
ROWS = 18
SIZES = (500, 1_000, 3_000)
FRAMES_PER_S, DEFLATED_PER_S, DEFLATED_VIEWERS = 60_000, 5_000, 500
VOLLEYS = re.compile(r"^headwater_volleys\{.*\} 1$", re.MULTILINE)
WINDOW_S = 3.0
WHOLE, TRIES = 0.98, 4
"""The share of the frames due that a window is counted with, and how often one is run for that."""
SETTLE_S = 0.3


@dataclass(frozen=True, slots=True)
class Contender:
    """A server with its viewers, and how it is made to tick."""

    name: str
    server: Server
    viewers: Viewers
    tick: Callable[[float, float], object]
    rate: float

    def frames_per_cpu_s(self, size: int) -> float:
        """One window of ticks: how many frames arrived for each second of the server's CPU time.

        A window in which frames came merged is another load than the one that is compared: it is run again.
        """
        expected = int(self.rate * WINDOW_S) * size
        for _ in range(TRIES):
            before = self.server.cpu_s()
            self.tick(self.rate, WINDOW_S)
            frames, after = self._until_quiet()
            if frames >= WHOLE * expected or self.name == BUSY:
                break
            print(f"  {self.name}: {frames:,} frames where {expected:,} were due", flush=True)
        return frames / (after - before)

    def _until_quiet(self) -> tuple[int, float]:
        """Frames of the window, those included that a late server still had to send, and its CPU time by then."""
        frames, spent_s = 0, 0.0
        while True:
            time.sleep(SETTLE_S)
            found = self.viewers.tally().sound()
            if not found.frames:
                return frames, spent_s
            frames, spent_s = frames + found.frames, self.server.cpu_s()


@dataclass(frozen=True, slots=True)
class Bench:
    """What is measured: so many viewers, so many frames a second to all of them, compressed or not."""

    size: int
    frames_per_s: int
    deflate: bool

    def ours(self, stack: ExitStack, name: str, made: EmbeddedBroker, ticker: Ticker, *, io_uring: bool) -> Contender:
        """The product's web process on a broker, with viewers of its own."""
        settings = {"HEADWATER_IO_URING": str(int(io_uring))}
        server = stack.enter_context(servers.headwater(made.url, settings=settings))
        viewers = _viewers(stack, server, self.size, OURS, self.deflate)
        return Contender(name, server, viewers, _ticks(ticker, OURS), self.frames_per_s / self.size)

    def contenders(self, stack: ExitStack) -> list[Contender]:
        """All that serve in turn."""
        made, ticker = _source(stack)
        first = self.ours(stack, "headwater", made, ticker, io_uring=True)
        node = stack.enter_context(servers.node_ws(made.url, ticker.stream(PEER), PEER, deflate=self.deflate))
        viewers = _viewers(stack, node, self.size, PEER, self.deflate)
        found = [first, Contender("ws", node, viewers, _ticks(ticker, PEER), first.rate)]
        if self.deflate:
            return [*found, replace(first, name=BUSY, rate=FRAMES_PER_S / self.size)]
        if in_volleys(first.server):
            found.insert(1, self.ours(stack, BY_SEND, *_source(stack), io_uring=False))
        loop = stack.enter_context(servers.send_loop(ROWS))
        viewers = _viewers(stack, loop, self.size, LOOP, self.deflate)
        return [*found, Contender("loop", loop, viewers, lambda rate, s: loop.say(f"{rate} {s}"), first.rate)]

    def measure(self, runs: int) -> dict[str, list[float]]:
        """Frames for each CPU second, by contender and run."""
        with ExitStack() as stack:
            contenders = self.contenders(stack)
            found: dict[str, list[float]] = {one.name: [] for one in contenders}
            for number in range(runs + 1):
                for one in contenders:
                    value = one.frames_per_cpu_s(self.size)
                    if number:  # the first is a warm-up
                        found[one.name].append(value)
                costs = _costs({name: values[-1] for name, values in found.items() if values})
                print(f"  {self.size} viewers, run {number}: {costs}", flush=True)
            return found


def _source(stack: ExitStack) -> tuple[EmbeddedBroker, Ticker]:
    made = stack.enter_context(servers.broker())
    ticker = Ticker(Broker(made.url), Lane("signals", 0), (OURS, PEER), ROWS)
    for channel in (OURS, PEER):
        ticker.run(channel, 10, 0.1)
    return made, ticker


def in_volleys(server: Server) -> bool:
    """Whether the web process says that its fan-out goes through io_uring; it has no gauges in its first second."""
    for _ in range(50):
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=5) as answer:
            told = answer.read().decode()
        if "headwater_volleys{" in told:
            return VOLLEYS.search(told) is not None
        time.sleep(0.1)
    raise SystemExit("bench: the web process does not tell how its fan-out goes")


def _viewers(stack: ExitStack, server: Server, size: int, channel: str, deflate: bool) -> Viewers:
    greeted = channel == OURS
    return stack.enter_context(Viewers(server.port, size, [channel], deflate=deflate, greeted=greeted))


def _ticks(ticker: Ticker, channel: str) -> Callable[[float, float], object]:
    return lambda rate, seconds: ticker.run(channel, rate, seconds)


def _costs(frames_per_cpu_s: dict[str, float]) -> str:
    return ", ".join(f"{name} {1e6 / value:.2f} µs a frame" for name, value in frames_per_cpu_s.items())


def _ratio(what: str, measure: str, reach: str, found: dict[str, list[float]], ours: str, peer: str) -> Figure:
    values = tuple(mine / other for mine, other in zip(found[ours], found[peer], strict=True))
    median = {name: sorted(each)[len(each) // 2] for name, each in found.items()}
    return Figure(what, measure, Bound.parse(reach) if reach else None, values, "×", "more", _costs(median))


def run(
    runs: int, sizes: Sequence[int] = SIZES, *, deflate: bool = True, frames_per_s: int = FRAMES_PER_S
) -> list[Figure]:
    """The ratios of each size, and of permessage-deflate."""
    pin(LOAD)
    figures = []
    for size in sizes:
        found = Bench(size, frames_per_s, deflate=False).measure(runs)
        what, way = "fan-out, uncompressed 1.5 KB", "by io_uring" if BY_SEND in found else "by send"
        figures.append(_ratio(what, f"{size:,} viewers, {way}, ÷ Node ws", "≥ 1.4", found, "headwater", "ws"))
        figures.append(_ratio(what, f"{size:,} viewers, {way}, ÷ C loop", "≥ 0.75", found, "headwater", "loop"))
        if BY_SEND in found:
            measure = f"{size:,} viewers, by send where io_uring is forbidden, ÷ Node ws"
            figures.append(_ratio(what, measure, "", found, BY_SEND, "ws"))
    if deflate:
        found = Bench(DEFLATED_VIEWERS, DEFLATED_PER_S, deflate=True).measure(runs)
        what, measure = "fan-out, permessage-deflate", f"{DEFLATED_VIEWERS} viewers ÷ Node ws with perMessageDeflate"
        figures.append(_ratio(what, f"{measure}, each with its core busy", "≥ 15", found, BUSY, "ws"))
        figures.append(_ratio(what, f"{measure}, at the load that keeps that of ws busy", "", found, "headwater", "ws"))
    return figures


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--viewers", default=",".join(str(size) for size in SIZES), help="sizes, or nothing")
    parser.add_argument("--no-deflate", action="store_true")
    parser.add_argument("--frames-per-s", type=int, default=FRAMES_PER_S, help="less where others keep the cores busy")
    arguments = parser.parse_args()
    sizes = [int(size) for size in arguments.viewers.split(",") if size]
    print(table(run(arguments.runs, sizes, deflate=not arguments.no_deflate, frames_per_s=arguments.frames_per_s)))


if __name__ == "__main__":
    sys.exit(main())
