"""Caps: how much of the broker's memory each use of it may take, derived from its `maxmemory`.

Twenty-five megabytes must do as well as gigabytes: every cap is a share, up to what it is never worth more. What
channels hold when they are full is declared, and estimated here, so that what cannot fit is refused before it starts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.declare import Channel, Declarations

IDS_WINDOW = 200_000
SHEETS_HELD = 20_000
"""Sheets that the broker holds while the database is away: about a day of ten processes. Then the oldest go."""
QUARANTINED_HELD = 10_000
BACKLOG_LIMIT_BYTES = 64 * 1024 * 1024
STREAM_LIMIT_BYTES = 96 * 1024 * 1024
"""How large a lane's stream may grow for a group that lags: above the backlog's own cap, which ingest keeps."""
DELTAS_LIMIT_BYTES = 4 * 1024 * 1024
SHORT_OF_MEMORY = 0.65
"""Share of the broker's memory from which on lagging groups have to give way: well below where ingest stops."""

BACKLOG_SHARE, STREAM_SHARE, DELTAS_SHARE = 1 / 4, 3 / 8, 1 / 64
"""Of a lane, of a lane, of a channel."""
IDS_SHARE, SHEETS_SHARE, QUARANTINE_SHARE = 1 / 4, 1 / 20, 1 / 20
"""Of all lanes together, of all processes, of all lanes together."""
STATE_SHARE = 0.5
"""What all channels may need when they are full: the rest of what ingest may fill is for events, ids and deltas."""
ID_BYTES, SHEET_BYTES, QUARANTINED_BYTES = 80, 2_048, 1_024
"""What one takes in the broker, about; ids are often UUIDs."""
ROW_BYTES, POINT_BYTES = 90, 90
"""What a row costs beside its values, and one value at one moment, each a cell of a hash."""
VALUE_BYTES = {"text": 22, "number": 14, "integer": 12, "flag": 12, "moment": 20}
"""A value in a row, with its field's name."""
MB = 1024 * 1024


class BrokerTooSmall(Exception):
    """What is declared cannot fit into the broker's memory; the text has the sizes and the remedy."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Each in what its name says: of one lane, of one channel (`deltas_bytes`), of all processes (`sheets`)."""

    backlog_bytes: int
    stream_bytes: int
    deltas_bytes: int
    ids: int
    quarantined: int
    sheets: int


def caps_of(memory: int, lanes: int, memory_share: float = 0.0) -> Caps:
    """What fits into `memory` bytes (0: no limit) where `lanes` share it and `memory_share` of it is in use."""
    if not memory:
        memory, lanes = 2**50, 1
    short = 8 if memory_share >= SHORT_OF_MEMORY else 1
    return Caps(
        backlog_bytes=min(BACKLOG_LIMIT_BYTES, int(memory * BACKLOG_SHARE)),
        stream_bytes=min(STREAM_LIMIT_BYTES, int(memory * STREAM_SHARE)),
        deltas_bytes=min(DELTAS_LIMIT_BYTES, int(memory * DELTAS_SHARE)) // short,
        ids=min(IDS_WINDOW, int(memory * IDS_SHARE / lanes / ID_BYTES)),
        quarantined=min(QUARANTINED_HELD, max(100, int(memory * QUARANTINE_SHARE / lanes / QUARANTINED_BYTES))),
        sheets=min(SHEETS_HELD, max(100, int(memory * SHEETS_SHARE / SHEET_BYTES))),
    )


def require_room(declarations: Declarations, memory: int) -> None:
    """Raise BrokerTooSmall where the declared channels, once full, cannot fit into `memory` bytes (0: no limit)."""
    sizes = sorted(((full_bytes(channel), channel.name) for channel in declarations.channels.values()), reverse=True)
    needed = sum(size for size, _ in sizes)
    if not memory or needed <= memory * STATE_SHARE:
        return
    largest = ", ".join(f"{name} {_mb(size)}" for size, name in sizes[:3])
    raise BrokerTooSmall(
        f"broker: the declared channels need {_mb(needed)} when they are full, and {STATE_SHARE:.0%} of maxmemory "
        f"({_mb(memory)}) is {_mb(memory * STATE_SHARE)}; the largest are {largest}: lower their rows_max, points_max, "
        f"span_s or entries_max, or raise maxmemory to {_mb(needed / STATE_SHARE + MB)}"
    )


def full_bytes(channel: type[Channel]) -> int:
    """What a channel takes when it is full, about. Of parts and of groups, whose number nobody declares, one counts."""
    keep = channel.keep
    if keep.points_max is not None:
        step_s = channel.window_s or channel.feed.freshness.expected_every_s
        points = min(keep.points_max, int((keep.span_ms or 0) / 1_000 / step_s) + 1)
        return points * POINT_BYTES * len(channel.aggregates)
    rows = keep.entries_max or keep.rows_max or 0
    if channel.aggregates and not channel.by:
        rows = 1
    return rows * (ROW_BYTES + sum(_value_bytes(channel)))


def _value_bytes(channel: type[Channel]) -> Iterator[int]:
    """Of a row's values. A field that may be left out counts half: a feed of several kinds leaves most out."""
    if channel.aggregates:
        yield from (VALUE_BYTES["number"] for _ in channel.aggregates)
        return
    for field in channel.feed.fields.values():
        size = VALUE_BYTES[field.value_type]
        yield size if field.required else size // 2


def _mb(size: float) -> str:
    return f"{size / MB:.1f} MB"
