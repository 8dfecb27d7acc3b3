"""Tracing: the verbs of who follows one event: entries and quarantine that hold a text, and what viewers painted."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.broker.connection import Connection, key_of, surfacing
from services.broker.stored import Entry, entries_of
from services.declare import Lane

ENTRIES_LOOKED_AT = 10_000
"""So many of the newest entries of a stream are looked through."""
QUARANTINE_LOOKED_AT = 2_000
SAMPLES_HELD = 300
"""What viewers painted, in parts of one second of one process: a few minutes of a busy system, hours of a quiet one."""
_PAGE = 200
_SAMPLES = "hw:painted"


class Tracing(Connection):
    """What tracing asks of the broker."""

    @surfacing
    def entries_holding(self, lane: Lane, text: bytes) -> list[Entry]:
        """Entries on the lane's stream in which the text stands, newest first, of the newest ten thousand."""
        found: list[Entry] = []
        for page in self._pages(key_of(lane) + "events", ENTRIES_LOOKED_AT):
            found += [entry for entry in entries_of(page) if text in entry.events]
        return found

    @surfacing
    def quarantine_holding(self, lane: Lane, text: bytes) -> list[bytes]:
        """Entries of the lane's quarantine in which the text stands, newest first."""
        pages = self._pages(key_of(lane) + "quarantine", QUARANTINE_LOOKED_AT)
        return [fields[b"entry"] for page in pages for _, fields in page if text in fields.get(b"entry", b"")]

    def _pages(self, key: str, at_most: int) -> Iterator[list[Any]]:
        until = "+"
        for _ in range(at_most // _PAGE):
            page: Any = self._redis.xrevrange(key, max=until, count=_PAGE)
            yield page
            if len(page) < _PAGE:
                return
            until = f"({page[-1][0].decode()}"

    @surfacing
    def checkpoint(self, lane: Lane) -> str:
        """The newest entry that is processed; '0-0' where none is."""
        found: Any = self._redis.hget(key_of(lane) + "lane", "checkpoint")
        return (found or b"0-0").decode()

    @surfacing
    def write_samples(self, samples: bytes) -> None:
        """Keep what viewers painted, for a while."""
        self._redis.xadd(_SAMPLES, {"samples": samples}, maxlen=SAMPLES_HELD, approximate=False)

    @surfacing
    def read_samples(self) -> list[bytes]:
        """What viewers painted of late, as it was written, oldest first."""
        found: Any = self._redis.xrange(_SAMPLES)
        return [fields[b"samples"] for _, fields in found]
