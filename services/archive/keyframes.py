"""Keyframes: which of a channel's states are kept whole, so that a replay need not fold from its beginning.

One where a channel begins or goes on in another epoch, one where deltas are missing, and one for each hour or so in
which something changed. Read from the broker and never folded: what a replay reaches can be held against them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import orjson
from sqlalchemy import func, select

from services.archive.batch import DeltaRow, KeyframeRow
from services.broker import StoredChannel
from services.database import Database
from services.database.tables import archive_channels, archive_deltas, archive_keyframes
from services.declare import ChannelRef, Lane
from services.state import state_of

EVERY_MS = 3_600_000
EVERY_DELTAS = 20_000
"""About a third of a second of folding."""


class Schedule:
    """When the next keyframe of each channel of a lane is due; `last` is when each had its last one."""

    def __init__(self, last: Mapping[str, int]) -> None:
        self._last = dict(last)
        self._since: Counter[str] = Counter()

    def is_due(self, channel: str, more: Sequence[DeltaRow]) -> bool:
        """Whether the channel's next deltas ask for one."""
        passed_ms = more[-1].at - self._last.get(channel, more[0].at)
        return passed_ms >= EVERY_MS or self._since[channel] + len(more) >= EVERY_DELTAS

    def note(self, deltas: Sequence[DeltaRow], keyframes: Sequence[KeyframeRow]) -> None:
        """These were written. A channel that has none yet counts from its first delta."""
        self._since.update(delta.channel for delta in deltas)
        for delta in deltas:
            self._last.setdefault(delta.channel, delta.at)
        for frame in keyframes:
            self._last[frame.channel] = max(frame.at, self._last.get(frame.channel, 0))
            self._since[frame.channel] = 0


def read_last(database: Database, lane: Lane) -> dict[str, int]:
    """When each archived channel of a lane had its last keyframe, or else its first delta. Raises DatabaseDown."""
    channels, deltas, frames = archive_channels.c, archive_deltas.c, archive_keyframes.c
    newest = select(func.max(frames.at)).where(frames.channel == channels.channel).scalar_subquery()
    oldest = select(func.min(deltas.at)).where(deltas.channel == channels.channel).scalar_subquery()
    with database.reading() as connection:
        found = connection.execute(
            select(channels.channel, func.coalesce(newest, oldest)).where(
                channels.feed == lane.feed, channels.lane == lane.number
            )
        )
        return {name: at for name, at in found if at is not None}


def beginning(ref: ChannelRef, first: DeltaRow) -> KeyframeRow:
    """The empty state before a channel's first delta."""
    return _row(ref, first.epoch, 0, first.at, state_of(ref.channel.kind, ref.channel.keep).data())


def keyframe(ref: ChannelRef, stored: StoredChannel, at: int) -> KeyframeRow:
    """What the broker holds of a channel, committed at that time; it stands at a position."""
    assert stored.position is not None
    state = state_of(ref.channel.kind, ref.channel.keep)
    state.load(stored.cells)
    return _row(ref, stored.position.epoch, stored.position.seq, at, state.data())


def _row(ref: ChannelRef, epoch: str, seq: int, at: int, data: object) -> KeyframeRow:
    kind, keep = ref.channel.kind, orjson.dumps(ref.channel.keep.as_json()).decode()
    return KeyframeRow(ref.name, epoch, seq, at, kind, keep, orjson.dumps(data).decode())
