"""Recording: what a channel's viewers were shown over an interval, frame by frame, as the archive holds it.

The state before the interval, then every delta with its commit's time: folded from the last keyframe on, by the rules
of state alone. No reducer has a say, so that a channel that is declared otherwise today still shows what it showed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import orjson
from sqlalchemy import Connection, Row, func, select

from services.archive.reading import Row as Gap
from services.archive.reading import gaps_past
from services.broker import StoredDelta
from services.database.tables import archive_channels, archive_deltas, archive_keyframes
from services.declare import ChannelRef, Keep, Kind
from services.positions import Position
from services.state import Data, State, state_of

FRAMES_MAX = 4_000
BYTES_MAX = 2 * 1024 * 1024
"""One answer holds about so many frames, and so much of their data."""
EPOCHS_MAX = 8
"""So many epochs are gone back through to find a state."""
_KINDS: dict[str, Kind] = {"rows": "latest", "set": "latest", "del": "latest", "points": "series", "entries": "log"}

How = Literal["recorded", "recomputed", "none"]
Frame = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Recording:
    """Frames as the protocol has them, the state before the interval first, in order of their commits.

    `how` they came about; `complete_until` is how far they reach; `gaps` what is known to be missing.
    """

    how: How
    frames: Sequence[Frame]
    gaps: Sequence[Gap]
    complete_until: int


class _Row(NamedTuple):
    epoch: str
    seq: int
    whole: bool
    at: int
    data: str


@dataclass(slots=True)
class _Shown:
    """A channel's state at a position; None where it is not known."""

    state: State | None
    kind: Kind
    keep: Keep
    epoch: str
    seq: int
    at: int


def read_recorded(
    connection: Connection, ref: ChannelRef, since: int, until: int, after: Position | None = None, *,
    head: Position | None = None, frames_max: int = FRAMES_MAX, bytes_max: int = BYTES_MAX,
) -> Recording:  # fmt: skip
    """The frames from `since` up to, but without, `until`.

    `after`: the state at that position is known already, and left out where the frames follow it. `head`: where the
    channel stands; what is not archived of that yet is not answered for.
    """
    until = max(since, min(until, _archived_until(connection, ref, head) or until))
    rows, reached = _bounded(connection, ref, since, until, frames_max, bytes_max)
    gaps = gaps_past(connection, ref.channel.feed.name, since, reached, ref.name)
    if after is not None and _follows(after, rows):
        return Recording("recorded", [_delta(ref, row) for row in rows], gaps, reached)
    shown = _state_before(connection, ref, since)
    frames = [_snapshot(ref, shown)]
    for row in rows:
        before = (shown.epoch, shown.state is None)
        if not _fold(connection, ref, shown, row):
            continue
        whole = row.whole or before != (shown.epoch, False)
        frames.append(_snapshot(ref, shown) if whole else _delta(ref, row))
    return Recording("recorded", frames, gaps, reached)


def recorded_from(connection: Connection, ref: ChannelRef) -> int | None:
    """Since when it is known what a channel showed; None where nothing is."""
    deltas, frames = archive_deltas.c, archive_keyframes.c
    first = select(func.min(deltas.at)).where(deltas.channel == ref.name)
    whole = select(func.min(frames.at)).where(frames.channel == ref.name)
    return min(filter(None, (connection.execute(first).scalar(), connection.execute(whole).scalar())), default=None)


def state_at(
    connection: Connection, ref: ChannelRef, position: Position, later: Callable[[int], Sequence[StoredDelta]]
) -> Data | None:
    """What a channel was at a position, as a snapshot has it; None where that is not known any more.

    `later(seq)` are the deltas beyond a seq that the broker still holds: it has what is not archived yet.
    """
    table = archive_channels.c
    kept = connection.execute(select(table.epoch, table.seq).where(table.channel == ref.name)).one_or_none()
    archived = kept.seq if kept is not None and kept.epoch == position.epoch else 0
    shown = _state_at(connection, ref, position.epoch, min(archived, position.seq), EPOCHS_MAX)
    if shown is None or shown.state is None:
        return None
    for delta in later(shown.seq) if shown.seq < position.seq else ():
        if delta.epoch != position.epoch or delta.seq != shown.seq + 1:
            return None
        shown.state.apply(orjson.loads(delta.data))
        shown.seq = delta.seq
        if shown.seq == position.seq:
            break
    return shown.state.data() if shown.seq == position.seq else None


