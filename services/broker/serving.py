"""Serving: the verbs of the gateway, and of telemetry that every process publishes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Any

import orjson

from services.broker.connection import Connection, key_of, surfacing
from services.broker.stored import StoredChannel, StoredDelta
from services.declare import ChannelRef, Lane
from services.freshness import Progress
from services.positions import Position, Times

DELTAS_READ_MAX = 200


class Serving(Connection):
    """What the gateway asks of the broker."""

    @surfacing
    def read_channel(self, ref: ChannelRef) -> StoredChannel:
        """State of a channel with its position, read in one step."""
        base = key_of(ref.lane) + "c:" + ref.name
        epoch, seq, times, flat = self._run("read_channel", [key_of(ref.lane) + "lane", base, base + ":head"], [])
        cells = {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}
        position = Position(epoch.decode(), int(seq)) if epoch else None
        return StoredChannel(position, cells, Times.from_json(orjson.loads(times)) if times else None)

    @surfacing
    def read_heads(self, refs: Sequence[ChannelRef]) -> dict[ChannelRef, StoredChannel]:
        """Where channels stand, without their cells; those whose lane was never opened are left out."""
        if not refs:
            return {}
        with self._redis.pipeline(transaction=False) as pipe:
            for ref in refs:
                pipe.hget(key_of(ref.lane) + "lane", "epoch")
                pipe.hmget(key_of(ref.lane) + "c:" + ref.name + ":head", ["seq", "times"])
            answers: Any = pipe.execute()
        heads: dict[ChannelRef, StoredChannel] = {}
        for ref, epoch, (seq, times) in zip(refs, answers[::2], answers[1::2], strict=True):
            if epoch:
                stages = Times.from_json(orjson.loads(times)) if times else None
                heads[ref] = StoredChannel(Position(epoch.decode(), int(seq or 0)), {}, stages)
        return heads

    @surfacing
    def read_deltas(self, after: Mapping[ChannelRef, int], block_ms: int) -> list[StoredDelta]:
        """Deltas of the channels beyond the given seqs; waits up to `block_ms`. Uses the blocking connection."""
        keys = [_deltas_key(ref) for ref in after]
        beyond = {key: f"{seq}-0" for key, seq in zip(keys, after.values(), strict=True)}
        found = self._server.read_streams(beyond, DELTAS_READ_MAX, block_ms)
        refs = dict(zip(keys, after, strict=True)) if found else {}
        return [
            delta_of(refs[key], entry_id, dict(zip(flat[::2], flat[1::2], strict=True)))
            for key, entries in found
            for entry_id, flat in entries
        ]

    @surfacing
    def read_range(self, ref: ChannelRef, after: int) -> list[StoredDelta]:
        """Deltas beyond a seq that the broker still holds, oldest first."""
        key = key_of(ref.lane) + "c:" + ref.name + ":deltas"
        found: Any = self._redis.xrange(key, min=f"{after + 1}-0")
        return [delta_of(ref, entry_id, fields) for entry_id, fields in found]

    @surfacing
    def unblock(self) -> None:
        """Wake a blocked `read_deltas`; harmless where none is blocked."""
        self._server.unblock()

    @surfacing
    def lane_progress(self, lanes: Sequence[Lane]) -> dict[Lane, Progress]:
        """What each lane's worker last said, with the backlog of now; lanes that never had a worker are left out."""
        if not lanes:
            return {}
        with self._redis.pipeline(transaction=False) as pipe:
            for lane in lanes:
                pipe.get(key_of(lane) + "progress")
                pipe.hmget(key_of(lane) + "lane", "accepted", "processed", "archived")
            answers = iter(pipe.execute())
        said = zip(lanes, answers, answers, strict=True)
        return {lane: _with_counts(Progress.decoded(raw), *counts) for lane, raw, counts in said if raw}

    @surfacing
    def write_telemetry(self, process: str, payload: bytes) -> None:
        """Publish what a process measured; the payload carries its own time."""
        self._run("note", ["hw:telemetry"], [process, payload])

    @surfacing
    def read_telemetry(self) -> dict[str, bytes]:
        """The last payload of each process."""
        found: Any = self._redis.hgetall("hw:telemetry")
        return {name.decode(): payload for name, payload in found.items()}

    @surfacing
    def forget_telemetry(self, processes: Sequence[str]) -> None:
        """Drop processes that are gone."""
        if processes:
            self._redis.hdel("hw:telemetry", *processes)


def _with_counts(said: Progress, accepted: bytes | None, processed: bytes | None, archived: bytes | None) -> Progress:
    """A backlog grows also while no worker is there to say so: what came since waits since then at the longest."""
    backlog = max(0, int(accepted or 0) - int(processed or 0))
    unarchived = 0 if archived is None else max(0, int(accepted or 0) - int(archived) - said.shed)
    return replace(
        said,
        backlog=backlog,
        backlog_since=(said.backlog_since or said.at) if backlog else 0,
        unarchived=unarchived,
        unarchived_since=(said.unarchived_since or said.at) if unarchived else 0,
    )


@lru_cache(maxsize=10_000)
def _deltas_key(ref: ChannelRef) -> bytes:
    """Made once: a process that follows thousands of channels names all of them at each read."""
    return f"{key_of(ref.lane)}c:{ref.name}:deltas".encode()


def delta_of(ref: ChannelRef, entry_id: bytes, fields: Mapping[bytes, bytes]) -> StoredDelta:
    """A delta as its stream holds it."""
    times = Times.from_json(orjson.loads(fields[b"times"]))
    seq, upto = int(entry_id.partition(b"-")[0]), fields.get(b"upto", b"").decode()
    return StoredDelta(ref, fields[b"epoch"].decode(), seq, fields[b"data"], times, upto)
