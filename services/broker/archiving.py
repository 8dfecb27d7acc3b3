"""Archiving: the verbs of the archive: how a lane stands, deltas beyond positions, and what is safely kept."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from services.broker.connection import Connection, key_of, surfacing
from services.broker.serving import delta_of
from services.broker.stored import ArchiveStanding, Entry, StoredDelta, entries_of
from services.declare import ChannelRef, Lane


class Archiving(Connection):
    """What the archive asks of the broker."""

    @surfacing
    def archive_standing(self, lane: Lane) -> ArchiveStanding | None:
        """How the lane stands for the archive; None where no worker opened it yet."""
        found: Any = self._redis.hmget(key_of(lane) + "lane", "epoch", "shed", "archive")
        epoch, shed, acknowledged = found
        if epoch is None:
            return None
        return ArchiveStanding(epoch.decode(), int(shed or 0), (acknowledged or b"0-0").decode())

    @surfacing
    def read_entries(self, lane: Lane, after: str, count: int, until: str = "+") -> list[Entry]:
        """Entries of the lane's stream beyond one id, oldest first, at most to another."""
        found: Any = self._redis.xrange(key_of(lane) + "events", min="(" + after, max=until, count=count)
        return entries_of(found)

    @surfacing
    def read_deltas_after(self, after: Mapping[ChannelRef, int], count: int) -> dict[ChannelRef, list[StoredDelta]]:
        """Deltas beyond the seqs, at most `count` of each channel; does not wait. The channels are of one lane."""
        streams: dict[Any, Any] = {}
        refs: dict[bytes, ChannelRef] = {}
        for ref, seq in after.items():
            key = key_of(ref.lane) + "c:" + ref.name + ":deltas"
            streams[key], refs[key.encode()] = f"{seq}-0", ref
        found: Any = self._redis.xread(streams, count=count) if streams else ()
        return {
            refs[name]: [delta_of(refs[name], entry_id, fields) for entry_id, fields in entries]
            for name, entries in found or ()
        }

    @surfacing
    def archived(self, lane: Lane, before: str, position: str, events: int) -> bool:
        """Say that everything up to `position` is kept elsewhere, so that it may be trimmed.

        `before` is what was said last, `events` how many lie between; False where another said more meanwhile.
        """
        key = key_of(lane)
        return bool(self._run("archived", [key + "lane", key + "events"], [before, position, events]))
