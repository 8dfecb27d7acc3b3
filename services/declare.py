"""Declarations: feeds and channels as a team writes them, checked the moment they are read.

A feed is a class whose attributes are its fields; a channel is a class that names its feed and
whose attributes, where it has any, are aggregates. Nothing here runs anything: the stations read
these classes. A wrong declaration raises `DeclarationError` with file, name, value and remedy.
"""

from __future__ import annotations

import hashlib
import re
import sys
import zlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any, ClassVar, Literal

from services.sources.source import Source

Kind = Literal["latest", "series", "log"]
Policy = Literal["every", "newest", "summarised"]
FieldType = Literal["text", "number", "integer", "flag", "moment"]
Function = Literal["count", "rate", "sum", "mean", "min", "max", "quantile", "value"]
Operator = Literal["equals", "one_of", "at_least", "below", "present"]

RESERVED = frozenset({"id", "created_at", "ingested_at", "clamped"})
ROWS_LIMIT = 10_000
_NAME = re.compile(r"^[a-z][a-z0-9_]{0,39}$")


class DeclarationError(ValueError):
    """A feed, channel or page is declared wrongly; says where, what, which value and the remedy."""

    def __init__(self, where: str, name: str, value: object, remedy: str) -> None:
        super().__init__(f"{where}: {name}: {value!r}: {remedy}")
        self.where, self.name, self.value, self.remedy = where, name, value, remedy


def _file_of(cls: type) -> str:
    module = sys.modules.get(cls.__module__)
    return getattr(module, "__file__", None) or cls.__module__


def _refuse(cls: type, name: str, value: object, remedy: str) -> DeclarationError:
    return DeclarationError(_file_of(cls), f"{cls.__name__}.{name}" if name else cls.__name__, value, remedy)


@dataclass(frozen=True, slots=True)
class Freshness:
    """When a channel counts as late or stale; all values in seconds.

    `expected_every_s`: an event normally comes at least this often. `late_after_s`: older than this
    is late. `stale_after_s`: no proof of life for this long is stale. `may_be_quiet`: with a sign of
    life from its source a channel without events is quiet rather than late.
    """

    expected_every_s: float
    late_after_s: float
    stale_after_s: float
    may_be_quiet: bool = False

    def problem(self) -> str | None:
        """The remedy where the three times contradict each other, else None."""
        if not 0 < self.expected_every_s <= self.late_after_s <= self.stale_after_s:
            return "give 0 < expected_every_s <= late_after_s <= stale_after_s"
        return None


@dataclass(frozen=True, slots=True)
class Condition:
    """A test on one field of an event; conditions join with `&`."""

    field: str
    operator: Operator
    value: Any = None
    also: tuple[Condition, ...] = ()

    def __and__(self, other: Condition) -> Condition:
        return Condition(self.field, self.operator, self.value, (*self.also, other))

    def holds(self, event: Mapping[str, Any]) -> bool:
        """True where the event passes; a missing field never passes."""
        found = event.get(self.field)
        if found is None:
            return False
        match self.operator:
            case "equals":
                passed = found == self.value
            case "one_of":
                passed = found in self.value
            case "at_least":
                passed = found >= self.value
            case "below":
                passed = found < self.value
            case _:
                passed = True
        return bool(passed) and all(other.holds(event) for other in self.also)

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.field, *(name for other in self.also for name in other.fields))

    def describe(self) -> str:
        """The condition in words, for a component's details."""
        words = {"equals": "is", "one_of": "is one of", "at_least": "≥", "below": "<", "present": "is present"}
        value = ", ".join(map(str, self.value)) if self.operator == "one_of" else self.value
        own = f"{self.field} {words[self.operator]}" + ("" if self.operator == "present" else f" {value}")
        return " and ".join([own, *(other.describe() for other in self.also)])


