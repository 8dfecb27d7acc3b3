"""Quarantining: the verbs of what no channel could fold: looked at, sent through once more, or let go."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from services.broker.connection import Connection, key_of, surfacing
from services.broker.stored import Quarantined
from services.declare import Lane


class Quarantining(Connection):
    """What who looks after the quarantine asks of the broker."""

    @surfacing
    def quarantined(self, lane: Lane, count: int | None = None) -> list[Quarantined]:
        """What is in the lane's quarantine, newest first."""
        found: Any = self._redis.xrevrange(key_of(lane) + "quarantine", count=count)
        return [_quarantined(lane, entry_id.decode(), fields[b"entry"]) for entry_id, fields in found]

    @surfacing
    def quarantined_one(self, lane: Lane, entry_id: str) -> Quarantined | None:
        """One of them, None where it is not there any more."""
        found: Any = self._redis.xrange(key_of(lane) + "quarantine", min=entry_id, max=entry_id)
        return _quarantined(lane, found[0][0].decode(), found[0][1][b"entry"]) if found else None

    @surfacing
    def discard_quarantined(self, lane: Lane, entry_id: str) -> bool:
        """Let it go; False where somebody did already."""
        return bool(self._redis.xdel(key_of(lane) + "quarantine", entry_id))

    @surfacing
    def replay_quarantined(self, lane: Lane, entry_id: str, bodies: Sequence[bytes]) -> bool:
        """Take it out and put its events on the lane's stream once more, in one step; False where it is gone."""
        key = key_of(lane)
        return bool(self._run("replay", [key + "quarantine", key + "lane", key + "events"], [entry_id, *bodies]))


def _quarantined(lane: Lane, entry_id: str, raw: bytes) -> Quarantined:
    held = orjson.loads(raw)
    return Quarantined(lane, entry_id, held["event"], str(held["why"]), int(held["at"]), tuple(held.get("of", ())))
