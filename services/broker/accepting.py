"""Accepting: the verbs of ingestion and of sources."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from services.broker.connection import Connection, key_of, surfacing
from services.broker.errors import BacklogFull, MemoryHigh
from services.declare import Lane, Mark

IDS_WINDOW_MS = 24 * 3_600_000
ENTRY_BYTES = 16 * 1024
"""What an entry of a stream holds at most, a larger event aside: a hundred of them are a small reply."""
REJECTIONS_KEPT = 200
MEMORY_LIMIT = 0.8
"""Share of `maxmemory` above which no event is taken, so that commits and trimming can go on."""


class Accepting(Connection):
    """What ingestion asks of the broker."""

    @surfacing
    def ingest(
        self, lane: Lane, events: Sequence[tuple[str, bytes]], lag_ms: int | None = None, mark: Mark | None = None
    ) -> tuple[int, int]:
        """Append events (id or '' where not to be deduplicated, JSON body) to a lane: (accepted, duplicates).

        `lag_ms` is the least time between an event's stamp and its arrival of late; below 0 the source's clock
        is ahead of ours. `mark`: they pass through the lane, and no channel folds them.

        Raises Overloaded, and has then written nothing.
        """
        self._refuse_when_full()
        key, caps = key_of(lane), self.caps
        arguments: list[Any] = [self._clock(), caps.ids // 2, IDS_WINDOW_MS // 2, caps.backlog_bytes]
        arguments += ("" if lag_ms is None else lag_ms, mark or "", ENTRY_BYTES)
        for event_id, body in events:
            arguments += (event_id, body)
        keys = [key + "lane", key + "events", key + "ids:new", key + "ids:old", key + "source"]
        accepted, duplicates = self._run("ingest", keys, arguments)
        if accepted < 0:
            raise BacklogFull(lane, duplicates)
        return accepted, duplicates

    def _refuse_when_full(self) -> None:
        self._look_at_memory()
        if self._memory_share >= MEMORY_LIMIT:
            raise MemoryHigh(self._memory_share)

    @surfacing
    def sign_of_life(self, lane: Lane) -> None:
        """The source of a feed lives; kept on the feed's first lane."""
        self._redis.hset(key_of(lane) + "source", "alive_at", self._clock())

    @surfacing
    def source_error(self, lane: Lane, text: str, cause: str = "source_error") -> None:
        """The source of a feed is in trouble; the text is its last answer."""
        told = {"error": text, "error_at": self._clock(), "error_cause": cause}
        self._redis.hset(key_of(lane) + "source", mapping=told)

    @surfacing
    def keep_source_position(self, lane: Lane, place: str, position: str) -> None:
        """Where a feed's source stands in what `place` names. It lies beside the events that it follows: whoever loses
        those loses it with them."""
        self._run("note", [key_of(lane) + "source"], ["position", orjson.dumps([place, position])])

    @surfacing
    def source_position(self, lane: Lane, place: str) -> str | None:
        """Where it stood last; None where it never did in that place."""
        kept: Any = self._redis.hget(key_of(lane) + "source", "position")
        if kept is None:
            return None
        of, position = orjson.loads(kept)
        return str(position) if of == place else None

    @surfacing
    def rejections(self, lane: Lane, count: int, samples: Sequence[Mapping[str, Any]]) -> None:
        """Count refused records and keep a few of them to look at."""
        key, now = key_of(lane), self._clock()
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hincrby(key + "source", "rejected", count)
            pipe.hincrby(key + "source", "refused_run", count)
            pipe.hsetnx(key + "source", "refused_from", str(now))
            newest = samples[-1]
            text = f"{newest['reason']}: {newest['detail']}"
            pipe.hset(key + "source", mapping={"rejected_at": now, "rejection": text})
            for sample in samples:
                entry = orjson.dumps({**sample, "at": now})
                pipe.xadd(key + "rejections", {"sample": entry}, maxlen=REJECTIONS_KEPT, approximate=True)
            pipe.execute()

    @surfacing
    def rejection_samples(self, lane: Lane, after: str) -> list[tuple[str, dict[str, Any]]]:
        """Samples of refused records newer than the stream id `after`, oldest first."""
        found: Any = self._redis.xrange(key_of(lane) + "rejections", min="(" + after, count=100)
        return [(entry_id.decode(), orjson.loads(fields[b"sample"])) for entry_id, fields in found]
