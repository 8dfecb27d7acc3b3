"""Example: a valid event of a feed, made from its declaration, for whoever wants to post a first one."""

from __future__ import annotations

from typing import Any

from services.declare.columns import FieldType
from services.declare.feeds import FeedSpec

_VALUES: dict[FieldType, Any] = {
    "text": "hello",
    "number": 1.5,
    "integer": 1,
    "flag": True,
    "moment": 1_767_225_600_000,
}


def example_event(feed: FeedSpec) -> dict[str, Any]:
    """Every required field of the feed with a value of its type."""
    return {field.name: _VALUES[field.value_type] for field in feed.fields.values() if field.required}
