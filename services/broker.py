"""Broker: the only file that speaks Redis.

Each station has its own few verbs here; the Lua beside it (`scripts/`) makes each of them one step.
Keys of a lane carry the lane as hash tag, `hw:{flights.0}:...`, so that a commit stays in one slot.
Nothing is retried here: a retried write after a lost reply would happen twice. Retrying belongs
where it is safe, above. Every failure of the network or the server surfaces as `BrokerDown`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import wraps
from importlib.resources import files
from typing import Any, Concatenate, ParamSpec, TypeVar

import orjson
import redis
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisError, ResponseError
from redis.retry import Retry

from services.declare import ChannelRef, Lane
from services.freshness import Progress
from services.positions import Clock, Position, Times, wall_clock

GROUP = "processor"
LEASE_TTL_MS = 2_000
IDS_WINDOW = 200_000
IDS_WINDOW_MS = 24 * 3_600_000
BACKLOG_LIMIT_BYTES = 64 * 1024 * 1024
DELTAS_READ_MAX = 200
SOCKET_TIMEOUT_S = 5.0
REJECTIONS_KEPT = 200
MEMORY_LIMIT = 0.8
"""Share of `maxmemory` above which no event is taken, so that commits and trimming can go on."""
MEMORY_LOOK_S = 0.5

P = ParamSpec("P")
R = TypeVar("R")


class BrokerDown(Exception):
    """The broker cannot be reached or does not answer as it must; the text says which and why."""


class BrokerFull(BrokerDown):
    """The broker has no memory left for a write."""


class LaneLost(Exception):
    """A lane's lease or expected position is not ours any more; open the lane again."""


class Overloaded(Exception):
    """No more events are taken for now; nothing of this call was written, and it may be sent again later."""


class BacklogFull(Overloaded):
    """A lane holds as many unprocessed bytes as it may."""

    def __init__(self, lane: Lane, backlog_bytes: int) -> None:
        super().__init__(f"lane {lane}: {backlog_bytes:,} bytes are waiting to be processed; send again later")


class MemoryHigh(Overloaded):
    """The broker's memory is so full that the rest is kept for commits and trimming."""

    def __init__(self, share: float) -> None:
        super().__init__(f"the broker's memory is {100 * share:.0f} % full; send again later, or raise maxmemory")


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """A channel as the broker holds it; `position` is None where its lane was never opened."""

    position: Position | None
    cells: dict[str, bytes]
    times: Times | None


