"""Leading: the verbs of the processor: leases, a lane's entries, its commits and its progress."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import orjson

from services.broker.caps import SHORT_OF_MEMORY
from services.broker.connection import Connection, key_of, surfacing
from services.broker.errors import LaneLost
from services.broker.stored import MEMORY, Entry, LaneCommit, OpenLane, entries_of
from services.declare import Lane
from services.freshness import Progress

Station = Literal["processor", "sources", "archive", "contract"]
"""Which work a lease is for: writing a lane, reading a feed's source (its first lane stands for the feed), archiving
a lane, or doing a job of the contract (a lane of the job's name stands for it)."""

LEASE_TTL_MS = 1_600
"""Three renewals and a little more. The rest of the promised three seconds: a standby asks each half second, reads the
lane's state, and its first commit has to reach the viewers."""
FULL_OF_MEMORY = 0.9
"""Share from which on every slower group has to: ingest has stopped, and commits fill what is left."""
RETIRED = "hw:retired"
"""Which lanes are retired, and since when."""
LAGGING_SHARE = 0.3
"""How much of the memory all streams may then hold together."""


class Leading(Connection):
    """What the processor asks of the broker."""

    @surfacing
    def present(self, station: Station, worker: str, release: int, *, leaving: bool = False) -> int:
        """Tell that the worker lives (or is leaving); returns with how many it shares its station's work.

        0 while a worker of a newer release lives: this one is to hand over what it has.
        """
        peers: int = self._run("presence", [f"hw:workers:{station}"], [worker, release, LEASE_TTL_MS, int(leaving)])
        return peers

    @surfacing
    def workers(self, station: Station) -> int:
        """How many workers live for that station's work, by the broker's clock."""
        key = f"hw:workers:{station}"
        seconds, micros = self._server.time(key)
        found: Any = self._redis.zrange(key, 0, -1, withscores=True)
        now = 1_000 * seconds + micros // 1_000
        return sum(now - said <= LEASE_TTL_MS for _, said in found)

    @surfacing
    def lease(self, station: Station, lanes: Mapping[Lane, str], worker: str) -> dict[Lane, str]:
        """Take or renew leases in one round trip; `lanes` maps to the lease held ('' to take). '' is refused."""
        calls = [(lease_keys(station, lane), [held, worker, LEASE_TTL_MS]) for lane, held in lanes.items()]
        answers = self._server.run_each(self._scripts["lease"], calls)
        return {lane: held.decode() for lane, held in zip(lanes, answers, strict=True)}

    @surfacing
    def release(self, station: Station, lane: Lane, lease: str) -> None:
        """Give a lane back, so that a standby need not wait for the lease to run out."""
        self._run("lease", lease_keys(station, lane), [lease, "", 0])

    @surfacing
    def open_lane(
        self,
        lane: Lane,
        lease: str,
        run_id: str,
        signatures: Mapping[str, str],
        signature: str,
        epoch: str,
        *,
        archived: bool = False,
    ) -> OpenLane:
        """Settle epoch and channels for a new writer; `epoch` is used where a new one is due. Raises LaneLost.

        `archived`: from now on an event stays until the archive has it, too.
        """
        key = key_of(lane)
        pairs = [text for pair in signatures.items() for text in pair]
        found = self._run(
            "open_lane",
            [key + name for name in ("lease", "lane", "channels", "events", "leader")],
            [lease, run_id, signature, epoch, self._clock(), key + "c:", int(archived), *pairs],
        )
        if not found:
            raise LaneLost(f"lane {lane}: the lease went to another worker while opening")
        return OpenLane(found[0].decode(), found[1].decode(), int(found[2]), found[3].decode())

    @surfacing
    def try_entry(self, lane: Lane, lease: str) -> int:
        """Note that this worker is about to fold the lane's next entry; returns how many others tried it in vain."""
        key = key_of(lane)
        others: int = self._run("try_entry", [key + name for name in ("lease", "lane", "events", "leader")], [lease])
        return others

    @surfacing
    def channels_of(self, lane: Lane) -> list[str]:
        """Names of the channels, partitions included, that hold state on this lane."""
        found: Any = self._redis.hkeys(key_of(lane) + "channels")
        return sorted(name.decode() for name in found)

    @surfacing
    def read_memory(self, lane: Lane) -> dict[str, bytes]:
        """What the feed's enrichment remembered at the lane's checkpoint."""
        found: Any = self._redis.hgetall(key_of(lane) + "c:" + MEMORY)
        return {name.decode(): cell for name, cell in found.items()}

    @surfacing
    def read_events(self, after: Mapping[Lane, str], count: int, block_ms: int) -> dict[Lane, list[Entry]]:
        """Entries of the lanes beyond the given ids; waits up to `block_ms` where there are none.

        Reading leaves no trace: a worker that lost a lane and does not know it yet takes nothing from its
        successor, as it would from a consumer group. Uses the blocking connection.
        """
        lanes = {(key_of(lane) + "events").encode(): lane for lane in after}
        beyond = dict(zip(lanes, after.values(), strict=True))
        found = self._server.read_streams(beyond, count, block_ms)
        return {
            lanes[key]: entries_of((one, dict(zip(flat[::2], flat[1::2], strict=True))) for one, flat in entries)
            for key, entries in found
        }

    @surfacing
    def commit(self, lane: Lane, commit: LaneCommit) -> None:
        """Write one step of a lane, whole or not at all. Raises LaneLost where the lane is not ours any more."""
        key = key_of(lane)
        keys = [key + name for name in ("lease", "lane", "events", "quarantine", "channels", "leader")]
        arguments: list[Any] = [commit.lease, LEASE_TTL_MS, commit.epoch, commit.checkpoint_before, commit.checkpoint]
        arguments += (commit.processed, commit.processed_bytes, commit.too_late, commit.filtered)
        arguments += (self.caps.quarantined, len(commit.quarantined), *commit.quarantined, len(commit.channels))
        for channel in commit.channels:
            base = key + "c:" + channel.name
            keys += (base, base + ":head", base + ":deltas")
            arguments += (
                channel.name,
                channel.signature,
                channel.seq_before,
                channel.data,
                orjson.dumps(channel.times),
                orjson.dumps(channel.overall),
                channel.trim_below,
                2 * len(channel.cells),
            )
            for cell in channel.cells.items():
                arguments += cell
            arguments += (len(channel.dropped), *channel.dropped)
        arguments += (commit.fresh_epoch, len(commit.gone), *commit.gone)
        keys += [key + "c:" + name + part for name in commit.gone for part in ("", ":head", ":deltas")]
        answer = self._run("commit", keys, arguments)
        if answer != b"ok":
            raise LaneLost(f"lane {lane}: commit refused ({answer.decode()})")

    @surfacing
    def shed(self, lane: Lane, lanes: int = 1, *, lagging: bool = False) -> int:
        """Drop what is processed and waits for a slower group only, where the stream is over its cap: how many.

        Where the broker's memory is full, or runs short for a group that is `lagging`, the cap is the lane's share of
        a part of it, of `lanes` in all: a group that stands still must never bring ingest to a stop.
        """
        self._look_at_memory()
        cap = self.caps.stream_bytes
        if self._memory_share >= (SHORT_OF_MEMORY if lagging else FULL_OF_MEMORY):
            cap = min(cap, int(self._memory_limit * LAGGING_SHARE / lanes))
        key = key_of(lane)
        dropped: int = self._run("shed", [key + "lane", key + "events"], [cap])
        return dropped

    @surfacing
    def memory_full(self) -> bool:
        """Whether the server's memory is so full that no group can be waited for."""
        self._look_at_memory()
        return self._memory_share >= FULL_OF_MEMORY

    @surfacing
    def report_progress(self, lane: Lane, started_at: int, epoch: str, newest: tuple[int, int]) -> Progress:
        """Write what the gateway judges freshness by: counts, backlog, the source's life. Once a second."""
        key = key_of(lane)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(key + "lane")
            pipe.hgetall(key_of(Lane(lane.feed, 0)) + "source")
            lane_row, source = pipe.execute()
        oldest = self._oldest_beyond(lane, lane_row.get(b"checkpoint", b"0-0"))
        unarchived = self._oldest_beyond(lane, lane_row[b"archive"]) if b"archive" in lane_row else 0
        progress = _progress(lane_row, source, self._clock(), started_at, epoch, newest, oldest, unarchived)
        self._run("note", [key + "progress"], [progress.encoded()])
        return progress

    @surfacing
    def settle_retired(self, declared: Iterable[Lane], retired: Mapping[Lane, str]) -> list[str]:
        """Note which lanes are retired, and since when; of those that were and are declared no more, drop everything.

        `declared` are all others. Returns what was dropped. A lane that was never noted is not touched: a file that is
        missing by mistake costs nothing.
        """
        known = {str(lane) for lane in (*declared, *retired)}
        noted: Any = self._redis.hkeys(RETIRED)
        gone = sorted(name for name in (one.decode() for one in noted) if name not in known)
        for name in gone:
            self.drop_lane(Lane(*_parts_of(name)))
        stale = [*gone, *(str(lane) for lane in declared)]
        if stale:
            self._redis.hdel(RETIRED, *stale)
        if retired:
            self._redis.hset(RETIRED, mapping={str(lane): since for lane, since in retired.items()})
        return gone

    @surfacing
    def drop_lane(self, lane: Lane) -> bool:
        """Let everything of a lane that nobody leads go; whether there was anything."""
        keys = list(self._redis.scan_iter(match=key_of(lane) + "*", count=1_000))
        for key in keys:
            self._redis.delete(key)
        return bool(keys)

    @surfacing
    def note_progress(self, lane: Lane, progress: Progress) -> None:
        """Write what the gateway judges a derived lane by; it has no stream to be read from."""
        self._run("note", [key_of(lane) + "progress"], [progress.encoded()])

    def _oldest_beyond(self, lane: Lane, position: bytes) -> int:
        """When the oldest entry beyond a position was accepted; 0 where there is none."""
        found: Any = self._redis.xrange(key_of(lane) + "events", min=b"(" + position, count=1)
        return int(found[0][0].partition(b"-")[0]) if found else 0


def _parts_of(lane: str) -> tuple[str, int]:
    feed, _, number = lane.rpartition(".")
    return feed, int(number)


def lease_keys(station: Station, lane: Lane) -> list[str]:
    """Lease, count of leaderships, and last leader of a lane's work."""
    part = {"processor": "", "sources": "source:", "archive": "archive:", "contract": "contract:"}[station]
    return [key_of(lane) + part + name for name in ("lease", "tokens", "leader")]


def _progress(
    lane: Mapping[bytes, bytes],
    source: Mapping[bytes, bytes],
    now: int,
    started_at: int,
    epoch: str,
    newest: tuple[int, int],
    oldest: int,
    oldest_unarchived: int,
) -> Progress:
    def number(row: Mapping[bytes, bytes], name: bytes) -> int:
        return int(row.get(name, 0))

    backlog = max(0, number(lane, b"accepted") - number(lane, b"processed"))
    unarchived = max(0, number(lane, b"accepted") - number(lane, b"archived") - number(lane, b"shed"))
    if b"archive" not in lane:
        unarchived = 0
    return Progress(
        epoch=epoch,
        at=now,
        started_at=started_at,
        event_at=newest[0],
        ingested_at=newest[1],
        accepted=number(lane, b"accepted"),
        duplicates=number(lane, b"duplicates"),
        processed=number(lane, b"processed"),
        quarantined=number(lane, b"quarantined"),
        too_late=number(lane, b"too_late"),
        filtered=number(lane, b"filtered"),
        shed=number(lane, b"shed"),
        backlog=backlog,
        backlog_since=oldest if backlog else 0,
        unarchived=unarchived,
        unarchived_since=oldest_unarchived if unarchived else 0,
        alive_at=number(source, b"alive_at"),
        error=source.get(b"error", b"").decode(),
        error_at=number(source, b"error_at"),
        error_cause=source.get(b"error_cause", b"").decode(),
        rejected=number(source, b"rejected"),
        rejected_at=number(source, b"rejected_at"),
        rejection=source.get(b"rejection", b"").decode(),
        refused_run=number(source, b"refused_run"),
        refused_from=number(source, b"refused_from"),
        lag_ms=number(source, b"lag_ms"),
    )
