"""Channels: units of subscription, authorisation and freshness, reduced from a feed."""

from __future__ import annotations

import copy
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from services.declare.columns import Aggregate, Column, Condition, Field
from services.declare.error import refuse
from services.declare.feeds import NAME, Feed, FeedSpec, Freshness, History, Lane
from services.declare.personal import channel_problem
from services.declare.retired import Retired

Kind = Literal["latest", "series", "log"]
Policy = Literal["every", "newest", "summarised"]
"""What a channel keeps when events come faster than they can be shown: every one, the newest of each key, a summary."""
ROWS_LIMIT = 10_000
STATE_FORMAT = 2
"""Raised when the cells in the broker change in shape: channels then start anew, instead of being misread."""


@dataclass(frozen=True, slots=True)
class Keep:
    """How much of a channel is kept; broker, gateway and browser trim by the same numbers.

    `rows_max` rows of a latest, `span_ms` and `points_max` a series, `entries_max` entries of a log.
    """

    rows_max: int | None = None
    span_ms: int | None = None
    points_max: int | None = None
    entries_max: int | None = None

    def as_json(self) -> dict[str, int]:
        named = ((name, getattr(self, name)) for name in ("rows_max", "span_ms", "points_max", "entries_max"))
        return {name: number for name, number in named if number is not None}


@dataclass(frozen=True, slots=True)
class ChannelRef:
    """A channel as one subscribes to it: the declaration and, where partitioned, one partition."""

    channel: type[Channel]
    partition: str | None = None

    @property
    def name(self) -> str:
        return self.channel.name if self.partition is None else f"{self.channel.name}:{self.partition}"

    @property
    def lane(self) -> Lane:
        return self.channel.feed.lane_of(self.partition)


_SHARED = (
    "kind",
    "feed",
    "freshness",
    "history",
    "policy",
    "partitions_max",
    "where",
    "by",
    "window_s",
    "windows",
    "evict_after_s",
    "keep",
)
"""What a channel in parts has from the whole one."""


