"""Measuring: the verbs of measurement: the broker's time, and the sheets on their way to the database.

Sheets wait in a stream of their own, so that a process that measures never waits for the database.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from services.broker.connection import Connection, surfacing
from services.clocks import BrokerClock

_KEY = "hw:sheets"


class Measuring(Connection):
    """What measurement asks of the broker."""

    @surfacing
    def ask_time(self, clock: BrokerClock, now: Callable[[], float] = time.time) -> None:
        """Let the clock know what time it is on the broker; `now` is the own time, in seconds."""
        sent = now()
        seconds, micros = self._server.time(_KEY)
        received = now()
        clock.sample(sent * 1000, received * 1000, seconds * 1000 + micros / 1000)

    @surfacing
    def write_sheets(self, sheets: Sequence[bytes]) -> None:
        """Hand sheets over, oldest first."""
        with self._redis.pipeline(transaction=False) as pipe:
            for sheet in sheets:
                pipe.xadd(_KEY, {"sheet": sheet}, maxlen=self.caps.sheets, approximate=True)
            pipe.execute()

    @surfacing
    def read_sheets(self, at_most: int) -> list[tuple[str, bytes]]:
        """The oldest sheets that wait, each with its place; the first part of the place is when it came, in ms."""
        found: Any = self._redis.xrange(_KEY, count=at_most)
        return [(entry_id.decode(), fields[b"sheet"]) for entry_id, fields in found]

    @surfacing
    def drop_sheets(self, places: Sequence[str]) -> None:
        """They are in the database now."""
        if places:
            self._redis.xdel(_KEY, *places)
