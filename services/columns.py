"""Columns: records of one request that are plainly right, checked by the column instead of one by one.

What passes here would pass in `events`, with the same events; where anything is in doubt (a field is missing, a text is
not ASCII, a stamp is ahead of us) the records go there, one by one, and the faulty ones are named.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Sequence
from itertools import repeat, starmap
from operator import itemgetter
from typing import Any

import orjson

from services.declare import FeedSpec, Field, Text
from services.events import (
    EARLIEST_MS,
    EVENT_BYTES_LIMIT,
    EXACT_INTEGER,
    GREATEST_NUMBER,
    ID_LENGTH_LIMIT,
    Event,
)

Column = Sequence[Any]
_ID_BYTES = 16
FEWEST = 8
"""Records from which on columns are worth their making."""


class InDoubt(Exception):
    """Something that must be looked at record by record."""


class ColumnValidator:
    """Turns records of one feed into events, all or none."""

    def __init__(self, feed: FeedSpec) -> None:
        self._fields = [(field.name, field.required, _check_of(field)) for field in feed.fields.values()]
        self._known = {*feed.fields, "id", "created_at"}
        self._strict, self._partition = feed.strict, feed.partition

    def events(self, records: Sequence[Any], now_ms: int) -> list[Event] | None:
        """The events of records received at `now_ms`; None where one of them is in doubt."""
        if len(records) < FEWEST or {*map(type, records)} != {dict}:
            return None
        try:
            return self._events(records, now_ms)
        except (InDoubt, ValueError, OverflowError):
            return None

    def _events(self, records: Sequence[dict[str, Any]], now_ms: int) -> list[Event]:
        if self._strict and not self._known.issuperset(set().union(*records)):
            raise InDoubt
        given_ids, given_stamps = _column(records, "id"), _column(records, "created_at")
        ids = _checked_ids(given_ids) if given_ids else _fresh_ids(len(records))
        stamps = _checked_stamps(given_stamps, now_ms) if given_stamps else [now_ms] * len(records)
        columns = {"id": ids, "created_at": stamps, "ingested_at": [now_ms] * len(records), **self._columns(records)}
        bodies = _bodies(columns)
        if len(bodies) != len(records) or max(map(len, bodies)) > EVENT_BYTES_LIMIT:
            raise InDoubt
        partitions = repeat(None) if self._partition is None else map(str, columns[self._partition])
        lags = [now_ms - stamp for stamp in stamps]
        return list(starmap(Event, zip(ids, repeat(bool(given_ids)), partitions, stamps, lags, bodies, strict=False)))

    def _columns(self, records: Sequence[dict[str, Any]]) -> dict[str, Column]:
        found: dict[str, Column] = {}
        for name, required, check in self._fields:
            column = _column(records, name)
            if column:
                check(column)
                found[name] = column
            elif required:
                raise InDoubt
        return found


def _bodies(columns: dict[str, Column]) -> list[bytes]:
    """The JSON of each event, cut out of that of all: a call for each would cost three times as much.

    No text holds the seam, since its quotes would be escaped, and a field's name comes after a comma.
    """
    names = tuple(columns)
    whole = orjson.dumps([dict(zip(names, row, strict=True)) for row in zip(*columns.values(), strict=True)])
    return [b'{"id":"' + part + b"}" for part in whole[len(b'[{"id":"') : -len(b"}]")].split(b'},{"id":"')]


def _column(records: Sequence[dict[str, Any]], name: str) -> Column:
    """The field of each record; nothing where none has it. Raises InDoubt where some have it and some not."""
    try:
        found = list(map(itemgetter(name), records))
    except KeyError:
        if any(name in record for record in records):
            raise InDoubt from None
        return ()
    if None in found:
        raise InDoubt
    return found


def _checked_ids(ids: Column) -> Column:
    _check_texts(ids, 1, ID_LENGTH_LIMIT)
    return ids


def _fresh_ids(count: int) -> Column:
    digits, size = os.urandom(_ID_BYTES * count).hex(), 2 * _ID_BYTES
    return [digits[start : start + size] for start in range(0, size * count, size)]


def _checked_stamps(stamps: Column, now_ms: int) -> Column:
    _check_integers(stamps, EARLIEST_MS, now_ms)
    return stamps


def _check_of(field: Field) -> Callable[[Column], None]:
    match field.value_type:
        case "text":
            assert isinstance(field, Text)
            longest = field.max_length
            return lambda column: _check_texts(column, 0, longest)
        case "number":
            return _check_numbers
        case "integer":
            return lambda column: _check_integers(column, -EXACT_INTEGER, EXACT_INTEGER)
        case "moment":
            return lambda column: _check_integers(column, EARLIEST_MS, EXACT_INTEGER)
        case "flag":
            return lambda column: _check_types(column, {bool})


def _check_types(column: Column, allowed: set[type]) -> None:
    if not allowed.issuperset(map(type, column)):
        raise InDoubt


def _check_texts(column: Column, shortest: int, longest: int) -> None:
    _check_types(column, {str})
    lengths = [*map(len, column)]
    whole = "".join(column)
    if min(lengths) < shortest or max(lengths) > longest or not (whole.isascii() and whole.isprintable()):
        raise InDoubt


def _check_numbers(column: Column) -> None:
    types = {*map(type, column)}
    if not types <= {float, int} or not all(map(math.isfinite, column)):
        raise InDoubt
    most = EXACT_INTEGER if int in types else GREATEST_NUMBER
    if min(column) < -most or max(column) > most:
        raise InDoubt


def _check_integers(column: Column, least: int, most: int) -> None:
    _check_types(column, {int})
    if min(column) < least or max(column) > most:
        raise InDoubt
