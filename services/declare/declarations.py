"""All that a running system declares, collected from its feed files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

from services.declare.channels import Channel, ChannelRef
from services.declare.derived import Derived, LooseEnd, check_derived
from services.declare.error import DeclarationError, raised, refuse
from services.declare.feeds import Feed, FeedSpec, Lane


@dataclass(frozen=True, slots=True)
class Declarations:
    """All feeds and channels of a running system, by name."""

    feeds: Mapping[str, FeedSpec]
    channels: Mapping[str, type[Channel]]

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
        return cls(feeds, channels)._without_loose_ends(refused)

    def _without_loose_ends(self, refused: Callable[[DeclarationError], None]) -> Declarations:
        """What is left when each derived channel whose others are not there, or lead back to it, is taken out."""
        try:
            check_derived(self.channels, self.resolve)
        except LooseEnd as end:
            refused(end)
            channels = {name: one for name, one in self.channels.items() if one is not end.channel}
            feeds = {name: one for name, one in self.feeds.items() if one is not end.channel.feed}
            return Declarations(feeds, channels)._without_loose_ends(refused)
        return self

    def channels_of(self, feed: FeedSpec) -> tuple[type[Channel], ...]:
        return tuple(channel for channel in self.channels.values() if channel.feed is feed)

    def lanes(self) -> tuple[Lane, ...]:
        return tuple(lane for feed in self.feeds.values() for lane in feed.all_lanes())

    def probed_lanes(self) -> tuple[Lane, ...]:
        """The lanes that events can be sent through."""
        return tuple(lane for lane in self.lanes() if not self.feeds[lane.feed].source.derived)

    def archived_lanes(self) -> tuple[Lane, ...]:
        """The lanes of which anything is kept in the archive: the feed's events, or a channel."""
        kept = {channel.feed.name for channel in self.channels.values() if channel.history.days}
        kept |= {feed.name for feed in self.feeds.values() if feed.history.days}
        return tuple(lane for lane in self.lanes() if lane.feed in kept)

    def resolve(self, name: str) -> ChannelRef | None:
        """The channel of a subscribed name such as `flights.board` or `flights.board:EWR`, or None."""
        base, colon, partition = name.partition(":")
        channel = self.channels.get(base)
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
