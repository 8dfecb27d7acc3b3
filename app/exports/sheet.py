"""Sheet: what an exported file holds: typed columns, and the stamp that stands in each row of it.

The stamp is in columns, not in a head above them: it stays with the rows when they are copied, sorted or joined, and
every reader of CSV or Parquet finds it without being told.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

from components.block import columns_of
from components.freshness import source_in_words
from services.declare import Channel, ChannelRef, FieldType

Row = Mapping[str, Any]
Shown = Literal["live", "paused", "replay", "archive"]

WINDOW_COLUMNS: dict[str, FieldType] = {"window_start": "moment", "window_end": "moment"}
STAMP: dict[str, FieldType] = {
    "stamp_channel": "text", "stamp_epoch": "text", "stamp_seq": "integer", "stamp_event_age_ms": "integer",
    "stamp_exported_at": "moment", "stamp_shown": "text", "stamp_shown_at": "moment", "stamp_source": "text",
}


@dataclass(frozen=True, slots=True)
class Stamp:
    """Of which channel, at which position, how old its newest event was and when that was written down.

    `shown` says how the rows stood before whoever took them: live, paused, in a replay, or from the archive, and
    `shown_at` of which time they are then: None is that of the export. Position and age are None where the channel
    never had an event. Times are milliseconds since the Unix epoch.
    """

    channel: str
    epoch: str | None
    seq: int | None
    event_age_ms: int | None
    exported_at: int
    source: str
    shown: Shown = "live"
    shown_at: int | None = None

    @classmethod
    def of(
        cls, ref: ChannelRef, epoch: str | None, seq: int | None, event_at: int | None, exported_at: int,
        shown: Shown = "live", shown_at: int | None = None,
    ) -> Stamp:
        age = None if event_at is None else max(0, exported_at - event_at)
        return cls(ref.name, epoch, seq, age, exported_at, source_in_words(ref.channel), shown, shown_at)

    def as_row(self) -> dict[str, Any]:
        told = {name: getattr(self, name.removeprefix("stamp_")) for name in STAMP}
        return told if self.shown_at is not None else {**told, "stamp_shown_at": self.exported_at}


@dataclass(frozen=True, slots=True)
class Sheet:
    """The columns of a file, the stamp of its rows, and what else is said of them: name and text."""

    columns: Mapping[str, FieldType]
    stamp: Stamp
    about: Mapping[str, str] = field(default_factory=dict)

    @property
    def all_columns(self) -> dict[str, FieldType]:
        return {**self.columns, **STAMP}

    def stamped(self, rows: Iterable[Row]) -> Iterator[Row]:
        mark = self.stamp.as_row()
        return ({**row, **mark} for row in rows)


def now_columns(channel: type[Channel]) -> dict[str, FieldType]:
    """The columns of a channel's present rows, points or entries."""
    if channel.kind == "series":
        return {"at": "moment", "name": "text", "value": "number"}
    first: dict[str, FieldType] = {"key": "text"} if channel.kind == "latest" else {"id": "text"}
    windows = WINDOW_COLUMNS if channel.aggregates and channel.window_s is not None else {}
    own = {name: kind_of(channel, name) for name in columns_of(channel)}
    return {**first, **own, **windows, "created_at": "moment"}


def past_columns(channel: type[Channel]) -> dict[str, FieldType]:
    """The columns of a channel's history: when each row was committed, and of a latest channel whether it left."""
    now = now_columns(channel)
    return {"at": "moment", **now, **({"deleted": "flag"} if channel.kind == "latest" else {})}


def kind_of(channel: type[Channel], name: str) -> FieldType:
    """The type of a column's values: of an aggregate that picks one, its field's."""
    column = columns_of(channel)[name]
    picked = getattr(column, "field", None)
    if picked is not None and getattr(column, "function", "") in ("value", "min", "max"):
        kind: FieldType = picked.value_type
        return kind
    return column.value_type


def rows_of(kind: str, data: Mapping[str, Any]) -> list[Row]:
    """A snapshot's data as rows."""
    if kind == "latest":
        return [{"key": key, **row} for key, row in data["rows"].items()]
    if kind == "log":
        return list(data["entries"])
    points = data["points"]
    return [{"at": at, "name": name, "value": value} for name in points for at, value in points[name]]


def iso(at: int) -> str:
    """A time for a reader of CSV: ISO 8601 in UTC, to the millisecond."""
    return datetime.fromtimestamp(at / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def file_name(stamp: Stamp, ending: str, interval: Sequence[int] = ()) -> str:
    """`flights.board-EWR-at-20260131T120000Z.csv`: the channel, and the time or interval of what is in it."""
    times = "-".join(datetime.fromtimestamp(at / 1000, UTC).strftime("%Y%m%dT%H%M%SZ") for at in interval)
    moment = times or "at-" + datetime.fromtimestamp(stamp.exported_at / 1000, UTC).strftime("%Y%m%dT%H%M%SZ")
    channel = "".join(letter if letter.isalnum() or letter in "._" else "-" for letter in stamp.channel)
    return f"{channel}-{moment}.{ending}"
