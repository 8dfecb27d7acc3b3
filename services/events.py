"""Events: validated records of a feed, and the reasons for which a record is refused.

The validator is compiled once a feed. It accepts what a JSON parser yields and nothing that could
not be stored and sent again: no infinities, no lone surrogates, no numbers that a browser rounds.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple
from uuid import uuid4

import orjson

from services.declare import PERSONAL, FeedSpec, Field, Text

Reason = Literal[
    "missing_field",
    "wrong_type",
    "not_finite",
    "too_large",
    "too_deep",
    "bad_timestamp",
    "future_timestamp",
    "bad_id",
    "bad_text",
    "unknown_field",
]

FUTURE_LIMIT_MS = 60_000
EVENT_BYTES_LIMIT = 16_384
ID_LENGTH_LIMIT = 128
EXACT_INTEGER = 2**53
GREATEST_NUMBER = 1e300  # so that a sum of many stays finite
EARLIEST_MS = 946_684_800_000  # 2000-01-01: an earlier stamp is most likely in seconds
NESTING_LIMIT = 16


class Event(NamedTuple):
    """A validated event, ready for the stream.

    `given_id` tells whether the sender chose the id: only then can a resend be recognised.
    `lag_ms` is its arrival less the sender's stamp; below 0 where the sender's clock is ahead.
    `body` is the JSON object that the stream holds: id, created_at, ingested_at and the fields.
    """

    id: str
    given_id: bool
    partition: str | None
    created_at: int
    lag_ms: int
    body: bytes


@dataclass(frozen=True, slots=True)
class Rejection:
    """A record refused: its index in what was sent, a reason code, and a text that names the remedy."""

    index: int
    reason: Reason
    detail: str

    def as_json(self) -> dict[str, Any]:
        return {"index": self.index, "reason": self.reason, "detail": self.detail}


class Refused(ValueError):
    """Carries a reason code out of a check."""

    def __init__(self, reason: Reason, detail: str) -> None:
        super().__init__(detail)
        self.reason: Reason = reason
        self.detail = detail


Check = Callable[[Any], Any]


def check_of(field: Field) -> Check:
    """The check of one field: returns the value as stored, raises Refused."""
    name = field.name
    match field.value_type:
        case "text":
            assert isinstance(field, Text)
            return _text_check(name, field.max_length)
        case "number":
            return lambda found: _number(name, found)
        case "integer":
            return lambda found: _integer(name, found)
        case "moment":
            return lambda found: moment(name, found)
        case "flag":
            return lambda found: _flag(name, found)


def _text_check(name: str, max_length: int) -> Check:
    def check(found: Any) -> Any:
        if not isinstance(found, str):
            raise _wrong_type(name, found, "a string")
        if len(found) > max_length:
            raise Refused("too_large", f"{name}: {len(found)} characters; send at most {max_length}")
        _storable(name, found)
        return found

    return check


def _storable(name: str, text: str) -> None:
    if text.isascii() and text.isprintable():
        return
    if "\x00" in text or any("\ud800" <= c <= "\udfff" for c in text):
        raise Refused("bad_text", f"{name}: holds NUL or a lone surrogate; send valid Unicode text")


def _wrong_type(name: str, found: Any, wanted: str) -> Refused:
    if isinstance(found, dict | list) and _too_deep(found):
        return Refused("too_deep", f"{name}: nested deeper than {NESTING_LIMIT}; send {wanted}")
    return Refused("wrong_type", f"{name}: {type(found).__name__} {str(found)[:40]!r}; send {wanted}")


def _too_deep(found: Any) -> bool:
    level = [found]
    for _ in range(NESTING_LIMIT):
        level = [
            child
            for item in level
            if isinstance(item, dict | list)
            for child in (item.values() if isinstance(item, dict) else item)
        ]
        if not level:
            return False
    return True


def _number(name: str, found: Any) -> float:
    if type(found) is float:
        if not math.isfinite(found):
            raise Refused("not_finite", f"{name}: {found}; send a finite number or leave the field out")
        if abs(found) > GREATEST_NUMBER:
            raise Refused("too_large", f"{name}: {found}; send a number of at most {GREATEST_NUMBER:g}")
        return found
    if type(found) is int:
        return _integer(name, found)
    raise _wrong_type(name, found, "a number")


def _integer(name: str, found: Any) -> int:
    if type(found) is not int:
        raise _wrong_type(name, found, "a whole number")
    if not -EXACT_INTEGER <= found <= EXACT_INTEGER:
        raise Refused("too_large", f"{name}: {found}; send a whole number between -2^53 and 2^53")
    return found


def _flag(name: str, found: Any) -> bool:
    if type(found) is not bool:
        raise _wrong_type(name, found, "true or false")
    return found


def moment(name: str, found: Any) -> int:
    """A point in time in integer milliseconds. Raises Refused `bad_timestamp`."""
    if type(found) is not int or found < EARLIEST_MS or found > EXACT_INTEGER:
        raise Refused("bad_timestamp", f"{name}: {str(found)[:40]!r}; send integer milliseconds since 1970 in UTC")
    return found


class Validator:
    """Turns records of one feed into events."""

    def __init__(self, feed: FeedSpec) -> None:
        self._checks = [(f.name, f.required, check_of(f)) for f in feed.fields.values()]
        self._known = {*feed.fields, "id", "created_at"}
        self._strict, self._partition = feed.strict, feed.partition
        self._told = feed.fields.keys() - feed.personal - {feed.key} if feed.personal else None

    def event(self, record: Any, now_ms: int) -> Event:
        """The event of a record received at `now_ms`. Raises Refused with the reason code."""
        try:
            return self._event(record, now_ms)
        except Refused as refused:
            raise (refused if self._told is None else self._reticent(refused)) from None

    def _reticent(self, refused: Refused) -> Refused:
        """The refusal without the value, where that may be personal: of a field that is, or of none that is known."""
        name, _, said = refused.detail.partition(": ")
        if refused.reason == "missing_field" or (self._told is not None and name in self._told):
            return refused
        if refused.reason == "unknown_field":
            return Refused(refused.reason, "unknown fields: the feed does not declare them")
        return Refused(refused.reason, f"{name}: {PERSONAL}; {said.rpartition('; ')[2]}")

    def _event(self, record: Any, now_ms: int) -> Event:
        if not isinstance(record, Mapping):
            raise _wrong_type("record", record, "a JSON object")
        event_id, given = _event_id(record.get("id"))
        stamp = _stamp(record.get("created_at"), now_ms)
        created_at = min(stamp, now_ms)
        body: dict[str, Any] = {"id": event_id, "created_at": created_at, "ingested_at": now_ms}
        if stamp > now_ms:
            body["clamped"] = True
        for name, required, check in self._checks:
            found = record.get(name)
            if found is not None:
                body[name] = check(found)
            elif required:
                raise Refused("missing_field", f"{name}: missing or null; the feed requires it")
        if self._strict and not self._known.issuperset(record):
            unknown = sorted(map(str, set(record) - self._known))[:5]
            raise Refused("unknown_field", f"{', '.join(unknown)}: the feed does not declare it")
        encoded = orjson.dumps(body)
        if len(encoded) > EVENT_BYTES_LIMIT:
            raise Refused("too_large", f"event: {len(encoded)} bytes; send at most {EVENT_BYTES_LIMIT}")
        partition = None if self._partition is None else str(body[self._partition])
        return Event(event_id, given, partition, created_at, now_ms - stamp, encoded)


def _event_id(found: Any) -> tuple[str, bool]:
    if found is None:
        return uuid4().hex, False
    if type(found) is int:
        found = str(found)
    if not isinstance(found, str) or not 0 < len(found) <= ID_LENGTH_LIMIT:
        raise Refused("bad_id", f"id: {str(found)[:40]!r}; send a string of 1 to {ID_LENGTH_LIMIT} characters")
    if not found.isascii() or not found.isprintable():
        raise Refused("bad_id", f"id: {ascii(found)[:60]}; use printable ASCII characters")
    return found, True


def _stamp(found: Any, now_ms: int) -> int:
    """The sender's stamp, at most a minute ahead of us; the time of arrival where there is none."""
    if found is None:
        return now_ms
    stamp = moment("created_at", found)
    if stamp > now_ms + FUTURE_LIMIT_MS:
        ahead_s = (stamp - now_ms) / 1000
        raise Refused("future_timestamp", f"created_at: {ahead_s:.0f} s ahead of the server; set the sender's clock")
    return stamp