class Channel:
    """A unit of subscription, authorisation and freshness; declare it as `Latest`, `Series` or `Log`."""

    kind: ClassVar[Kind]
    name: ClassVar[str]
    title: ClassVar[str]
    feed: ClassVar[FeedSpec]
    freshness: ClassVar[Freshness]
    history: ClassVar[History]
    policy: ClassVar[Policy]
    partition: ClassVar[str | None]
    partitions_max: ClassVar[int]
    where: ClassVar[Condition | None]
    by: ClassVar[tuple[str, ...]]
    window_s: ClassVar[float | None]
    windows: ClassVar[int]
    evict_after_s: ClassVar[float | None]
    keep: ClassVar[Keep]
    aggregates: ClassVar[dict[str, Aggregate]]
    retired: ClassVar[Retired | None] = None
    twin: ClassVar[type[Channel] | None] = None
    """The same channel in parts, one for each value of a field; None where it was not declared with `parts=`."""

    @classmethod
    def _declare(
        cls,
        *,
        feed: type[Feed],
        name: str | None,
        title: str | None,
        freshness: Freshness | None,
        history: History | None,
        policy: Policy | None,
        partition: Field | None,
        partitions_max: int,
        parts: Field | None,
        where: Condition | None,
        by: Field | Sequence[Field],
        window_s: float | None,
        windows: int,
        evict_after_s: float | None,
        keep: Keep,
    ) -> None:
        if feed is Feed or not issubclass(feed, Feed):
            raise refuse(cls, "feed", feed, "name a class that extends Feed")
        own: dict[str, Any] = {k: v for k, v in vars(cls).items() if isinstance(v, Column)}
        short = name if name is not None else re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        if not NAME.match(short):
            raise refuse(cls, "name", short, "use lower-case letters, digits and _, starting with a letter")
        cls.feed, cls.name = feed.declaration, f"{feed.declaration.name}.{short}"
        cls.title = title or (cls.__doc__ or short.replace("_", " ").capitalize()).split("\n")[0].rstrip(".")
        cls.freshness = freshness or cls.feed.freshness
        cls.history = cls._own_history(history)
        cls.by = tuple(cls._own_field("by", field) for field in ([by] if isinstance(by, Field) else by))
        cls.partition = None if partition is None else cls._own_field("partition", partition)
        cls.partitions_max, cls.where = partitions_max, where
        cls.window_s, cls.windows, cls.evict_after_s, cls.keep = window_s, windows, evict_after_s, keep
        cls.aggregates = {k: v for k, v in own.items() if isinstance(v, Aggregate)}
        cls.policy = cls._own_policy(policy)
        for taken in vars(Channel).get("__annotations__", {}).keys() & own.keys():
            raise refuse(cls, taken, taken, "the name has a meaning for every channel; call the aggregate otherwise")
        cls._check()
        cls.twin = None if parts is None else cls._twin(parts)

    @classmethod
    def _twin(cls, parts: Field) -> type[Channel]:
        """The same in parts. Its columns are its own, under the same names: a column knows its channel."""
        field = cls._own_field("parts", parts)
        if cls.partition is not None:
            raise refuse(cls, "parts", parts, f"it is in parts already, by {cls.partition!r}; leave parts out")
        if parts.personal:
            raise refuse(cls, "parts", parts, "a part's name would be personal; choose another field")
        if field in cls.by:
            raise refuse(cls, "parts", parts, f"it is grouped by {field!r}, so that a part is a group; leave parts out")
        columns = {name: copy.copy(aggregate) for name, aggregate in cls.aggregates.items()}
        said = {"__doc__": cls.__doc__, "__module__": cls.__module__, "aggregates": columns, **columns}
        shared = {name: getattr(cls, name) for name in _SHARED}
        name, title = f"{cls.name}_by_{field}", f"{cls.title}, by {parts.name.replace('_', ' ')}"
        own = {"name": name, "title": title, "partition": field, "twin": None, "retired": cls.retired}
        return type(f"{cls.__name__}By{field.title().replace('_', '')}", (Channel,), said | shared | own)

    @classmethod
    def _own_policy(cls, said: Policy | None) -> Policy:
        """What the kind does under load; naming it in the declaration is allowed, naming another is not."""
        summarised = bool(cls.aggregates) and cls.window_s is not None
        own: Policy = "summarised" if summarised else "newest" if cls.kind == "latest" else "every"
        if said is not None and said != own:
            remedy = f"a {cls.kind} declared like this keeps {own!r}; leave it out, or declare another kind of channel"
            raise refuse(cls, "policy", said, remedy)
        return own

    @classmethod
    def _own_history(cls, said: History | None) -> History:
        """The channel's own, else the feed's, of which a log leaves out the hours that it cannot have."""
        if said is None:
            return History(cls.feed.history.days, 0 if cls.kind == "log" else cls.feed.history.hourly_days)
        if problem := said.problem():
            raise refuse(cls, "history", said, problem)
        if said.personal_days is not None:
            raise refuse(cls, "history", said, "personal_days is the feed's: leave it out")
        if said.hourly_days and cls.kind == "log":
            raise refuse(cls, "history", said, "a log cannot be rolled up by hour; leave out hourly_days")
        return said

    @classmethod
    def _own_field(cls, what: str, field: Field) -> str:
        if cls.feed.fields.get(field.name) is not field:
            raise refuse(cls, what, field, f"name a field of {cls.feed.name}: {sorted(cls.feed.fields)}")
        return field.name

    @classmethod
    def _check(cls) -> None:
        if cls.kind == "log" and cls.aggregates:
            raise refuse(cls, "", sorted(cls.aggregates), "a Log keeps events; aggregates belong in Latest or Series")
        if problem := cls.freshness.problem():
            raise refuse(cls, "freshness", cls.freshness, problem)
        if found := channel_problem(cls):
            raise refuse(cls, *found)
        if cls.feed.lanes > 1 and cls.partition != cls.feed.partition:
            raise refuse(
                cls,
                "partition",
                cls.partition,
                f"feed {cls.feed.name!r} has {cls.feed.lanes} lanes and a channel lives in one: "
                f"partition it by {cls.feed.partition!r}",
            )
        if not 1 <= cls.partitions_max <= 100_000:
            raise refuse(cls, "partitions_max", cls.partitions_max, "give 1 to 100000")
        if cls.window_s is not None and not 0.1 <= cls.window_s <= 86_400:
            raise refuse(cls, "window_s", cls.window_s, "give 0.1 to 86400 seconds")
        if not 1 <= cls.windows <= 1_000:
            raise refuse(cls, "windows", cls.windows, "give 1 to 1000 windows")
        for condition in [cls.where, *(a.where for a in cls.aggregates.values())]:
            for name in condition.fields if condition else ():
                if name not in cls.feed.fields:
                    raise refuse(cls, "where", name, f"name a field of {cls.feed.name}: {sorted(cls.feed.fields)}")
        for aggregate in cls.aggregates.values():
            cls._check_aggregate(aggregate)

    @classmethod
    def _check_aggregate(cls, aggregate: Aggregate) -> None:
        if aggregate.field is not None:
            field = cls.feed.fields[cls._own_field(aggregate.name, aggregate.field)]
            if aggregate.function != "value" and field.value_type not in ("number", "integer", "flag"):
                raise refuse(cls, aggregate.name, field, f"{aggregate.function} needs a Number, Integer or Flag")
        if aggregate.function == "quantile" and not (aggregate.q is not None and 0 <= aggregate.q <= 1):
            raise refuse(cls, aggregate.name, aggregate.q, "give a quantile between 0 and 1, for example 0.95")
        if aggregate.function != "value" and cls.window_s is None:
            raise refuse(cls, aggregate.name, aggregate.function, "give the channel window_s=<seconds>")

    @classmethod
    def part(cls, partition: str | int) -> ChannelRef:
        """One partition of a partitioned channel, to put on a page."""
        if cls.partition is None:
            raise refuse(cls, "part", partition, "the channel is not partitioned; use it as it is")
        return ChannelRef(cls, str(partition))

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """The columns of its rows, points or entries, in order of declaration."""
        return dict(cls.aggregates) if cls.aggregates else dict(cls.feed.fields)

    @classmethod
    def signature(cls) -> str:
        """A hash of everything that decides its state: when it differs, the channel starts anew."""
        meaning = (
            STATE_FORMAT,
            cls.kind,
            cls.name,
            cls.feed.key,
            sorted((f.name, f.value_type) for f in cls.feed.fields.values()),
            cls.partition,
            cls.where.describe() if cls.where else "",
            cls.by,
            cls.window_s,
            cls.windows,
            cls.evict_after_s,
            cls.keep,
            cls.feed.lateness_s,
            [a.signature() for a in cls.aggregates.values()],
        )
        return hashlib.sha256(repr(meaning).encode()).hexdigest()[:16]