class Column:
    """One named value of a row or series: a field of a feed or an aggregate of a channel."""

    value_type: FieldType = "number"

    def __init__(self, *, unit: str, decimals: int | None, label: str | None, about: str) -> None:
        self.unit, self.decimals, self._label, self.about = unit, decimals, label, about
        self.name = ""
        self.owner: type[Feed | Channel] | None = None

    def __set_name__(self, owner: type, name: str) -> None:
        self.name, self.owner = name, owner

    @property
    def label(self) -> str:
        return self._label or self.name.replace("_", " ").capitalize()

    def __repr__(self) -> str:
        owner = self.owner.__name__ if self.owner else "?"
        return f"{owner}.{self.name}"


class Field(Column):
    """One field of a feed's events. `required`: an event without it is a rejection `missing_field`."""

    def __init__(
        self,
        *,
        unit: str = "",
        decimals: int | None = None,
        label: str | None = None,
        about: str = "",
        required: bool = True,
    ) -> None:
        super().__init__(unit=unit, decimals=decimals, label=label, about=about)
        self.required = required

    def equals(self, value: str | float | bool) -> Condition:
        return Condition(self.name, "equals", value)

    def one_of(self, *values: str | float) -> Condition:
        return Condition(self.name, "one_of", tuple(values))

    def at_least(self, value: float) -> Condition:
        return Condition(self.name, "at_least", value)

    def below(self, value: float) -> Condition:
        return Condition(self.name, "below", value)

    def present(self) -> Condition:
        return Condition(self.name, "present")


class Text(Field):
    """A string of at most `max_length` characters."""

    value_type = "text"

    def __init__(
        self, *, label: str | None = None, about: str = "", required: bool = True, max_length: int = 200
    ) -> None:
        super().__init__(label=label, about=about, required=required)
        self.max_length = max_length


class Number(Field):
    """A finite number, shown with `decimals` places in `unit`."""

    value_type = "number"


class Integer(Field):
    """A whole number between -2^53 and 2^53, the range that a browser keeps exact."""

    value_type = "integer"


class Flag(Field):
    """True or false; its mean is a share."""

    value_type = "flag"


class Moment(Field):
    """A point in time in integer milliseconds since the Unix epoch."""

    value_type = "moment"


class Aggregate(Column):
    """A function of a channel's events over its window; made by `count()`, `mean(...)` and the like."""

    def __init__(
        self,
        function: Function,
        field: Field | None,
        *,
        where: Condition | None,
        q: float | None = None,
        unit: str | None = None,
        decimals: int | None = None,
        label: str | None = None,
        about: str = "",
    ) -> None:
        inherited = field.unit if field is not None else ""
        super().__init__(unit=inherited if unit is None else unit, decimals=decimals, label=label, about=about)
        self.function: Function = function
        self.field, self.where, self.q = field, where, q

    @property
    def definition(self) -> str:
        """The aggregate in words: what is computed, of which field, where."""
        of = f" of {self.field.name}" if self.field is not None else " of events"
        name = f"{self.q:g} quantile (±1 %)" if self.function == "quantile" else self.function
        return name + of + (f" where {self.where.describe()}" if self.where else "")

    def signature(self) -> tuple[object, ...]:
        where = self.where.describe() if self.where else ""
        return (self.name, self.function, self.field.name if self.field else "", self.q, where)


def count(
    *, where: Condition | None = None, unit: str = "", label: str | None = None, about: str = ""
) -> Aggregate:
    """The number of events in the window."""
    return Aggregate("count", None, where=where, unit=unit, decimals=0, label=label, about=about)


def rate(
    *, where: Condition | None = None, unit: str = "/s", decimals: int = 1, label: str | None = None, about: str = ""
) -> Aggregate:
    """Events a second over the part of the window that has passed."""
    return Aggregate("rate", None, where=where, unit=unit, decimals=decimals, label=label, about=about)


def sum_(
    field: Field, *, where: Condition | None = None, unit: str | None = None, decimals: int | None = None,
    label: str | None = None, about: str = "",
) -> Aggregate:
    """The exactly rounded sum of a field; every order of events gives the same digits."""
    return Aggregate("sum", field, where=where, unit=unit, decimals=decimals, label=label, about=about)


