"""Callers: HTTP beside the live sockets: requests at fixed times, and callbacks that burn the server's CPU."""

from __future__ import annotations

import contextlib
import http.client
import json
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from bench.rig.web import BURN_BODY

TIMEOUT_S = 30
CALLERS = 16


@contextmanager
def burning(port: int, callers: int) -> Iterator[None]:
    """So many browsers whose callbacks of 50 ms CPU follow one another without a pause."""
    stopping = threading.Event()
    threads = [threading.Thread(target=_burn_on, args=(port, stopping)) for _ in range(callers)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join(TIMEOUT_S)


def _burn_on(port: int, stopping: threading.Event) -> None:
    body = json.dumps(BURN_BODY)
    with contextlib.closing(http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT_S)) as connection:
        while not stopping.is_set():
            connection.request("POST", "/_dash-update-component", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"callback: HTTP {answer.status}")


class Visitors:
    """GETs open loop: each at its due time, whether or not the one before is answered."""

    def __init__(self, port: int, paths: Sequence[str]) -> None:
        self._port, self._paths = port, paths
        self._local = threading.local()

    def run(self, rate: float, seconds: float) -> list[float]:
        """How long each took in milliseconds, from when it was due, the shortest first."""
        start = time.monotonic()
        with ThreadPoolExecutor(CALLERS) as pool:
            jobs = []
            for number in range(int(rate * seconds)):
                due = start + number / rate
                time.sleep(max(0.0, due - time.monotonic()))
                jobs.append(pool.submit(self._get, self._paths[number % len(self._paths)], due))
            return sorted(job.result() for job in jobs)

    def _get(self, path: str, due: float) -> float:
        connection = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._local.connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=TIMEOUT_S)
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        answer.read()
        if answer.status != 200:
            raise RuntimeError(f"{path}: HTTP {answer.status}")
        return (time.monotonic() - due) * 1000