class Latest(Channel):
    """Keyed rows, the newest values of each; with aggregates, one row for each group over its window."""

    kind = "latest"

    def __init_subclass__(
        cls,
        *,
        feed: type[Feed],
        name: str | None = None,
        title: str | None = None,
        freshness: Freshness | None = None,
        history: History | None = None,
        policy: Policy | None = None,
        partition: Field | None = None,
        partitions_max: int = 1_000,
        parts: Field | None = None,
        where: Condition | None = None,
        by: Field | Sequence[Field] = (),
        window_s: float | None = None,
        windows: int = 1,
        rows_max: int = 5_000,
        evict_after_s: float | None = None,
    ) -> None:
        cls._declare(
            feed=feed,
            name=name,
            title=title,
            freshness=freshness,
            history=history,
            policy=policy,
            partition=partition,
            partitions_max=partitions_max,
            parts=parts,
            where=where,
            by=by,
            window_s=window_s,
            windows=windows,
            evict_after_s=evict_after_s,
            keep=Keep(rows_max=rows_max),
        )
        if not 1 <= rows_max <= (ROWS_LIMIT if partition is None else 10 * ROWS_LIMIT):
            raise refuse(cls, "rows_max", rows_max, f"give 1 to {ROWS_LIMIT}; more needs partition=<field>")
        if evict_after_s is not None and evict_after_s <= 0:
            raise refuse(cls, "evict_after_s", evict_after_s, "give a positive number of seconds")
        if window_s is not None and not cls.aggregates:
            raise refuse(cls, "window_s", window_s, "declare aggregates, for example departures = count()")


class Series(Channel):
    """A rolling window of points for each series: aggregates by tumbling window, or single values."""

    kind = "series"

    def __init_subclass__(
        cls,
        *,
        feed: type[Feed],
        span_s: float,
        name: str | None = None,
        title: str | None = None,
        freshness: Freshness | None = None,
        history: History | None = None,
        policy: Policy | None = None,
        partition: Field | None = None,
        partitions_max: int = 1_000,
        parts: Field | None = None,
        where: Condition | None = None,
        by: Field | Sequence[Field] = (),
        window_s: float | None = None,
        windows: int = 1,
        points_max: int = 2_000,
    ) -> None:
        cls._declare(
            feed=feed,
            name=name,
            title=title,
            freshness=freshness,
            history=history,
            policy=policy,
            partition=partition,
            partitions_max=partitions_max,
            parts=parts,
            where=where,
            by=by,
            window_s=window_s,
            windows=windows,
            evict_after_s=None,
            keep=Keep(span_ms=int(span_s * 1000), points_max=points_max),
        )
        if not cls.aggregates:
            raise refuse(cls, "", "no aggregates", "declare one, for example percent = value(Host.percent)")
        if span_s <= 0 or (window_s is not None and span_s < window_s):
            raise refuse(cls, "span_s", span_s, "give at least one window")
        if not 2 <= points_max <= 20_000:
            raise refuse(cls, "points_max", points_max, "give 2 to 20000 points a series")


class Log(Channel):
    """The newest entries, in order of event time."""

    kind = "log"

    def __init_subclass__(
        cls,
        *,
        feed: type[Feed],
        entries_max: int = 200,
        name: str | None = None,
        title: str | None = None,
        freshness: Freshness | None = None,
        history: History | None = None,
        policy: Policy | None = None,
        partition: Field | None = None,
        partitions_max: int = 1_000,
        parts: Field | None = None,
        where: Condition | None = None,
    ) -> None:
        cls._declare(
            feed=feed,
            name=name,
            title=title,
            freshness=freshness,
            history=history,
            policy=policy,
            partition=partition,
            partitions_max=partitions_max,
            parts=parts,
            where=where,
            by=(),
            window_s=None,
            windows=1,
            evict_after_s=None,
            keep=Keep(entries_max=entries_max),
        )
        if not 1 <= entries_max <= 5_000:
            raise refuse(cls, "entries_max", entries_max, "give 1 to 5000")