def mean(
    field: Field, *, where: Condition | None = None, unit: str | None = None, decimals: int | None = None,
    label: str | None = None, about: str = "",
) -> Aggregate:
    """The mean of a field; of a flag, the share that is true. No events, no value."""
    return Aggregate("mean", field, where=where, unit=unit, decimals=decimals, label=label, about=about)


def minimum(
    field: Field, *, where: Condition | None = None, unit: str | None = None, decimals: int | None = None,
    label: str | None = None, about: str = "",
) -> Aggregate:
    """The least value of a field."""
    return Aggregate("min", field, where=where, unit=unit, decimals=decimals, label=label, about=about)


def maximum(
    field: Field, *, where: Condition | None = None, unit: str | None = None, decimals: int | None = None,
    label: str | None = None, about: str = "",
) -> Aggregate:
    """The greatest value of a field."""
    return Aggregate("max", field, where=where, unit=unit, decimals=decimals, label=label, about=about)


def quantile(
    field: Field, q: float, *, where: Condition | None = None, unit: str | None = None, decimals: int | None = None,
    label: str | None = None, about: str = "",
) -> Aggregate:
    """The q-quantile of a field (0 ≤ q ≤ 1) from a mergeable sketch, within 1 % of the true value."""
    return Aggregate("quantile", field, where=where, q=q, unit=unit, decimals=decimals, label=label, about=about)


def value(
    field: Field, *, where: Condition | None = None, unit: str | None = None, decimals: int | None = None,
    label: str | None = None, about: str = "",
) -> Aggregate:
    """The newest value of a field; in a series without a window, one point for each event."""
    return Aggregate("value", field, where=where, unit=unit, decimals=decimals, label=label, about=about)


class Feed:
    """A declared stream of events of one shape; subclass it with fields as attributes.

    Class keywords: `name`; `key`, the field that names the thing an event is about; `source`, where
    records come from; `freshness`, the rule its channels inherit; `lanes`, into how many ordered parts
    the feed is split, by `partition`; `lateness_s`, how late an event may come and still be folded into
    a window; `strict`, whether an unknown field is a rejection.
    """

    name: ClassVar[str]
    key: ClassVar[str]
    source: ClassVar[Source]
    freshness: ClassVar[Freshness]
    partition: ClassVar[str | None]
    lanes: ClassVar[int]
    lateness_s: ClassVar[float]
    strict: ClassVar[bool]
    fields: ClassVar[dict[str, Field]]

    def __init_subclass__(
        cls,
        *,
        name: str,
        key: str,
        source: Source,
        freshness: Freshness,
        partition: str | None = None,
        lanes: int = 1,
        lateness_s: float = 10.0,
        strict: bool = False,
    ) -> None:
        cls.name, cls.key, cls.source, cls.freshness = name, key, source, freshness
        cls.partition, cls.lanes, cls.lateness_s, cls.strict = partition, lanes, lateness_s, strict
        cls.fields = {k: v for k, v in vars(cls).items() if isinstance(v, Field)}
        cls._check()

    @classmethod
    def _check(cls) -> None:
        if not _NAME.match(cls.name):
            raise _refuse(cls, "name", cls.name, "use lower-case letters, digits and _, starting with a letter")
        for field in cls.fields.values():
            if field.name in RESERVED:
                raise _refuse(cls, field.name, field.name, f"reserved; call it otherwise than {sorted(RESERVED)}")
        for what in ("key", "partition"):
            name = getattr(cls, what)
            if name is None:
                continue
            found = cls.fields.get(name)
            if not isinstance(found, Text | Integer) or not found.required:
                raise _refuse(cls, what, name, f"name a required Text or Integer field of {sorted(cls.fields)}")
        if problem := cls.freshness.problem():
            raise _refuse(cls, "freshness", cls.freshness, problem)
        if not 1 <= cls.lanes <= 64:
            raise _refuse(cls, "lanes", cls.lanes, "give 1 to 64")
        if cls.lanes > 1 and cls.partition is None:
            raise _refuse(cls, "lanes", cls.lanes, "a feed of several lanes needs partition=<field name>")
        if not 0 <= cls.lateness_s <= 86_400:
            raise _refuse(cls, "lateness_s", cls.lateness_s, "give 0 to 86400 seconds")

    @classmethod
    def lane_of(cls, partition: str | int | None) -> Lane:
        """The lane of a partition value: the same in every process and release (CRC-32)."""
        if cls.lanes == 1 or partition is None:
            return Lane(cls.name, 0)
        return Lane(cls.name, zlib.crc32(str(partition).encode()) % cls.lanes)

    @classmethod
    def all_lanes(cls) -> tuple[Lane, ...]:
        return tuple(Lane(cls.name, number) for number in range(cls.lanes))


