"""What the broker holds and is given, as nouns: channels, deltas, entries, commits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.declare import ChannelRef, Lane
from services.positions import Position, Times


@dataclass(frozen=True, slots=True)
class StoredChannel:
    """A channel as the broker holds it; `position` is None where its lane was never opened."""

    position: Position | None
    cells: dict[str, bytes]
    times: Times | None


@dataclass(frozen=True, slots=True)
class StoredDelta:
    """One delta as committed: it leads from `seq - 1` to `seq`; `data` is JSON.

    `upto` is the newest entry of the lane's stream that was processed by then; '' where an older release committed it.
    """

    ref: ChannelRef
    epoch: str
    seq: int
    data: bytes
    times: Times
    upto: str = ""


MEMORY = "(enrichment)"
"""The name under which the memory of a feed's enrichment lies among its channels; no channel can be called so."""
REPLAY, FORGET = "replay", "forget"
"""Marks of our own: events out of quarantine that are folded once more, and a request to forget a key."""


@dataclass(frozen=True, slots=True)
class Quarantined:
    """Something that no channel could fold: an event, or the text of a whole entry; why, and since when.

    `of` are the hashes of its events' keys, where those are personal.
    """

    lane: Lane
    id: str
    event: Any
    why: str
    at: int
    of: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry of a lane's stream: its id, events of one request as a JSON array, and their number.

    One with a `mark` holds nobody's events: no channel folds them, no archive keeps them, and `count` is 0.
    """

    id: str
    events: bytes
    count: int
    mark: str = ""


def entries_of(raw: Any) -> list[Entry]:
    """Entries as a stream gives them."""
    return [_entry(entry_id.decode(), fields) for entry_id, fields in raw]


def _entry(entry_id: str, fields: Mapping[bytes, bytes]) -> Entry:
    mark = fields.get(b"mark", b"").decode()
    return Entry(entry_id, fields.get(b"events", b""), 0 if mark else int(fields.get(b"n", 0)), mark)


@dataclass(frozen=True, slots=True)
class Leader:
    """Who leads a lane: the worker, for the how manieth time somebody took it, and for how long it may be silent yet.

    `left_ms` is 0 where the lease ran out: the lane is still this worker's until another takes it.
    """

    worker: str
    token: int
    left_ms: int


@dataclass(frozen=True, slots=True)
class ArchiveStanding:
    """A lane as the archive finds it: `shed` events were dropped in all, `acknowledged` is the archive's last word."""

    epoch: str
    shed: int
    acknowledged: str


@dataclass(frozen=True, slots=True)
class OpenLane:
    """A lane as its new writer finds it; `last` is the newest entry on its stream."""

    epoch: str
    checkpoint: str
    started_at: int
    last: str


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
    """One atomic step of a lane. `fresh_epoch` begins where a delta could not tell what changed; `gone` are channels
    that are no more.
    """

    lease: str
    epoch: str
    checkpoint_before: str
    checkpoint: str
    processed: int
    processed_bytes: int
    too_late: int
    quarantined: Sequence[bytes]
    channels: Sequence[ChannelCommit]
    fresh_epoch: str = ""
    gone: Sequence[str] = ()
    filtered: int = 0