def _archived_until(connection: Connection, ref: ChannelRef, head: Position | None) -> int | None:
    """Up to, but without, when all is archived that was committed; None where that is all there is."""
    table = archive_channels.c
    stands = select(table.epoch, table.seq, table.at).where(table.channel == ref.name)
    kept = connection.execute(stands).one_or_none()
    if head is None or kept is None or head.seq == 0:
        return None
    # the archive's place moves with the epoch, also where a channel is quiet: an equal seq of another one says nothing
    return None if kept.epoch == head.epoch and kept.seq >= head.seq else kept.at + 1


def _bounded(
    connection: Connection, ref: ChannelRef, since: int, until: int, frames_max: int, bytes_max: int
) -> tuple[list[_Row], int]:
    """Rows of the interval, none of a moment of which others are left out, and how far they reach."""
    rows: list[_Row] = []
    size = 0
    for row in _rows(connection, ref, since, until):
        if (len(rows) >= frames_max or size >= bytes_max) and row.at > rows[-1].at:
            return rows, row.at
        rows.append(row)
        size += len(row.data)
    return rows, until


def _rows(connection: Connection, ref: ChannelRef, since: int, until: int) -> Iterator[_Row]:
    table = archive_deltas.c
    wanted = (
        select(table.epoch, table.seq, table.whole, table.at, table.data)
        .where(table.channel == ref.name, table.at >= since, table.at < until)
        .order_by(table.at, table.seq, table.whole)
    )
    with connection.execute(wanted, execution_options={"yield_per": 500}) as found:
        yield from (_Row(*row) for row in found)


def _follows(after: Position, rows: Sequence[_Row]) -> bool:
    """Whether deltas follow a position one by one; a snapshot between them needs the state before it."""
    expected = range(after.seq + 1, after.seq + 1 + len(rows))
    return all(
        row.epoch == after.epoch and row.seq == seq and not row.whole for row, seq in zip(rows, expected, strict=True)
    )


# The state at a time --------------------------------------------------------------------------------


def _state_before(connection: Connection, ref: ChannelRef, time: int) -> _Shown:
    """What a channel showed just before a time."""
    table = archive_keyframes.c
    last = connection.execute(
        select(archive_keyframes)
        .where(table.channel == ref.name, table.at < time)
        .order_by(table.at.desc(), table.seq.desc())
        .limit(1)
    ).one_or_none()
    shown = _nothing(ref) if last is None else _loaded(last)
    for row in _rows(connection, ref, 0 if last is None else last.at, time):
        _fold(connection, ref, shown, row)
    return shown


def _nothing(ref: ChannelRef) -> _Shown:
    kind, keep = ref.channel.kind, ref.channel.keep
    return _Shown(state_of(kind, keep), kind, keep, "", 0, 0)


def _loaded(frame: Row[Any]) -> _Shown:
    keep = Keep(**orjson.loads(frame.keep))
    return _Shown(
        _state(frame.kind, keep, orjson.loads(frame.data)), frame.kind, keep, frame.epoch, frame.seq, frame.at
    )


def _state(kind: Kind, keep: Keep, data: Data) -> State:
    """A state from the data of a snapshot."""
    state = state_of(kind, keep)
    state.apply({"set": data["rows"]} if kind == "latest" else data)
    return state


def _fold(connection: Connection, ref: ChannelRef, shown: _Shown, row: _Row) -> bool:
    """Bring a state forward by what was archived next; False where that changes nothing, or cannot be shown."""
    data = orjson.loads(row.data)
    if row.epoch == shown.epoch and row.seq <= shown.seq and shown.state is not None:
        return False
    if row.whole:
        _turn_to(shown, _whole(ref, row, data))
        return True
    if row.epoch != shown.epoch:
        _turn_to(shown, _carried_over(connection, ref, shown, row))
    if shown.state is None or row.seq != shown.seq + 1:
        shown.state, shown.epoch, shown.seq, shown.at = None, row.epoch, row.seq, row.at
        if (frame := _keyframe(connection, ref, row.epoch, row.seq)) is None:
            return False
        _turn_to(shown, _loaded(frame))
        return True
    shown.state.apply(data)
    shown.seq, shown.at = row.seq, row.at
    return True


