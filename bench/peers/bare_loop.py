"""The bare loop: a thousand events a read, the newest of each key, HSET and XADD; `URL STREAM`, prints events and s.

No lease, no windows, no sketches, nothing atomic, nothing that a crash would not lose or do twice.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import orjson
import redis

ENTRIES_PER_READ = 10


def main(url: str, stream: str) -> None:
    client: Any = redis.Redis.from_url(url)
    client.xgroup_create(stream, "bare", "0")
    events, began = 0, time.perf_counter()
    while found := client.xreadgroup("bare", "one", {stream: ">"}, count=ENTRIES_PER_READ, noack=True):
        rows: dict[str, Any] = {}
        for _, fields in found[0][1]:
            for event in orjson.loads(fields[b"events"]):
                rows[event["sensor"]] = event
                events += 1
        with client.pipeline(transaction=False) as pipe:
            pipe.hset("bare:state", mapping={key: orjson.dumps(row) for key, row in rows.items()})
            pipe.xadd("bare:deltas", {"data": orjson.dumps(rows)}, maxlen=100)
            pipe.execute()
    print(events, time.perf_counter() - began)


if __name__ == "__main__":
    main(*sys.argv[1:])
