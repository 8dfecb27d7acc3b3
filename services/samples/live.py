"""Live: records of a source as they come, each batch with its arrival, until the time is over."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from queue import Empty, Queue
from typing import Any, Protocol

import orjson
import requests
from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from services.positions import Clock
from services.samples.reading import SampleUnreadable

Batch = tuple[Sequence[Any], int]
"""Records, and when they arrived in milliseconds."""
_TIMEOUT_S = 10.0
_HELD_MAX = 1_000


class Runs(Protocol):
    """A source of a feed, as a worker runs it."""

    def run(self, intake: Any) -> None: ...


def asked(address: str, every_s: float, for_s: float, clock: Clock) -> Iterator[Batch]:
    """Ask an address again and again, as a poll would. Raises SampleUnreadable where its first answer is none."""
    until, answered = time.monotonic() + for_s, False
    while True:
        try:
            answer = requests.get(address, timeout=_TIMEOUT_S)
            answer.raise_for_status()
            found = orjson.loads(answer.content)
        except (requests.RequestException, orjson.JSONDecodeError) as error:
            if not answered:
                raise SampleUnreadable(f"{address}: {error}; give an address that answers with JSON") from error
        else:
            answered = True
            yield (found if isinstance(found, list) else [found]), clock()
        if time.monotonic() + every_s > until:
            return
        time.sleep(every_s)


def listened(address: str, for_s: float, clock: Clock) -> Iterator[Batch]:
    """What a WebSocket sends. Raises SampleUnreadable."""
    until = time.monotonic() + for_s
    try:
        with connect(address, open_timeout=_TIMEOUT_S) as socket:
            while (left := until - time.monotonic()) > 0:
                try:
                    found = orjson.loads(socket.recv(timeout=left))
                except TimeoutError:
                    return
                yield (found if isinstance(found, list) else [found]), clock()
    except (OSError, WebSocketException, ValueError) as error:
        raise SampleUnreadable(f"{address}: {error}; give a WebSocket that sends JSON") from error


class _Listening:
    """An intake that keeps records for the sample and hands nothing to anybody."""

    def __init__(self, clock: Clock) -> None:
        self.now_ms, self.batches = clock, Queue[Batch](_HELD_MAX)
        self.stop = threading.Event()

    def accept(self, records: Sequence[Any], position: str | None = None) -> None:
        if records and not self.stop.is_set():
            self.batches.put((list(records), self.now_ms()))

    def position(self) -> None:
        return None

    def newest_ms(self) -> int:
        return self.now_ms()

    def alive(self) -> None:
        return

    def wait(self, seconds: float) -> bool:
        return self.stop.wait(seconds)


def run(source: Runs, for_s: float, clock: Clock, tell: Callable[[str], None]) -> Iterator[Batch]:
    """What a declared source hands over, without anything of it being kept; `tell` hears its error."""
    intake, until = _Listening(clock), time.monotonic() + for_s

    def work() -> None:
        try:
            source.run(intake)
        except Exception as error:  # whatever a source raises is what the sample has to say
            tell(f"{type(error).__name__}: {error}")

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    while (left := until - time.monotonic()) > 0 and (thread.is_alive() or not intake.batches.empty()):
        try:
            yield intake.batches.get(timeout=min(left, 0.5))
        except Empty:
            continue
    intake.stop.set()
