"""Positions and clocks: where a channel stands, and what time the server says it is."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass

Clock = Callable[[], int]
"""Returns milliseconds since the Unix epoch."""


def wall_clock() -> int:
    """The server's time in milliseconds since the Unix epoch."""
    return time.time_ns() // 1_000_000


def new_epoch() -> str:
    """A random identity for a counter; two lives of a lane never share one."""
    return secrets.token_hex(4)


@dataclass(frozen=True, slots=True)
class Position:
    """(epoch, seq): a place in one counter. Positions of different epochs are not comparable."""

    epoch: str
    seq: int


@dataclass(frozen=True, slots=True)
class Times:
    """Stage times over the events of a frame, in milliseconds since the Unix epoch.

    `created` and `ingested` are (oldest, newest); `processed` is the commit's time; `events` their number.
    """

    created: tuple[int, int]
    ingested: tuple[int, int]
    processed: int
    events: int

    def joined_with(self, later: Times) -> Times:
        """The times of both frames together."""
        return Times(
            (min(self.created[0], later.created[0]), max(self.created[1], later.created[1])),
            (min(self.ingested[0], later.ingested[0]), max(self.ingested[1], later.ingested[1])),
            max(self.processed, later.processed),
            self.events + later.events,
        )

    def as_json(self) -> dict[str, object]:
        return {"created": self.created, "ingested": self.ingested, "processed": self.processed, "events": self.events}

    @classmethod
    def from_json(cls, raw: dict[str, object]) -> Times:
        """Read what `as_json` wrote. Raises KeyError or TypeError on anything else."""
        created, ingested = raw["created"], raw["ingested"]
        processed, events = raw["processed"], raw["events"]
        if not (isinstance(created, list) and isinstance(ingested, list)):
            raise TypeError(f"times: created and ingested are pairs, not {raw!r}")
        if not (isinstance(processed, int) and isinstance(events, int)):
            raise TypeError(f"times: processed and events are whole numbers, not {raw!r}")
        return cls((created[0], created[1]), (ingested[0], ingested[1]), processed, events)
