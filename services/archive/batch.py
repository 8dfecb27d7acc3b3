"""Batch: what one round of the archive adds, and how far it then stands; nouns only."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from services.declare import Kind, Lane

Reason = Literal["shed", "unreadable", "broker_lost", "deltas_trimmed"]
"""Why something is missing: dropped for memory before it was read; not JSON; accepted by a broker that came back
without its data; deltas that the broker keeps for two minutes only, while nobody archived."""


@dataclass(frozen=True, slots=True)
class LaneCursor:
    """How far a lane is archived. `version` is raised by each write; `entry` is the stream's id."""

    version: int
    epoch: str
    entry: str
    shed: int


@dataclass(frozen=True, slots=True)
class ChannelCursor:
    """How far a channel is archived: its position, and when that was committed."""

    epoch: str
    seq: int
    at: int


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event as it is kept; its key is its place on the stream."""

    entry_at: int
    entry_no: int
    number: int
    id: str
    created_at: int
    ingested_at: int
    body: str


@dataclass(frozen=True, slots=True)
class DeltaRow:
    """A delta as it is kept, or a snapshot (`whole`)."""

    channel: str
    epoch: str
    seq: int
    whole: bool
    at: int
    data: str


@dataclass(frozen=True, slots=True)
class KeyframeRow:
    """A channel's whole state at a position, with what tells how deltas are folded onto it."""

    channel: str
    epoch: str
    seq: int
    at: int
    kind: Kind
    keep: str
    data: str


@dataclass(frozen=True, slots=True)
class Gap:
    """What is missing between two times; `channel` is '' where it is events, `events` 0 where nobody knows.

    `since` 0 is from the archive's beginning.
    """

    feed: str
    channel: str
    since: int
    until: int
    events: int
    reason: Reason


@dataclass(frozen=True, slots=True)
class Batch:
    """What one round adds to one lane. `said` is the archive's last word to the broker, `counted` the events that
    lie between that and the new position."""

    lane: Lane
    before: LaneCursor
    after: LaneCursor
    events: Sequence[EventRow]
    deltas: Sequence[DeltaRow]
    keyframes: Sequence[KeyframeRow]
    channels: dict[str, ChannelCursor]
    gaps: Sequence[Gap]
    said: str
    counted: int
    full: bool

    @property
    def changes(self) -> bool:
        """Whether there is anything to write."""
        moved = (self.before.epoch, self.before.entry, self.before.shed) != (
            self.after.epoch,
            self.after.entry,
            self.after.shed,
        )
        return bool(moved or self.events or self.deltas or self.channels or self.gaps)


def entry_parts(entry: str) -> tuple[int, int]:
    """A stream id as two numbers: when the entry was accepted, by the broker's clock, and its number in that time."""
    at, _, number = entry.partition("-")
    return int(at), int(number or 0)