@dataclass(frozen=True, slots=True, order=True)
class Lane:
    """One ordered, single-writer part of a feed."""

    feed: str
    number: int

    def __str__(self) -> str:
        return f"{self.feed}.{self.number}"


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
        named = {"rows_max": self.rows_max, "span_ms": self.span_ms,
                 "points_max": self.points_max, "entries_max": self.entries_max}
        return {name: number for name, number in named.items() if number is not None}


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


class Channel:
    """A unit of subscription, authorisation and freshness; declare it as `Latest`, `Series` or `Log`."""

    kind: ClassVar[Kind]
    name: ClassVar[str]
    title: ClassVar[str]
    feed: ClassVar[type[Feed]]
    freshness: ClassVar[Freshness]
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

    @classmethod
    def _declare(
        cls, *, feed: type[Feed], name: str | None, title: str | None, freshness: Freshness | None,
        policy: Policy, partition: Field | None, partitions_max: int, where: Condition | None,
        by: Field | Sequence[Field], window_s: float | None, windows: int, evict_after_s: float | None, keep: Keep,
    ) -> None:
        if feed is Feed or not issubclass(feed, Feed):
            raise _refuse(cls, "feed", feed, "name a class that extends Feed")
        short = name if name is not None else re.sub(r"(?<!^)(?=[A-Z])", "_", cls.__name__).lower()
        if not _NAME.match(short):
            raise _refuse(cls, "name", short, "use lower-case letters, digits and _, starting with a letter")
        cls.feed, cls.name = feed, f"{feed.name}.{short}"
        cls.title = title or (cls.__doc__ or short.replace("_", " ").capitalize()).split("\n")[0].rstrip(".")
        cls.freshness, cls.policy = freshness or feed.freshness, policy
        cls.by = tuple(cls._own_field("by", field) for field in ([by] if isinstance(by, Field) else by))
        cls.partition = None if partition is None else cls._own_field("partition", partition)
        cls.partitions_max, cls.where = partitions_max, where
        cls.window_s, cls.windows, cls.evict_after_s, cls.keep = window_s, windows, evict_after_s, keep
        cls.aggregates = {k: v for k, v in vars(cls).items() if isinstance(v, Aggregate)}
        cls._check()

    @classmethod
    def _own_field(cls, what: str, field: Field) -> str:
        if cls.feed.fields.get(field.name) is not field:
            raise _refuse(cls, what, field, f"name a field of {cls.feed.__name__}: {sorted(cls.feed.fields)}")
        return field.name

    @classmethod
    def _check(cls) -> None:
        if problem := cls.freshness.problem():
            raise _refuse(cls, "freshness", cls.freshness, problem)
        if cls.feed.lanes > 1 and cls.partition != cls.feed.partition:
            raise _refuse(
                cls, "partition", cls.partition,
                f"feed {cls.feed.name!r} has {cls.feed.lanes} lanes and a channel lives in one: "
                f"partition it by {cls.feed.partition!r}",
            )
        if not 1 <= cls.partitions_max <= 100_000:
            raise _refuse(cls, "partitions_max", cls.partitions_max, "give 1 to 100000")
        if cls.window_s is not None and not 0.1 <= cls.window_s <= 86_400:
            raise _refuse(cls, "window_s", cls.window_s, "give 0.1 to 86400 seconds")
        if not 1 <= cls.windows <= 1_000:
            raise _refuse(cls, "windows", cls.windows, "give 1 to 1000 windows")
        for condition in [cls.where, *(a.where for a in cls.aggregates.values())]:
            for name in condition.fields if condition else ():
                if name not in cls.feed.fields:
                    raise _refuse(cls, "where", name, f"name a field of {cls.feed.name}: {sorted(cls.feed.fields)}")
        for aggregate in cls.aggregates.values():
            cls._check_aggregate(aggregate)

    @classmethod
    def _check_aggregate(cls, aggregate: Aggregate) -> None:
        if aggregate.field is not None:
            field = cls.feed.fields[cls._own_field(aggregate.name, aggregate.field)]
            if aggregate.function != "value" and field.value_type not in ("number", "integer", "flag"):
                raise _refuse(cls, aggregate.name, field, f"{aggregate.function} needs a Number, Integer or Flag")
        if aggregate.function == "quantile" and not (aggregate.q is not None and 0 <= aggregate.q <= 1):
            raise _refuse(cls, aggregate.name, aggregate.q, "give a quantile between 0 and 1, for example 0.95")
        if aggregate.function != "value" and cls.window_s is None:
            raise _refuse(cls, aggregate.name, aggregate.function, "give the channel window_s=<seconds>")

    @classmethod
    def part(cls, partition: str | int) -> ChannelRef:
        """One partition of a partitioned channel, to put on a page."""
        if cls.partition is None:
            raise _refuse(cls, "part", partition, "the channel is not partitioned; use it as it is")
        return ChannelRef(cls, str(partition))

    @classmethod
    def columns(cls) -> dict[str, Column]:
        """The columns of its rows, points or entries, in order of declaration."""
        return dict(cls.aggregates) if cls.aggregates else dict(cls.feed.fields)

    @classmethod
    def signature(cls) -> str:
        """A hash of everything that decides its state: when it differs, the channel starts anew."""
        meaning = (
            cls.kind, cls.name, cls.feed.key, sorted((f.name, f.value_type) for f in cls.feed.fields.values()),
            cls.partition, cls.where.describe() if cls.where else "", cls.by, cls.window_s, cls.windows,
            cls.evict_after_s, cls.keep, cls.feed.lateness_s, [a.signature() for a in cls.aggregates.values()],
        )
        return hashlib.sha256(repr(meaning).encode()).hexdigest()[:16]


