"""Aggregating: one stretch of a feed's events, grouped and aggregated by the database itself.

The events lie in the archive as JSON, which SQLite and PostgreSQL both read where they are: what leaves the database is
one row for each window and group. For quantiles it is one for each value too, rounded to three digits.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args

from sqlalchemy import BigInteger, Boolean, ColumnElement, Connection, Integer, Text, case, cast, func, select
from sqlalchemy.dialects.postgresql import DOUBLE_PRECISION, JSON

from services.database.tables import archive_events
from services.declare import Condition, FeedSpec, Field

Function = Literal["count", "rate", "sum", "mean", "min", "max", "quantile"]
FUNCTIONS: tuple[Function, ...] = get_args(Function)
OF_A_FIELD = ("sum", "mean", "min", "max", "quantile")
CELLS_MAX = 20_000
"""Rows that one stretch may come to; more are of a field with too many values."""


class TooMany(Exception):
    """The events fall into more groups or values than one can hold."""


@dataclass(frozen=True, slots=True)
class Aggregation:
    """What is computed of which events: those of a feed that pass every condition.

    `field` is None for count and rate, `by` where all events are one group; `q` is a quantile's rank, 0 to 1.
    """

    feed: FeedSpec
    function: Function
    field: Field | None = None
    q: float = 0.5
    by: Field | None = None
    conditions: tuple[Condition, ...] = ()


class Cell(NamedTuple):
    """The events of one window and group. `known` have a value: `total`, `least` and `most` are of those.

    Of a quantile there is a cell for each value, which is `least` and `most`.
    """

    window: int
    group: str | None
    events: int
    known: int
    total: float
    least: float | None
    most: float | None


def aggregate(
    connection: Connection, asked: Aggregation, origin: int, step_ms: int, since: int, until: int
) -> Sequence[Cell]:
    """The cells of the events that were created from `since` up to, but without, `until`.

    Windows are `step_ms` long and numbered from `origin` on. Raises TooMany.
    """
    is_sqlite, events = connection.dialect.name == "sqlite", archive_events.c
    keys: list[Any] = [cast((events.created_at - origin) // step_ms, BigInteger).label("cell_window")]
    if asked.by is not None:
        keys.append(_text(asked.by, is_sqlite).label("cell_group"))
    number = None if asked.field is None else _number(asked.field, is_sqlite)
    if number is not None and asked.function == "quantile":
        keys.append(_rounded(number, is_sqlite).label("cell_value"))
    sums = [] if number is None else [func.count(number), func.sum(number), func.min(number), func.max(number)]
    wanted = (
        select(*keys, func.count(), *sums)
        .where(
            events.feed == asked.feed.name,
            events.created_at >= since,
            events.created_at < until,
            *(_passes(asked.feed, condition, is_sqlite) for condition in asked.conditions),
        )
        .group_by(*(key.name for key in keys))
        .limit(CELLS_MAX + 1)
    )
    found = connection.execute(wanted).all()
    if len(found) > CELLS_MAX:
        raise TooMany
    return [_cell(asked, row) for row in found]


def first_event(connection: Connection, feed: FeedSpec) -> int | None:
    """When the oldest event that is kept was created; None where none is."""
    events = archive_events.c
    found: int | None = connection.execute(select(func.min(events.created_at)).where(events.feed == feed.name)).scalar()
    return found


def newest_event(connection: Connection, feed: FeedSpec) -> int | None:
    """When the newest event that is kept was created; None where none is."""
    events = archive_events.c
    found: int | None = connection.execute(select(func.max(events.created_at)).where(events.feed == feed.name)).scalar()
    return found


def _cell(asked: Aggregation, row: Sequence[Any]) -> Cell:
    window, *rest = row
    group = None if asked.by is None else _group(asked.by, rest.pop(0))
    rounded = rest.pop(0) if asked.function == "quantile" else None
    events, known, total, least, most = [*rest, 0, 0.0, None, None][:5]
    if asked.function == "quantile":
        least = most = None if rounded is None else float(rounded)
    return Cell(int(window), group, events, known, total or 0.0, least, most)


def _group(by: Field, value: Any) -> str | None:
    if value is None or by.value_type != "flag":
        return None if value is None else str(value)
    return "yes" if value in ("1", "true") else "no"


def _raw(field: str, is_sqlite: bool) -> ColumnElement[Any]:
    """A field of an event: in SQLite of its JSON type, in PostgreSQL as a text; NULL where it is missing."""
    body = archive_events.c.body
    return func.json_extract(body, f'$."{field}"') if is_sqlite else cast(body, JSON)[field].astext


def _number(field: Field, is_sqlite: bool) -> ColumnElement[Any]:
    raw = _raw(field.name, is_sqlite)
    if is_sqlite:
        return raw  # a flag is 1 or 0 there
    return cast(cast(raw, Boolean), Integer) if field.value_type == "flag" else cast(raw, DOUBLE_PRECISION)


def _text(field: Field, is_sqlite: bool) -> ColumnElement[Any]:
    return cast(_raw(field.name, is_sqlite), Text)


def _rounded(number: ColumnElement[Any], is_sqlite: bool) -> ColumnElement[Any]:
    """To three significant digits: at most half a percent from the value, and few enough of them to be counted."""
    if is_sqlite:
        return case((number.is_(None), None), else_=func.printf("%.2e", number))
    return func.to_char(number, "9.99EEEE")


def _passes(feed: FeedSpec, condition: Condition, is_sqlite: bool) -> ColumnElement[bool]:
    """A condition, with those that it is joined to; what is missing never passes."""
    field, given = feed.fields[condition.field], condition.value
    of_texts = field.value_type == "text"
    own: ColumnElement[bool]
    found = _text(field, is_sqlite) if of_texts else _number(field, is_sqlite)
    match condition.operator:
        case "equals":
            own = found == _given(given)
        case "one_of":
            own = found.in_([_given(one) for one in given])
        case "at_least":
            own = found >= _given(given)
        case "below":
            own = found < _given(given)
        case "present":
            own = found.is_not(None)
    for other in condition.also:
        own &= _passes(feed, other, is_sqlite)
    return own


def _given(value: Any) -> Any:
    return int(value) if isinstance(value, bool) else value
