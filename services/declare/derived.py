"""Derived: a channel that is a pure function of other channels: a ratio, a join of two feeds.

It is a latest channel of a feed of its own, which nobody posts to: what the function makes of the others' values is
committed by the worker that leads that feed's lane.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, ClassVar, TypeAlias

from services.declare.channels import ROWS_LIMIT, Channel, ChannelRef, Keep
from services.declare.columns import Field
from services.declare.error import DeclarationError, refuse
from services.declare.feeds import FeedSpec, Freshness, History, check_feed
from services.sources.source import Source

Row: TypeAlias = Mapping[str, Any]
Of: TypeAlias = type[Channel] | ChannelRef | str
CHANNEL = "now"
"""The one channel of a derived feed, by its own name."""


class Others(Source):
    """Where a derived feed's values come from: the channels of these names."""

    pulled, derived = False, True

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self.title = f"made from {' and '.join(names)}"


class Derived(Channel):
    """Rows that a pure function makes of other channels; subclass it with fields as attributes, and `rows`.

    Class keywords: `name` of its feed, the channel is `<name>.now`; `of`, the channels, their parts or their names;
    `key`, the field that tells rows apart; `freshness`, by default what all of `of` hold together.

    `rows` is given one value for each of `of`, in that order: of a latest channel its rows by key, of a series its
    points by line, of a log its entries. It returns rows, each with the key and the other fields. It is called again
    whenever one of them has changed, and may depend on nothing else: neither the time, nor what it returned before.
    """

    kind = "latest"
    of: ClassVar[tuple[str, ...]]
    rows: ClassVar[Callable[..., Iterable[Row]]]

    def __init_subclass__(
        cls,
        *,
        name: str,
        of: Sequence[Of],
        key: str,
        title: str | None = None,
        freshness: Freshness | None = None,
        history: History | None = None,
        rows_max: int = 5_000,
    ) -> None:
        fields = {k: v for k, v in vars(cls).items() if isinstance(v, Field)}
        cls.of = tuple(one if isinstance(one, str) else one.name for one in of)
        if not cls.of or len(set(cls.of)) < len(cls.of):
            raise refuse(cls, "of", cls.of, "name the channels that it is made from, each once")
        if not callable(getattr(cls, "rows", None)):
            raise refuse(cls, "rows", None, "define @staticmethod def rows(...), which returns the rows")
        if not isinstance(vars(cls).get("rows"), staticmethod):
            raise refuse(cls, "rows", "a method", "put @staticmethod before it: it is a function of the channels alone")
        if not 1 <= rows_max <= ROWS_LIMIT:
            raise refuse(cls, "rows_max", rows_max, f"give 1 to {ROWS_LIMIT}")
        rule = freshness or _together([one for one in of if not isinstance(one, str)])
        if rule is None:
            raise refuse(cls, "freshness", None, "give freshness=Freshness(...): its channels are known by name alone")
        spec = FeedSpec(
            name, key, Others(cls.of), rule, None, 1, 10.0, True, History(days=0), fields, declared_by=cls
        )
        check_feed(cls, spec)
        cls.feed, cls.name, cls.freshness = spec, f"{name}.{CHANNEL}", rule
        cls.title = title or (cls.__doc__ or name.replace("_", " ").capitalize()).split("\n")[0].rstrip(".")
        cls.history = cls._own_history(history or History())
        cls.by, cls.partition, cls.partitions_max, cls.where = (), None, 1, None
        cls.window_s, cls.windows, cls.evict_after_s, cls.keep = None, 1, None, Keep(rows_max=rows_max)
        cls.aggregates, cls.policy, cls.twin = {}, "newest", None
        cls._check()


def _together(of: Sequence[type[Channel] | ChannelRef]) -> Freshness | None:
    """The rule that holds where each of theirs does: it is as fresh as the least fresh of them."""
    rules = [(one.channel if isinstance(one, ChannelRef) else one).freshness for one in of]
    if not rules:
        return None
    return Freshness(
        max(rule.expected_every_s for rule in rules),
        max(rule.late_after_s for rule in rules),
        max(rule.stale_after_s for rule in rules),
        may_be_quiet=all(rule.may_be_quiet for rule in rules),
    )


class LooseEnd(DeclarationError):
    """A derived channel cannot be made from what it names."""

    def __init__(self, channel: type[Derived], value: object, remedy: str) -> None:
        found = refuse(channel, "of", value, remedy)
        super().__init__(found.where, found.name, found.value, found.remedy)
        self.channel = channel


def check_derived(channels: Mapping[str, type[Channel]], resolve: Callable[[str], ChannelRef | None]) -> None:
    """Raise LooseEnd where one is made from what there is not, from itself, or from what is personal."""
    derived = {name: one for name, one in channels.items() if issubclass(one, Derived)}
    for one in derived.values():
        for name in one.of:
            found = resolve(name)
            if found is None:
                known = ", ".join(sorted(channels))
                raise LooseEnd(one, name, f"no channel has this name, or it is in parts: name one of {known}")
            if found.channel.feed.personal:
                remedy = "its feed has personal fields, which could not be forgotten here; make it from another"
                raise LooseEnd(one, name, remedy)
        if (way := _way_back(one.name, one, derived)) is not None:
            raise LooseEnd(one, " from ".join(way), "it would be made from itself; leave one of these out")


def _way_back(wanted: str, start: type[Derived], derived: Mapping[str, type[Derived]]) -> list[str] | None:
    """The way from a derived channel over what it is made from to itself, None where there is none."""
    ways = [[start.name]]
    while ways:
        way = ways.pop()
        for name in derived[way[-1]].of if way[-1] in derived else ():
            if name == wanted:
                return [*way, name]
            if name not in way:
                ways.append([*way, name])
    return None