class Latest(Channel):
    """Keyed rows, the newest values of each; with aggregates, one row for each group over its window."""

    kind = "latest"

    def __init_subclass__(
        cls, *, feed: type[Feed], name: str | None = None, title: str | None = None,
        freshness: Freshness | None = None, policy: Policy = "newest", partition: Field | None = None,
        partitions_max: int = 1_000, where: Condition | None = None, by: Field | Sequence[Field] = (),
        window_s: float | None = None, windows: int = 1, rows_max: int = 5_000, evict_after_s: float | None = None,
    ) -> None:
        cls._declare(
            feed=feed, name=name, title=title, freshness=freshness, policy=policy, partition=partition,
            partitions_max=partitions_max, where=where, by=by, window_s=window_s, windows=windows,
            evict_after_s=evict_after_s, keep=Keep(rows_max=rows_max),
        )
        if not 1 <= rows_max <= (ROWS_LIMIT if partition is None else 10 * ROWS_LIMIT):
            raise _refuse(cls, "rows_max", rows_max, f"give 1 to {ROWS_LIMIT}; more needs partition=<field>")
        if evict_after_s is not None and evict_after_s <= 0:
            raise _refuse(cls, "evict_after_s", evict_after_s, "give a positive number of seconds")
        if window_s is not None and not cls.aggregates:
            raise _refuse(cls, "window_s", window_s, "declare aggregates, for example departures = count()")


