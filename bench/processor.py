"""`processor`: events a second through one worker process: stream → reducers → atomic commit → deltas.

400,000 readings of 1,000 sensors, validated, are ingested in requests of 1,000 with dedupe by id; the worker has a core
for itself and folds them into four channels with three sketches. It is measured over what waits for it, 100,000 at a
time that came while it stood still: ingest, broker and worker are three processes, and where two cores are all there
is, whoever ingests beside it takes the broker's. That is measured as well, and the bare loop over the same stream:
XREADGROUP, orjson, the newest of each key, HSET, XADD, and no promise. Every run checks each channel's state and that
the deltas are without a gap.
"""

from __future__ import annotations

import argparse
import contextlib
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence

import bench.project.feeds.sensors as sensors
from bench.figures import Bound, Figure, table
from bench.rig import servers
from bench.rig.cores import LOAD, SERVER, pin, pinned
from bench.rig.readings import check_channels, in_batches, readings
from bench.rig.servers import Server
from services.broker import Broker, Overloaded
from services.broker.connection import key_of
from services.declare import Declarations, Lane
from services.events import Validator
from services.positions import wall_clock

EVENTS, BARE_EVENTS = 400_000, 200_000
REQUEST = 1_000
WAITING = 100_000
"""How many events wait for the worker when it begins: less than half a second of them, so that it keeps its lease."""
WAITING_MAX = 50_000
"""How many events may wait for the worker while others come: enough that it never waits for one."""
LANE = Lane("sensors", 0)
LOOK_EVERY_S = 0.005
TIMEOUT_S = 60.0
Body = tuple[str, bytes]


def run(runs: int) -> list[Figure]:
    pin(LOAD)
    found = [_measure(EVENTS, _drain) for _ in range(runs)]
    beside = [_measure(EVENTS, _keep_up) for _ in range(runs)]
    what, loop = "processor, one worker process", [_bare_loop(BARE_EVENTS) for _ in range(runs)]
    cpu = sorted(cpu_us for _, cpu_us in found)[runs // 2]
    note = f"4 channels, 3 sketches, dedupe on; {cpu:.2f} µs of the worker's CPU an event"
    return [
        Figure(what, "events/s", Bound.parse("≥ 150,000"), tuple(rate for rate, _ in found), "", "more", note),
        Figure(what, "events/s while as many are ingested, on two cores", None, tuple(rate for rate, _ in beside), "",
               "more"),
        Figure(what, "bare loop without any of it, events/s", None, tuple(loop), "", "more"),
        Figure(what, "÷ bare loop", None, tuple(r / b for (r, _), b in zip(found, loop, strict=True)), "×", "more"),
    ]


def _measure(count: int, process: Callable[[Broker, Server, Sequence[Body]], float]) -> tuple[float, float]:
    """Events a second, and the worker's CPU time in µs an event; `process` returns the seconds that it took."""
    declarations = Declarations.read([sensors])
    with servers.broker() as made, servers.worker(made.url) as worker, contextlib.closing(Broker(made.url)) as broker:
        events = readings(count, wall_clock())
        bodies = _validated(declarations, events)
        while not broker.lane_progress([LANE]):
            time.sleep(0.05)
        cpu_s = worker.cpu_s()
        rate, cpu_us = count / process(broker, worker, bodies), 1e6 * (worker.cpu_s() - cpu_s) / count
        check_channels(broker, declarations, events)
    return rate, cpu_us


def _drain(broker: Broker, worker: Server, bodies: Sequence[Body]) -> float:
    """Seconds for what came while the worker stood still."""
    seconds, sent = 0.0, 0
    for block in in_batches(bodies, WAITING):
        worker.process.send_signal(signal.SIGSTOP)
        sent += sum(_ingest_one(broker, request) for request in in_batches(block, REQUEST))
        began = time.monotonic()
        worker.process.send_signal(signal.SIGCONT)
        _wait_until_processed(broker, sent)
        seconds += time.monotonic() - began
    return seconds


def _keep_up(broker: Broker, _worker: Server, bodies: Sequence[Body]) -> float:
    """Seconds for what comes as fast as the worker takes it."""
    began = time.monotonic()
    _ingest(broker, bodies)
    _wait_until_processed(broker, len(bodies))
    return time.monotonic() - began


def _validated(declarations: Declarations, events: Sequence[object]) -> list[Body]:
    validate, now = Validator(declarations.feeds["sensors"]).event, wall_clock()
    return [(event.id, event.body) for event in (validate(record, now) for record in events)]


def _ingest(broker: Broker, bodies: Sequence[Body]) -> None:
    """As fast as the worker takes them."""
    sent = 0
    for request in in_batches(bodies, REQUEST):
        while sent - _processed(broker) > WAITING_MAX:
            time.sleep(LOOK_EVERY_S)
        sent += _ingest_one(broker, request)


def _ingest_one(broker: Broker, request: Sequence[Body]) -> int:
    while True:
        with contextlib.suppress(Overloaded):
            accepted, duplicates = broker.ingest(LANE, request)
            if duplicates:
                raise SystemExit(f"bench: {duplicates} events were known before they were sent")
            return accepted
        time.sleep(LOOK_EVERY_S)


def _processed(broker: Broker) -> int:
    return int(broker._redis.hget(key_of(LANE) + "lane", "processed") or 0)


def _wait_until_processed(broker: Broker, count: int) -> None:
    deadline = time.monotonic() + TIMEOUT_S
    while _processed(broker) < count:
        if time.monotonic() > deadline:
            raise SystemExit(f"bench: {_processed(broker)} of {count} events processed within {TIMEOUT_S:g} s")
        time.sleep(LOOK_EVERY_S)


def _bare_loop(count: int) -> float:
    """Events a second of the loop in a process of its own, over a stream that is there already."""
    declarations = Declarations.read([sensors])
    with servers.broker() as made, contextlib.closing(Broker(made.url)) as broker:
        for request in in_batches(_validated(declarations, readings(count, wall_clock())), REQUEST):
            _ingest_one(broker, request)
        command = [sys.executable, "-m", "bench.peers.bare_loop", made.url, key_of(LANE) + "events"]
        answer = subprocess.run(command, check=True, capture_output=True, text=True, preexec_fn=pinned(SERVER))
    events, seconds = answer.stdout.split()
    if int(events) != count:
        raise SystemExit(f"bench: the bare loop saw {events} of {count} events")
    return count / float(seconds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    print(table(run(parser.parse_args().runs)))


if __name__ == "__main__":
    sys.exit(main())
