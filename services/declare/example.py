"""Example: a valid event of a feed, made from its declaration, for whoever wants to post a first one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.declare.columns import FieldType
from services.declare.feeds import FeedSpec
from services.declare.mapping import Given, Path, id_paths, steps_of, taken
from services.declare.stamps import GivenTime

_VALUES: dict[FieldType, Any] = {
    "text": "hello",
    "number": 1.5,
    "integer": 1,
    "flag": True,
    "moment": 1_767_225_600_000,
}


def example_record(feed: FeedSpec) -> Any:
    """What the feed's source would send for such an event: in the shape that its mapping reads."""
    event, mapping = example_event(feed), feed.source.mapping
    if mapping is None:
        return event
    record: Any = {}
    for name, value in event.items():
        given = mapping.fields.get(name, (name,))
        record = _with(record, steps_of(given.path if isinstance(given, Given | GivenTime) else given),
                       _as_given(given, value))
    stamp = mapping.created_at
    for path in map(steps_of, id_paths(mapping.id)):
        if taken(record, path) is None:
            is_time = stamp is not None and steps_of(stamp.path) == path
            record = _with(record, path, stamp.example() if stamp is not None and is_time else "example")
    return _with({}, steps_of(mapping.records), [record]) if mapping.records else record


def _as_given(given: Given | GivenTime | Path, value: Any) -> Any:
    if isinstance(given, GivenTime):
        return given.example()
    words = given.words if isinstance(given, Given) else {}
    return next((word for word, meaning in words.items() if meaning == value), value)


def _with(whole: Any, steps: Sequence[str | int], value: Any) -> Any:
    """The whole with a value at a path; lists and objects on the way are made."""
    if not steps:
        return value
    step, rest = steps[0], steps[1:]
    if isinstance(step, int) or step.isdigit():
        items = list(whole) if isinstance(whole, list) else []
        items += [{}] * (int(step) + 1 - len(items))
        items[int(step)] = _with(items[int(step)], rest, value)
        return items
    held = dict(whole) if isinstance(whole, dict) else {}
    return {**held, step: _with(held.get(step, {}), rest, value)}


def example_event(feed: FeedSpec) -> dict[str, Any]:
    """Every required field of the feed with a value of its type."""
    return {field.name: _VALUES[field.value_type] for field in feed.fields.values() if field.required}