def _carried_over(connection: Connection, ref: ChannelRef, shown: _Shown, first: _Row) -> _Shown:
    """With what a channel began in the epoch of this delta: anew, or with what it was at the position before it."""
    if first.seq == 1:
        frame = _keyframe(connection, ref, first.epoch, 0)
        begun = _Shown(None, *_declared(ref, first), first.epoch, 0, first.at) if frame is None else _loaded(frame)
        begun.state = begun.state or state_of(begun.kind, begun.keep)
        return begun
    known = shown.state is not None and shown.epoch != ""
    if known and first.seq == shown.seq + 1:
        return _Shown(shown.state, shown.kind, shown.keep, first.epoch, shown.seq, first.at)
    # the former epoch's last positions were lost with its broker: back to where this one went on
    lost = known and first.seq <= shown.seq
    found = _state_at(connection, ref, shown.epoch, first.seq - 1, EPOCHS_MAX) if lost else None
    if found is None:
        return _Shown(None, shown.kind, shown.keep, first.epoch, first.seq - 1, first.at)
    return _Shown(found.state, found.kind, found.keep, first.epoch, first.seq - 1, first.at)


def _state_at(connection: Connection, ref: ChannelRef, epoch: str, seq: int, epochs: int) -> _Shown | None:
    """What a channel was at a position; None where that cannot be told."""
    frames, table = archive_keyframes.c, archive_deltas.c
    last = connection.execute(
        select(archive_keyframes)
        .where(frames.channel == ref.name, frames.epoch == epoch, frames.seq <= seq)
        .order_by(frames.seq.desc())
        .limit(1)
    ).one_or_none()
    after = -1 if last is None else last.seq
    wanted = select(table.epoch, table.seq, table.whole, table.at, table.data).where(
        table.channel == ref.name, table.epoch == epoch, table.seq > after, table.seq <= seq
    )
    rows = [_Row(*row) for row in connection.execute(wanted.order_by(table.seq, table.whole))]
    if last is not None:
        shown = _loaded(last)
    elif rows and rows[0].seq > 1 and epochs > 0:
        before = _epoch_before(connection, ref, rows[0])
        found = None if before is None else _state_at(connection, ref, before, rows[0].seq - 1, epochs - 1)
        if found is None:
            return None
        shown = _Shown(found.state, found.kind, found.keep, epoch, found.seq, found.at)
    else:
        shown = _nothing(ref)
        shown.epoch = epoch
    for row in rows:
        _fold(connection, ref, shown, row)
    return shown if shown.state is not None and shown.seq == seq else None


def _epoch_before(connection: Connection, ref: ChannelRef, first: _Row) -> str | None:
    table = archive_deltas.c
    found: str | None = connection.execute(
        select(table.epoch)
        .where(table.channel == ref.name, table.epoch != first.epoch, table.at <= first.at)
        .order_by(table.at.desc())
        .limit(1)
    ).scalar()
    return found


def _keyframe(connection: Connection, ref: ChannelRef, epoch: str, seq: int) -> Row[Any] | None:
    table = archive_keyframes.c
    return connection.execute(
        select(archive_keyframes).where(table.channel == ref.name, table.epoch == epoch, table.seq == seq)
    ).one_or_none()


def _whole(ref: ChannelRef, row: _Row, data: Data) -> _Shown:
    kind, keep = _declared(ref, row)
    return _Shown(_state(kind, keep, data), kind, keep, row.epoch, row.seq, row.at)


def _declared(ref: ChannelRef, row: _Row) -> tuple[Kind, Keep]:
    """The kind that the data shows, and by what it is trimmed: as declared today where that is of the same kind."""
    kind = next((_KINDS[name] for name in orjson.loads(row.data) if name in _KINDS), ref.channel.kind)
    return kind, ref.channel.keep if kind == ref.channel.kind else Keep()


def _turn_to(shown: _Shown, other: _Shown) -> None:
    shown.state, shown.kind, shown.keep = other.state, other.kind, other.keep
    shown.epoch, shown.seq, shown.at = other.epoch, other.seq, other.at


# Frames ----------------------------------------------------------------------------------------------


def _snapshot(ref: ChannelRef, shown: _Shown) -> Frame:
    """A snapshot frame; `known` is False where what the channel showed then cannot be told."""
    state = shown.state or state_of(shown.kind, shown.keep)
    return {
        "op": "snapshot", "channel": ref.name, "kind": shown.kind, "epoch": shown.epoch, "seq": shown.seq,
        "keep": shown.keep.as_json(), "data": orjson.Fragment(orjson.dumps(state.data())),
        "times": {"processed": shown.at}, "known": shown.state is not None,
    }  # fmt: skip


def _delta(ref: ChannelRef, row: _Row) -> Frame:
    return {
        "op": "delta", "channel": ref.name, "epoch": row.epoch, "after": row.seq - 1, "seq": row.seq,
        "data": orjson.Fragment(row.data), "times": {"processed": row.at},
    }  # fmt: skip