@dataclass(frozen=True, slots=True)
class StoredDelta:
    """One delta as committed: it leads from `seq - 1` to `seq`; `data` is JSON."""

    ref: ChannelRef
    epoch: str
    seq: int
    data: bytes
    times: Times


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a lane's stream: its id, the events of one request as a JSON array, and their number.

    `tries`: how often it was given to a worker before, this time not counted, where it was claimed.
    """

    id: str
    events: bytes
    count: int
    tries: int = 1


@dataclass(frozen=True, slots=True)
class OpenLane:
    """A lane as its new writer finds it."""

    epoch: str
    checkpoint: str
    started_at: int


@dataclass(frozen=True, slots=True)
class ChannelCommit:
    """What a commit does to one channel. `data` is empty where only hidden cells change."""

    name: str
    signature: str
    seq_before: int
    data: bytes
    times: Times
    overall: Times
    trim_below: int
    cells: Mapping[str, bytes]
    dropped: Sequence[str]


@dataclass(frozen=True, slots=True)
class LaneCommit:
    """One atomic step of a lane."""

    lease: str
    epoch: str
    checkpoint_before: str
    checkpoint: str
    processed: int
    processed_bytes: int
    too_late: int
    acknowledged: Sequence[str]
    quarantined: Sequence[bytes]
    channels: Sequence[ChannelCommit]


def _surfacing(
    method: Callable[Concatenate[Broker, P], R],
) -> Callable[Concatenate[Broker, P], R]:
    """Turn the client library's errors into ours, with the address and the remedy."""

    @wraps(method)
    def call(self: Broker, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except OutOfMemoryError as error:
            raise BrokerFull(f"broker {self.address}: out of memory ({error}); raise maxmemory") from error
        except (RedisError, OSError) as error:
            raise BrokerDown(f"broker {self.address}: {method.__name__} failed: {error}") from error

    return call


class Broker:
    """The door to Redis for one process: at most two connections for commands and one that blocks.

    `url` is a Redis URL (`redis://`, `rediss://`, `unix://`). Opens nothing until it is used.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock = wall_clock,
        commands_max: int = 2,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._memory_due, self._memory_share = 0.0, 0.0
        options: dict[str, Any] = {
            "socket_timeout": SOCKET_TIMEOUT_S,
            "socket_connect_timeout": 2.0,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "client_name": "headwater",
        }
        pool = redis.BlockingConnectionPool.from_url(url, max_connections=commands_max, timeout=5, **options)
        self._redis = redis.Redis(connection_pool=pool)
        self._waiting = redis.Redis.from_url(url, single_connection_client=False, max_connections=1, **options)
        self._waiting_id: int | None = None
        self.address = url.rpartition("@")[2]
        self._scripts = {
            name: self._redis.register_script((files("services") / "scripts" / f"{name}.lua").read_bytes())
            for name in ("ingest", "lease", "note", "presence", "open_lane", "commit", "read_channel")
        }

    def close(self) -> None:
        """Give the connections back; the broker may be used again afterwards."""
        self._redis.connection_pool.disconnect()
        self._waiting.connection_pool.disconnect()

    def _run(self, script: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        return self._scripts[script](keys=keys, args=args)

    # Server ------------------------------------------------------------------------------------

    @_surfacing
    def server(self) -> dict[str, Any]:
        """`INFO` of the server: version, run_id, memory and policy."""
        found: Any = self._redis.info()
        return dict(found)

    # Ingestion ---------------------------------------------------------------------------------

    @_surfacing
    def ingest(self, lane: Lane, events: Sequence[tuple[str, bytes]]) -> tuple[int, int]:
        """Append events (id or '' where not to be deduplicated, JSON body) to a lane: (accepted, duplicates).

        Raises Overloaded, and has then written nothing.
        """
        self._refuse_when_full()
        key = _key(lane)
        arguments: list[Any] = [self._clock(), IDS_WINDOW // 2, IDS_WINDOW_MS // 2, BACKLOG_LIMIT_BYTES]
        for event_id, body in events:
            arguments += (event_id, body)
        keys = [key + "lane", key + "events", key + "ids:new", key + "ids:old", key + "source"]
        accepted, duplicates = self._run("ingest", keys, arguments)
        if accepted < 0:
            raise BacklogFull(lane, duplicates)
        return accepted, duplicates

    def _refuse_when_full(self) -> None:
        now = self._monotonic()
        if now >= self._memory_due:
            self._memory_due = now + MEMORY_LOOK_S
            self._memory_share = memory_share(self._redis.info("memory"))
        if self._memory_share >= MEMORY_LIMIT:
            raise MemoryHigh(self._memory_share)

    @_surfacing
    def sign_of_life(self, lane: Lane) -> None:
        """The source of a feed lives; kept on the feed's first lane."""
        self._redis.hset(_key(lane) + "source", "alive_at", self._clock())

    @_surfacing
    def source_error(self, lane: Lane, text: str) -> None:
        """The source of a feed is in trouble; the text is its last answer."""
        self._redis.hset(_key(lane) + "source", mapping={"error": text, "error_at": self._clock()})

    @_surfacing
    def rejections(self, lane: Lane, count: int, samples: Sequence[Mapping[str, Any]]) -> None:
        """Count refused records and keep a few of them to look at."""
        key, now = _key(lane), self._clock()
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hincrby(key + "source", "rejected", count)
            newest = samples[-1]
            text = f"{newest['reason']}: {newest['detail']}"
            pipe.hset(key + "source", mapping={"rejected_at": now, "rejection": text})
            for sample in samples:
                entry = orjson.dumps({**sample, "at": now})
                pipe.xadd(key + "rejections", {"sample": entry}, maxlen=REJECTIONS_KEPT, approximate=True)
            pipe.execute()

    @_surfacing
    def rejection_samples(self, lane: Lane, after: str) -> list[tuple[str, dict[str, Any]]]:
        """Samples of refused records newer than the stream id `after`, oldest first."""
        found: Any = self._redis.xrange(_key(lane) + "rejections", min="(" + after, count=100)
        return [(entry_id.decode(), orjson.loads(fields[b"sample"])) for entry_id, fields in found]

    # Processor ---------------------------------------------------------------------------------

    @_surfacing
    def present(self, worker: str, *, leaving: bool = False) -> int:
        """Tell that the worker lives (or is leaving); returns how many live."""
        living: int = self._run("presence", ["hw:workers"], [worker, LEASE_TTL_MS, int(leaving)])
        return living

    @_surfacing
    def lease(self, lanes: Mapping[Lane, str], worker: str) -> dict[Lane, str]:
        """Take or renew leases in one round trip; `lanes` maps to the lease held ('' to take). '' is refused."""
        script = self._scripts["lease"]
        with self._redis.pipeline(transaction=False) as pipe:
            for lane, held in lanes.items():
                keys = [_key(lane) + "lease", _key(lane) + "tokens"]
                script(keys=keys, args=[held, worker, LEASE_TTL_MS], client=pipe)
            return {lane: held.decode() for lane, held in zip(lanes, pipe.execute(), strict=True)}

    @_surfacing
    def release(self, lane: Lane, lease: str) -> None:
        """Give a lane back, so that a standby need not wait for the lease to run out."""
        self._run("lease", [_key(lane) + "lease", _key(lane) + "tokens"], [lease, "", 0])

    @_surfacing
    def open_lane(
        self, lane: Lane, lease: str, run_id: str, signatures: Mapping[str, str], signature: str, epoch: str
    ) -> OpenLane:
        """Settle epoch and channels for a new writer; `epoch` is used where a new one is due. Raises LaneLost."""
        key = _key(lane)
        pairs = [text for pair in signatures.items() for text in pair]
        found = self._run(
            "open_lane",
            [key + "lease", key + "lane", key + "channels"],
            [lease, run_id, signature, epoch, self._clock(), key + "c:", *pairs],
        )
        if not found:
            raise LaneLost(f"lane {lane}: the lease went to another worker while opening")
        self._make_group(lane)
        return OpenLane(found[0].decode(), found[1].decode(), int(found[2]))

    def _make_group(self, lane: Lane) -> None:
        try:
            self._redis.xgroup_create(_key(lane) + "events", GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    @_surfacing
    def channels_of(self, lane: Lane) -> list[str]:
        """Names of the channels, partitions included, that hold state on this lane."""
        found: Any = self._redis.hkeys(_key(lane) + "channels")
        return sorted(name.decode() for name in found)

    @_surfacing
    def claim(self, lane: Lane, worker: str) -> list[Entry]:
        """All entries that were delivered to any worker and never acknowledged, in order."""
        pending: Any = self._redis.xpending_range(_key(lane) + "events", GROUP, "-", "+", 10_000)
        tries = {row["message_id"].decode(): row["times_delivered"] for row in pending}
        claimed: list[Entry] = []
        start: Any = b"0-0"
        while True:
            answer: Any = self._redis.xautoclaim(_key(lane) + "events", GROUP, worker, 0, start_id=start, count=500)
            start = answer[0]
            claimed += _entries(answer[1])
            if start == b"0-0":
                return [replace(entry, tries=tries.get(entry.id, 1)) for entry in claimed]

    @_surfacing
    def read_events(self, lanes: Iterable[Lane], worker: str, count: int, block_ms: int) -> dict[Lane, list[Entry]]:
        """New entries of the lanes; waits up to `block_ms` where there are none. Uses the blocking connection."""
        streams = {_key(lane) + "events": lane for lane in lanes}
        wanted: dict[Any, Any] = dict.fromkeys(streams, ">")
        block = None if block_ms <= 0 else min(block_ms, int(SOCKET_TIMEOUT_S * 500))
        found: Any = self._waiting.xreadgroup(GROUP, worker, wanted, count=count, block=block)
        return {streams[name.decode()]: _entries(entries) for name, entries in found or ()}

    @_surfacing
    def commit(self, lane: Lane, commit: LaneCommit) -> None:
        """Write one step of a lane, whole or not at all. Raises LaneLost where the lane is not ours any more."""
        key = _key(lane)
        keys = [key + name for name in ("lease", "lane", "events", "quarantine", "channels")]
        arguments: list[Any] = [commit.lease, commit.epoch, commit.checkpoint_before, commit.checkpoint, GROUP]
        arguments += (commit.processed, commit.processed_bytes, commit.too_late)
        arguments += (len(commit.acknowledged), *commit.acknowledged)
        arguments += (len(commit.quarantined), *commit.quarantined, len(commit.channels))
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
        answer = self._run("commit", keys, arguments)
        if answer != b"ok":
            raise LaneLost(f"lane {lane}: commit refused ({answer.decode()})")

    @_surfacing
    def report_progress(self, lane: Lane, started_at: int, epoch: str, newest: tuple[int, int]) -> Progress:
        """Write what the gateway judges freshness by: counts, backlog, the source's life. Once a second."""
        key = _key(lane)
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.hgetall(key + "lane")
            pipe.hgetall(_key(Lane(lane.feed, 0)) + "source")
            lane_row, source = pipe.execute()
        oldest = self._oldest_unprocessed(lane, lane_row.get(b"checkpoint", b"0-0"))
        progress = _progress(lane_row, source, self._clock(), started_at, epoch, newest, oldest)
        self._run("note", [key + "progress"], [progress.encoded()])
        return progress

    def _oldest_unprocessed(self, lane: Lane, checkpoint: bytes) -> int:
        found: Any = self._redis.xrange(_key(lane) + "events", min=b"(" + checkpoint, count=1)
        return int(found[0][0].partition(b"-")[0]) if found else 0

    # Gateway -----------------------------------------------------------------------------------

    @_surfacing
    def read_channel(self, ref: ChannelRef) -> StoredChannel:
        """State of a channel with its position, read in one step."""
        base = _key(ref.lane) + "c:" + ref.name
        epoch, seq, times, flat = self._run("read_channel", [_key(ref.lane) + "lane", base, base + ":head"], [])
        cells = {flat[i].decode(): flat[i + 1] for i in range(0, len(flat), 2)}
        position = Position(epoch.decode(), int(seq)) if epoch else None
        return StoredChannel(position, cells, Times.from_json(orjson.loads(times)) if times else None)

    @_surfacing
    def read_heads(self, refs: Sequence[ChannelRef]) -> dict[ChannelRef, StoredChannel]:
        """Where channels stand, without their cells; those whose lane was never opened are left out."""
        if not refs:
            return {}
        with self._redis.pipeline(transaction=False) as pipe:
            for ref in refs:
                pipe.hget(_key(ref.lane) + "lane", "epoch")
                pipe.hmget(_key(ref.lane) + "c:" + ref.name + ":head", ["seq", "times"])
            answers: Any = pipe.execute()
        heads: dict[ChannelRef, StoredChannel] = {}
        for ref, epoch, (seq, times) in zip(refs, answers[::2], answers[1::2], strict=True):
            if epoch:
                stages = Times.from_json(orjson.loads(times)) if times else None
                heads[ref] = StoredChannel(Position(epoch.decode(), int(seq or 0)), {}, stages)
        return heads

    @_surfacing
    def read_deltas(self, after: Mapping[ChannelRef, int], block_ms: int) -> list[StoredDelta]:
        """Deltas of the channels beyond the given seqs; waits up to `block_ms`. Uses the blocking connection."""
        streams: dict[Any, Any] = {}
        refs: dict[bytes, ChannelRef] = {}
        for ref, seq in after.items():
            key = _key(ref.lane) + "c:" + ref.name + ":deltas"
            streams[key], refs[key.encode()] = f"{seq}-0", ref
        if self._waiting_id is None:
            self._waiting_id = self._waiting.client_id()
        block = min(block_ms, int(SOCKET_TIMEOUT_S * 500))
        try:
            found: Any = self._waiting.xread(streams, count=DELTAS_READ_MAX, block=block)
        except (RedisError, OSError):
            self._waiting_id = None
            raise
        return [_delta(refs[name], entry_id, fields) for name, entries in found or () for entry_id, fields in entries]

    @_surfacing
    def read_range(self, ref: ChannelRef, after: int) -> list[StoredDelta]:
        """Deltas beyond a seq that the broker still holds, oldest first."""
        key = _key(ref.lane) + "c:" + ref.name + ":deltas"
        found: Any = self._redis.xrange(key, min=f"{after + 1}-0")
        return [_delta(ref, entry_id, fields) for entry_id, fields in found]

    @_surfacing
    def unblock(self) -> None:
        """Wake a blocked `read_deltas`; harmless where none is blocked."""
        if self._waiting_id is not None:
            self._redis.client_unblock(self._waiting_id)

    @_surfacing
    def lane_progress(self, lanes: Sequence[Lane]) -> dict[Lane, Progress]:
        """What each lane's worker last said; lanes that never had one are left out."""
        if not lanes:
            return {}
        with self._redis.pipeline(transaction=False) as pipe:
            for lane in lanes:
                pipe.get(_key(lane) + "progress")
            answers = pipe.execute()
        return {lane: Progress.decoded(raw) for lane, raw in zip(lanes, answers, strict=True) if raw}

    # Telemetry ---------------------------------------------------------------------------------

    @_surfacing
    def write_telemetry(self, process: str, payload: bytes) -> None:
        """Publish what a process measured; the payload carries its own time."""
        self._run("note", ["hw:telemetry"], [process, payload])

    @_surfacing
    def read_telemetry(self) -> dict[str, bytes]:
        """The last payload of each process."""
        found: Any = self._redis.hgetall("hw:telemetry")
        return {name.decode(): payload for name, payload in found.items()}

    @_surfacing
    def forget_telemetry(self, processes: Sequence[str]) -> None:
        """Drop processes that are gone."""
        if processes:
            self._redis.hdel("hw:telemetry", *processes)


def memory_share(info: Mapping[str, Any]) -> float:
    """Used share of `maxmemory` by `INFO`; 0 where the server has no limit."""
    limit = int(info.get("maxmemory") or 0)
    return int(info["used_memory"]) / limit if limit else 0.0


def _key(lane: Lane) -> str:
    return f"hw:{{{lane}}}:"


def _entries(raw: Any) -> list[Entry]:
    # A deleted pending entry comes as (id, None): it was trimmed, there is nothing left to process.
    return [
        Entry(entry_id.decode(), fields.get(b"events", b""), int(fields.get(b"n", 0)))
        for entry_id, fields in raw
        if fields is not None
    ]


def _delta(ref: ChannelRef, entry_id: bytes, fields: Mapping[bytes, bytes]) -> StoredDelta:
    times = Times.from_json(orjson.loads(fields[b"times"]))
    return StoredDelta(ref, fields[b"epoch"].decode(), int(entry_id.partition(b"-")[0]), fields[b"data"], times)


def _progress(
    lane: Mapping[bytes, bytes],
    source: Mapping[bytes, bytes],
    now: int,
    started_at: int,
    epoch: str,
    newest: tuple[int, int],
    oldest: int,
) -> Progress:
    def number(row: Mapping[bytes, bytes], name: bytes) -> int:
        return int(row.get(name, 0))

    backlog = max(0, number(lane, b"accepted") - number(lane, b"processed"))
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
        backlog=backlog,
        backlog_since=oldest if backlog else 0,
        alive_at=number(source, b"alive_at"),
        error=source.get(b"error", b"").decode(),
        error_at=number(source, b"error_at"),
        rejected=number(source, b"rejected"),
        rejected_at=number(source, b"rejected_at"),
        rejection=source.get(b"rejection", b"").decode(),
    )
