"""Posting: readings by HTTP in NDJSON, open loop, and proof that the last of each key is what stands."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

from bench.growth.sizes import SERIES_LINES, Sizes
from bench.growth.stand import KEY

CHUNK = 2_000
SETTLED_WITHIN_S = 20.0


class TooMuch(RuntimeError):
    """Readings cannot be posted at the times when they are due: the system takes fewer."""


class Poster:
    """Numbers its readings from 0; reading n is of key n mod rows, and its value is n."""

    def __init__(self, port: int, sizes: Sizes) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._sizes, self._port = sizes, port
        self._next = 0

    def post(self, count: int, began_ms: int | None = None) -> None:
        """The next readings in one request; from `began_ms` on, each line has one a second.

        Raises RuntimeError where not all are accepted.
        """
        stamps = (f'"created_at":{began_ms + n // SERIES_LINES * 1000},' if began_ms else "" for n in range(count))
        body = "".join(self._line(self._next + n, stamp) for n, stamp in enumerate(stamps)).encode()
        headers = {"Authorization": f"Bearer {KEY}", "Content-Type": "application/x-ndjson"}
        self._connection.request("POST", "/api/ingest/load", body, headers)
        answer = self._connection.getresponse()
        said = json.loads(answer.read())
        if answer.status != 202 or said["accepted"] != count:
            raise RuntimeError(f"{count} readings posted: HTTP {answer.status}, {said}")
        self._next += count

    def fill_rows(self) -> None:
        """Every key once."""
        for done in range(0, self._sizes.rows, CHUNK):
            self.post(min(CHUNK, self._sizes.rows - done))

    def fill_points(self) -> None:
        """Points of all lines, one a second, up to now."""
        began = int(time.time() * 1000) - self._sizes.points * 1000
        step = CHUNK // SERIES_LINES
        for done in range(0, self._sizes.points, step):
            self.post(min(step, self._sizes.points - done) * SERIES_LINES, began + done * 1000)

    @contextmanager
    def flow(self, rate: float, batches_hz: float) -> Iterator[None]:
        """Post so many readings a second, in so many requests, while the block runs. Raises TooMuch at its end."""
        stop, failed = threading.Event(), list[BaseException]()

        def keep_on() -> None:
            due, count = time.monotonic(), max(1, round(rate / batches_hz))
            try:
                while not stop.wait(max(0.0, due - time.monotonic())):
                    self.post(count)
                    due += count / rate
                    if time.monotonic() - due > 2:
                        raise TooMuch(f"{rate:g} readings a second: more than this system takes")
            except BaseException as error:
                failed.append(error)

        thread = threading.Thread(target=keep_on, name="flow")
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join()
        if failed:
            raise failed[0]

    def check(self) -> None:
        """Wait until the table shows the last reading of every key. Raises RuntimeError where it never does."""
        newest = {f"key-{n % self._sizes.rows}": n for n in range(max(0, self._next - self._sizes.rows), self._next)}
        deadline = time.monotonic() + SETTLED_WITHIN_S
        while (wrong := self._differing(newest)) and time.monotonic() < deadline:
            time.sleep(0.1)
        if wrong:
            raise RuntimeError(f"{wrong} of {len(newest)} rows do not show what was posted last")

    def _differing(self, newest: dict[str, int]) -> int:
        self._connection.request("GET", "/api/channels/load.rows/snapshot")
        rows = json.loads(self._connection.getresponse().read())["data"]["rows"]
        return sum(key not in rows or rows[key]["value"] != value for key, value in newest.items())

    def _line(self, number: int, stamp: str) -> str:
        sizes = self._sizes
        return (
            f'{{"id":"r{number}",{stamp}"key":"key-{number % sizes.rows}","part":"part-{number % sizes.parts}",'
            f'"line":"line-{number % SERIES_LINES}","value":{number}}}\n'
        )
