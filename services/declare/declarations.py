"""All that a running system declares, collected from its feed files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import Any

from services.declare.channels import Channel, ChannelRef
from services.declare.derived import Derived, LooseEnd, check_derived
from services.declare.error import DeclarationError, raised, refuse
from services.declare.feeds import Feed, FeedSpec, Lane
from services.declare.retired import Retired


@dataclass(frozen=True, slots=True)
class Declarations:
    """All feeds and channels of a running system, by name; apart those that are retired, which have a past alone."""

    feeds: Mapping[str, FeedSpec]
    channels: Mapping[str, type[Channel]]
    retired_feeds: Mapping[str, FeedSpec] = field(default_factory=dict)
    retired_channels: Mapping[str, type[Channel]] = field(default_factory=dict)

    @classmethod
    def read(
        cls, modules: Iterable[ModuleType], refused: Callable[[DeclarationError], None] = raised
    ) -> Declarations:
        """Collect what the modules declare. Raises DeclarationError where a name is taken twice.

        `refused` is given that error instead; what it was raised for is then left out.
        """
        feeds: dict[str, FeedSpec] = {}
        channels: dict[str, type[Channel]] = {}
        for declared in _declared_in(modules):
            try:
                if issubclass(declared, Feed):
                    _add(feeds, declared.declaration, declared)
                    continue
                if issubclass(declared, Derived):
                    _add(feeds, declared.feed, declared)
                _add(channels, declared, declared)
                if declared.twin is not None:
                    _add(channels, declared.twin, declared)
            except DeclarationError as error:
                refused(error)
        for channel in list(channels.values()):
            if feeds.get(channel.feed.name) is not channel.feed:
                refused(refuse(channel, "feed", channel.feed.name, "declare the feed in a loaded feed file"))
                del channels[channel.name]
        gone = {name: one for name, one in channels.items() if one.retired is not None or one.feed.retired is not None}
        return cls(
            {name: feed for name, feed in feeds.items() if feed.retired is None},
            {name: channel for name, channel in channels.items() if name not in gone},
            {name: feed for name, feed in feeds.items() if feed.retired is not None},
            gone,
        )._without_loose_ends(refused)

    def _without_loose_ends(self, refused: Callable[[DeclarationError], None]) -> Declarations:
        """What is left when each derived channel whose others are not there, or lead back to it, is taken out."""
        try:
            check_derived(self.channels, self.resolve)
        except LooseEnd as end:
            refused(end)
            channels = {name: one for name, one in self.channels.items() if one is not end.channel}
            feeds = {name: one for name, one in self.feeds.items() if one is not end.channel.feed}
            return replace(self, feeds=feeds, channels=channels)._without_loose_ends(refused)
        return self

    def feed_of(self, lane: Lane) -> FeedSpec:
        """The feed of a lane, one that is retired too."""
        return self.feeds[lane.feed] if lane.feed in self.feeds else self.retired_feeds[lane.feed]

    def retired_of(self, feed: FeedSpec) -> tuple[type[Channel], ...]:
        """The retired channels of a feed."""
        return tuple(channel for channel in self.retired_channels.values() if channel.feed is feed)

    def retirement(self, name: str) -> Retired | None:
        """Since when a feed, channel or part of one is retired, and what took its place; None where it is not."""
        base = name.partition(":")[0]
        if base in self.retired_feeds:
            return self.retired_feeds[base].retired
        channel = self.retired_channels.get(base)
        return None if channel is None else channel.retired or channel.feed.retired

    def channels_of(self, feed: FeedSpec) -> tuple[type[Channel], ...]:
        return tuple(channel for channel in self.channels.values() if channel.feed is feed)

    def lanes(self) -> tuple[Lane, ...]:
        return tuple(lane for feed in self.feeds.values() for lane in feed.all_lanes())

    def probed_lanes(self) -> tuple[Lane, ...]:
        """The lanes that events can be sent through."""
        return tuple(lane for lane in self.lanes() if not self.feeds[lane.feed].source.derived)

    def archived_lanes(self) -> tuple[Lane, ...]:
        """The lanes of which anything is kept in the archive: the feed's events, or a channel.

        Those of retired feeds too: what is kept of them is to go in its time.
        """
        channels = (*self.channels.values(), *self.retired_channels.values())
        kept = {channel.feed.name for channel in channels if channel.history.days}
        kept |= {feed.name for feed in (*self.feeds.values(), *self.retired_feeds.values()) if feed.history.days}
        return tuple(lane for lane in (*self.lanes(), *self.retired_lanes()) if lane.feed in kept)

    def retired_lanes(self) -> tuple[Lane, ...]:
        """The lanes of retired feeds, which nobody leads."""
        return tuple(lane for feed in self.retired_feeds.values() for lane in feed.all_lanes())

    def resolve(self, name: str) -> ChannelRef | None:
        """The channel of a subscribed name such as `flights.board` or `flights.board:EWR`, or None."""
        return _resolved(self.channels, name)

    def resolve_past(self, name: str) -> ChannelRef | None:
        """The same for who reads the past: a retired channel has one."""
        return _resolved(self.channels, name) or _resolved(self.retired_channels, name)


def _resolved(channels: Mapping[str, type[Channel]], name: str) -> ChannelRef | None:
    base, colon, partition = name.partition(":")
    channel = channels.get(base)
    if channel is None or (channel.partition is None) is bool(colon) or (colon and not partition):
        return None
    return ChannelRef(channel, partition or None)


def _declared_in(modules: Iterable[ModuleType]) -> Iterator[type[Feed] | type[Channel]]:
    """The feeds and channels that each module declares itself, and does not import."""
    for module in modules:
        for declared in vars(module).values():
            its_own = isinstance(declared, type) and declared.__module__ == module.__name__
            if its_own and issubclass(declared, Feed | Channel):
                yield declared


def _add(known: dict[str, Any], declared: Any, by: type) -> None:
    if declared.name in known:
        raise refuse(by, "name", declared.name, "already taken by another declaration; give another name=")
    known[declared.name] = declared