class Series(Channel):
    """A rolling window of points for each series: aggregates by tumbling window, or single values."""

    kind = "series"

    def __init_subclass__(
        cls, *, feed: type[Feed], span_s: float, name: str | None = None, title: str | None = None,
        freshness: Freshness | None = None, policy: Policy = "summarised", partition: Field | None = None,
        partitions_max: int = 1_000, where: Condition | None = None, by: Field | Sequence[Field] = (),
        window_s: float | None = None, windows: int = 1, points_max: int = 2_000,
    ) -> None:
        cls._declare(
            feed=feed, name=name, title=title, freshness=freshness, policy=policy, partition=partition,
            partitions_max=partitions_max, where=where, by=by, window_s=window_s, windows=windows,
            evict_after_s=None, keep=Keep(span_ms=int(span_s * 1000), points_max=points_max),
        )
        if not cls.aggregates:
            raise _refuse(cls, "", "no aggregates", "declare one, for example percent = value(Host.percent)")
        if span_s <= 0 or (window_s is not None and span_s < window_s):
            raise _refuse(cls, "span_s", span_s, "give at least one window")
        if not 2 <= points_max <= 20_000:
            raise _refuse(cls, "points_max", points_max, "give 2 to 20000 points a series")


class Log(Channel):
    """The newest entries, in order of event time."""

    kind = "log"

    def __init_subclass__(
        cls, *, feed: type[Feed], entries_max: int = 200, name: str | None = None, title: str | None = None,
        freshness: Freshness | None = None, policy: Policy = "every", partition: Field | None = None,
        partitions_max: int = 1_000, where: Condition | None = None,
    ) -> None:
        cls._declare(
            feed=feed, name=name, title=title, freshness=freshness, policy=policy, partition=partition,
            partitions_max=partitions_max, where=where, by=(), window_s=None, windows=1,
            evict_after_s=None, keep=Keep(entries_max=entries_max),
        )
        if cls.aggregates:
            raise _refuse(cls, "", sorted(cls.aggregates), "a Log keeps events; aggregates belong in Latest or Series")
        if not 1 <= entries_max <= 5_000:
            raise _refuse(cls, "entries_max", entries_max, "give 1 to 5000")


@dataclass(frozen=True, slots=True)
class Declarations:
    """All feeds and channels of a running system, by name."""

    feeds: Mapping[str, type[Feed]]
    channels: Mapping[str, type[Channel]]

    @classmethod
    def read(cls, modules: Iterable[ModuleType]) -> Declarations:
        """Collect what the modules declare. Raises DeclarationError where a name is taken twice."""
        feeds: dict[str, type[Feed]] = {}
        channels: dict[str, type[Channel]] = {}
        for module in modules:
            for declared in vars(module).values():
                if not isinstance(declared, type) or declared.__module__ != module.__name__:
                    continue
                if issubclass(declared, Feed):
                    _add(feeds, declared)
                elif issubclass(declared, Channel):
                    _add(channels, declared)
        for channel in channels.values():
            if feeds.get(channel.feed.name) is not channel.feed:
                raise _refuse(channel, "feed", channel.feed.__name__, "declare the feed in a loaded feed file")
        return cls(feeds, channels)

    def channels_of(self, feed: type[Feed]) -> tuple[type[Channel], ...]:
        return tuple(channel for channel in self.channels.values() if channel.feed is feed)

    def lanes(self) -> tuple[Lane, ...]:
        return tuple(lane for feed in self.feeds.values() for lane in feed.all_lanes())

    def resolve(self, name: str) -> ChannelRef | None:
        """The channel of a subscribed name such as `flights.board` or `flights.board:EWR`, or None."""
        base, colon, partition = name.partition(":")
        channel = self.channels.get(base)
        if channel is None or (channel.partition is None) is bool(colon) or (colon and not partition):
            return None
        return ChannelRef(channel, partition or None)


def _add(known: dict[str, Any], declared: Any) -> None:
    if declared.name in known:
        other = known[declared.name].__name__
        raise _refuse(declared, "name", declared.name, f"already the name of {other}; give another name=")
    known[declared.name] = declared
