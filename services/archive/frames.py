"""Frames: the archive as pandas DataFrames, the door for analysis. Only who asks for one loads pandas."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from services.archive.reading import Past, Row, channel_past, feed_past
from services.database import Database
from services.declare import ChannelRef, Column, Declarations
from services.positions import wall_clock

if TYPE_CHECKING:
    from pandas import DataFrame

_TYPES: dict[str, Any] = {"text": "string", "number": "float64", "integer": "Int64", "flag": "boolean"}
_MOMENTS = ("at", "created_at", "ingested_at", "window_start", "window_end")

Time = int | str | datetime.datetime
"""Milliseconds since the Unix epoch, ISO 8601 or a datetime with a zone, or how long ago: `90s`, `1h`, `7d`."""
_AGO = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_UNIT_MS = {"s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000}


def read_frame(database: Database, declarations: Declarations, name: str, since: Time, until: Time) -> DataFrame:
    """Everything of a feed or channel from `since` up to and without `until`, oldest first.

    A feed gives its events, a channel the rows of its history; times are in UTC, columns of the declared types.
    `frame.attrs["gaps"]` holds what is known to be missing. Raises KeyError for an unknown name, ValueError for a
    wrong time, DatabaseDown.
    """
    first, last = _milliseconds("since", since), _milliseconds("until", until)
    feed = declarations.feeds.get(name) or declarations.retired_feeds.get(name)
    ref = declarations.resolve_past(name)
    if feed is None and ref is None:
        known = ", ".join(sorted([*declarations.feeds, *declarations.channels]))
        raise KeyError(f"no feed or channel {name!r}; there are {known}")
    with database.reading() as connection:
        if feed is not None:
            return _frame(feed_past(connection, feed, first, last, None), feed.fields)
        assert ref is not None
        return _frame(channel_past(connection, ref, first, last, None), _columns(ref))


def state_frame(ref: ChannelRef, data: Mapping[str, Any]) -> DataFrame:
    """What a channel holds, as a snapshot says it: each row, entry or point, in columns of the declared types."""
    kind, channel = ref.channel.kind, ref.channel
    if kind == "series":
        rows = [{"at": at, "name": name, "value": value} for name, line in data["points"].items() for at, value in line]
        return _typed(rows, ["at", "name", "value"], {})
    grouped = {name: channel.feed.fields[name] for name in channel.by}
    columns = {**grouped, **channel.columns()}
    if kind == "log":
        return _typed(list(data["entries"]), list(columns), columns)
    return _typed([{"key": key, **row} for key, row in data["rows"].items()], ["key", *columns], columns)


def _columns(ref: ChannelRef) -> Mapping[str, Column]:
    """The declared columns of the rows; a series has one value column for all of them."""
    return {} if ref.channel.kind == "series" else ref.channel.columns()


def _milliseconds(name: str, time: Time) -> int:
    if isinstance(time, int):
        return time
    if isinstance(time, str) and (ago := _AGO.fullmatch(time.strip())):
        return wall_clock() - int(float(ago[1]) * _UNIT_MS[ago[2]])
    try:
        moment = datetime.datetime.fromisoformat(time) if isinstance(time, str) else time
    except ValueError:
        raise ValueError(f"{name}: {time!r}: give 1h, 30m or 7d, or a time such as 2026-01-31T12:00:00Z") from None
    if moment.tzinfo is None:
        raise ValueError(f"{name}: {time!r} has no time zone; give one, for example 2026-01-31T12:00:00Z")
    return int(moment.timestamp() * 1000)


def _frame(past: Past, columns: Mapping[str, Column]) -> DataFrame:
    frame = _typed(past.rows, ["at"], columns)
    frame.attrs["gaps"] = list(past.gaps)
    return frame


def _typed(rows: Sequence[Row], first: Sequence[str], columns: Mapping[str, Column]) -> DataFrame:
    import pandas as pd

    frame = pd.DataFrame(list(rows), columns=_names(rows, first, columns))
    for name in frame.columns:
        declared = columns.get(name)
        if name in _MOMENTS or (declared is not None and declared.value_type == "moment"):
            frame[name] = pd.to_datetime(frame[name], unit="ms", utc=True)
        elif declared is not None:
            frame[name] = frame[name].astype(_TYPES[declared.value_type])
    return frame


def _names(rows: Sequence[Row], first: Sequence[str], columns: Mapping[str, Column]) -> list[str]:
    """All names: where there is no row there are the declared columns as well, so that code on top of it holds."""
    found: dict[str, Any] = dict.fromkeys(name for row in rows for name in row)
    return [*first, *(name for name in {**found, **columns} if name not in first)]
