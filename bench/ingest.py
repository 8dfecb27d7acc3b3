"""`ingest`: events a second that one web process takes by HTTP in NDJSON, the full app with all its pages served.

Four clients post 150,000 readings to the demo's `signals`, each in requests of 1,000 (and of 100 and 5,000) and as soon
as the one before is answered; the web process has a core for itself, clients and broker have the other. Counted is what
was answered as accepted; each run reads the stream afterwards and finds every event there once, with its value.
"""

from __future__ import annotations

import argparse
import contextlib
import http.client
import random
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import orjson

from bench.figures import Bound, Figure, table
from bench.rig import servers
from bench.rig.cores import LOAD, pin
from bench.rig.readings import in_batches
from bench.rig.servers import Server
from services.broker import Broker
from services.declare import Lane

EVENTS, CLIENTS, USUAL = 150_000, 4, 1_000
SIZES = (USUAL, 100, 5_000)
KEY = "the-key-of-the-benches"
LANE = Lane("signals", 0)
ENTRIES_PER_READ = 100


def run(runs: int, sizes: Sequence[int] = SIZES) -> list[Figure]:
    pin(LOAD)
    figures = []
    for size in sizes:
        found = [_measure(EVENTS, size) for _ in range(runs)]
        reach = Bound.parse("≥ 60,000") if size == USUAL else None
        cpu = sorted(cpu_us for _, cpu_us in found)[runs // 2]
        figures.append(
            Figure(
                "HTTP ingest, NDJSON, one web process", f"events/s in requests of {size:,}", reach,
                tuple(rate for rate, _ in found), "", "more", f"{cpu:.2f} µs of the web process's CPU an event",
            )
        )
    return figures


def _measure(count: int, size: int) -> tuple[float, float]:
    """Events a second, and the web process's CPU time in µs an event."""
    settings = {"HEADWATER_INGEST_KEYS": f"bench:{KEY}:*"}
    with servers.broker() as made, servers.headwater(made.url, settings=settings) as web:
        sent = _signals(count)
        _post_all(web, _signals(20 * CLIENTS, "w"), 20)  # the first request of each thread
        requests = [b"\n".join(map(orjson.dumps, batch)) for batch in in_batches(sent, size)]
        began, cpu_s = time.monotonic(), web.cpu_s()
        _post_bodies(web, requests)
        rate, cpu_us = count / (time.monotonic() - began), 1e6 * (web.cpu_s() - cpu_s) / count
        _check_stream(made.url, sent)
    return rate, cpu_us


def _signals(count: int, prefix: str = "s") -> list[dict[str, Any]]:
    chance, now = random.Random(count), int(time.time() * 1000)
    return [
        {
            "id": f"{prefix}{number:09d}", "created_at": now, "name": f"signal {chance.randrange(100):02d}",
            "value": round(chance.gauss(50, 10), 2), "text": "as it came",
        }
        for number in range(count)
    ]


def _post_all(web: Server, events: Sequence[dict[str, Any]], size: int) -> None:
    _post_bodies(web, [b"\n".join(map(orjson.dumps, batch)) for batch in in_batches(events, size)])


def _post_bodies(web: Server, bodies: Sequence[bytes]) -> None:
    with ThreadPoolExecutor(CLIENTS) as pool:
        for job in [pool.submit(_post, web.port, bodies[first::CLIENTS]) for first in range(CLIENTS)]:
            job.result()


def _post(port: int, bodies: Sequence[bytes]) -> None:
    headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-ndjson"}
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=20)) as connection:
        for body in bodies:
            connection.request("POST", "/api/ingest/signals", body, headers)
            answer = connection.getresponse()
            told = orjson.loads(answer.read())
            if answer.status != 202 or told["accepted"] != body.count(b"\n") + 1:
                raise SystemExit(f"bench: HTTP {answer.status}: {str(told)[:200]}")


def _check_stream(url: str, sent: Sequence[dict[str, Any]]) -> None:
    """Raises SystemExit where the stream does not hold each event once, with its value."""
    found: dict[str, float] = {}
    entries = 0
    with contextlib.closing(Broker(url)) as broker:
        after = "0-0"
        while read := broker.read_entries(LANE, after, ENTRIES_PER_READ):
            after = read[-1].id
            for event in (event for entry in read for event in orjson.loads(entry.events)):
                if event["id"].startswith("s"):
                    found[event["id"]] = event["value"]
                    entries += 1
    if entries != len(sent) or found != {event["id"]: event["value"] for event in sent}:
        raise SystemExit(f"bench: {len(sent)} events sent, the stream holds {entries}, {len(found)} different ones")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument("--sizes", default=",".join(map(str, SIZES)), help="records in a request")
    arguments = parser.parse_args()
    print(table(run(arguments.runs, [int(size) for size in arguments.sizes.split(",")])))


if __name__ == "__main__":
    sys.exit(main())
