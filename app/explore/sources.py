"""Sources of questions: the channels and feeds that somebody may ask about, and what may be asked of each.

A channel can be shown as it is declared, live. Of a feed's events, or of the events that a channel takes in, aggregates
can be asked by any field: from the archive. Of a channel that consists of aggregates there are no events to show.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from components.block import is_numeric
from components.chart import Chart, chart
from services.accounts import Action
from services.archive.aggregating import Aggregation
from services.declare import Aggregate, ChannelRef, Condition, Declarations, FeedSpec, Field, is_built_in

May = Callable[[Action, str], bool]
"""Whether who asks may do this to the feed or channel of that name."""
GROUPING = ("text", "integer", "flag")
NUMERIC = ("number", "integer", "flag")


@dataclass(frozen=True, slots=True)
class Source:
    """A channel or, where `ref` is None, the events of a feed."""

    name: str
    feed: FeedSpec
    ref: ChannelRef | None
    counts_events: bool
    """Whether aggregates of its events may be asked."""

    @property
    def title(self) -> str:
        return f"{self.feed.name}: events" if self.ref is None else self.ref.channel.title

    @property
    def lines(self) -> dict[str, Aggregate]:
        """What a series shows as it is declared."""
        if self.ref is None or self.ref.channel.kind != "series":
            return {}
        return {name: one for name, one in self.ref.channel.aggregates.items() if is_numeric(one)}

    @property
    def grouping(self) -> dict[str, Field]:
        return {name: one for name, one in self.feed.fields.items() if one.value_type in GROUPING}

    @property
    def numbers(self) -> dict[str, Field]:
        return {name: one for name, one in self.feed.fields.items() if one.value_type in NUMERIC}

    @property
    def conditions(self) -> tuple[Condition, ...]:
        """Which events of its feed are meant."""
        if self.ref is None:
            return ()
        channel, part = self.ref.channel, self.ref.partition
        own = () if channel.where is None else (channel.where,)
        if channel.partition is None or part is None:
            return own
        key = channel.feed.fields[channel.partition]
        return (*own, key.equals(int(part) if key.value_type == "integer" and part.lstrip("-").isdecimal() else part))

    def chart(self, line: str) -> Chart:
        """The live chart of one of its lines."""
        return chart(self.lines[line], of=self.ref)


def find(declarations: Declarations, name: str, may: May) -> Source | None:
    """The source of that name; None where there is none, or who asks may not see it."""
    feed, ref = declarations.feeds.get(name), declarations.resolve(name)
    if feed is not None and feed.history.days and not is_built_in(name) and may("history", name):
        return Source(name, feed, None, counts_events=True)
    if ref is None or is_built_in(name) or not may("view", ref.name):
        return None
    channel = ref.channel
    events = bool(not channel.aggregates and channel.feed.history.days and may("history", ref.name))
    return Source(ref.name, channel.feed, ref, counts_events=events)


def sources(declarations: Declarations, may: May) -> list[dict[str, Any]]:
    """Every source that may be asked about, as the form offers it. A partitioned channel asks for its part as well."""
    found = []
    for feed in sorted(declarations.feeds.values(), key=lambda one: one.name):
        own = find(declarations, feed.name, may)
        found += [] if own is None else [_offered(own)]
        for channel in declarations.channels_of(feed):
            if channel.partition is not None:
                if is_built_in(channel.name) or not may("view", channel.name):
                    continue
                ref = ChannelRef(channel, "")
                counts = bool(not channel.aggregates and feed.history.days)
                found.append({**_offered(Source(channel.name, feed, ref, counts)), "part": channel.partition})
            elif (one := find(declarations, channel.name, may)) is not None:
                found.append(_offered(one))
    return found


def declared_like(declarations: Declarations, asked: Aggregation, may: May) -> tuple[Source, str] | None:
    """A series, and which of its lines, that is declared as what is asked: that one is live."""
    if asked.conditions:
        return None
    by = () if asked.by is None else (asked.by.name,)
    for channel in declarations.channels_of(asked.feed):
        source = find(declarations, channel.name, may)
        if source is None or channel.where is not None or channel.by != by:
            continue
        for name, one in source.lines.items():
            same = (one.function, one.field, one.where) == (asked.function, asked.field, None)
            if same and (one.function != "quantile" or one.q == asked.q):
                return source, name
    return None


def _offered(source: Source) -> dict[str, Any]:
    return {
        "name": source.name, "title": source.title, "feed": source.feed.name,
        "kind": None if source.ref is None else source.ref.channel.kind, "counts": source.counts_events,
        "lines": [[name, one.label] for name, one in source.lines.items()],
        "grouping": [[name, one.label] for name, one in source.grouping.items()] if source.counts_events else [],
        "numbers": [[name, _with_unit(one)] for name, one in source.numbers.items()] if source.counts_events else [],
    }


def _with_unit(field: Field) -> str:
    return f"{field.label} ({field.unit})" if field.unit else field.label
