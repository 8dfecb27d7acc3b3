"""Personal: what follows from a field's being marked `personal=True`: where it may not stand, and what hides it.

A personal value must be found again when its key is forgotten, and blanked when its days are over. So it names no
group, channel or part (the feed's own key aside), and no aggregate hands one event's value on under another key.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from services.declare.channels import Channel
    from services.declare.feeds import FeedSpec

PERSONAL = "(personal)"
"""What stands for a personal value wherever it is not shown."""
_HANDED_ON = frozenset({"value", "min", "max"})
Problem = tuple[str, object, str]
"""What is wrong, its value, and the remedy."""


def redacted(feed: FeedSpec, event: Mapping[str, Any]) -> dict[str, Any]:
    """The event without its personal values: for logs, quarantine and traces."""
    return {name: PERSONAL if name in feed.personal and v is not None else v for name, v in event.items()}


def hash_of_key(key: object) -> str:
    """A key's hash, for places in the broker that hold no personal value. Who can read it there can read the key."""
    return hashlib.sha256(str(key).encode("utf-8", "replace")).hexdigest()[:32]


def feed_problem(feed: FeedSpec) -> Problem | None:
    """Where a feed's personal fields contradict the rest of its declaration."""
    days = feed.history.personal_days
    if days is not None and not feed.personal:
        return "history", feed.history, "personal_days is for feeds with a field that is personal=True"
    if feed.partition in feed.personal:
        return "partition", feed.partition, "a channel's name would be personal; partition by another field"
    if days is not None and days < feed.history.days and feed.key in feed.personal:
        remedy = "a key cannot be blanked; key events by a number that is not personal, or leave out personal_days"
        return "history", feed.history, remedy
    return None


def channel_problem(channel: type[Channel]) -> Problem | None:
    """Where a channel would carry a personal value that could not be taken out of it again."""
    feed = channel.feed
    if channel.partition in feed.personal:
        return "partition", channel.partition, "a channel's name would be personal; choose another field"
    for name in channel.by:
        if name in feed.personal and name != feed.key:
            return "by", name, f"a personal field names no group; group by another, or by {feed.key!r}"
    for aggregate in channel.aggregates.values():
        field = aggregate.field
        if field is not None and field.personal and aggregate.function in _HANDED_ON and feed.key not in channel.by:
            remedy = f"it would show one event's personal value for others; give by={feed.key}, or another aggregate"
            return aggregate.name, aggregate.function, remedy
    return None


def personal_columns(channel: type[Channel]) -> frozenset[str]:
    """The columns of a channel that hold what is personal: fields, or aggregates of them by the feed's key."""
    if not channel.aggregates:
        return channel.feed.personal
    if channel.feed.key not in channel.by:
        return frozenset()
    fields = channel.aggregates.items()
    return frozenset(name for name, one in fields if one.field is not None and one.field.personal)
