"""Statement: all that is declared, flat, so that it can be locked, compared and written as clauses.

Each thing has a key, such as `feed flights > channel board > column departures`, and its declared properties as JSON.
What follows from another property is left out: one change of a declaration is one change here.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, TypeAlias

from services.contract.clause import Clause
from services.contract.clauses import File
from services.contract.scope import Named
from services.declare import Aggregate, Channel, Column, Declarations, FeedSpec, Field, is_of_clients
from services.declare.enrich import describe

Properties: TypeAlias = Mapping[str, Any]
Statement: TypeAlias = dict[str, Properties]
"""Things by key, parents before children, in order of declaration."""

JOINED = " > "
AS_FEED = "as its feed"
_NAMED_BY: tuple[tuple[str, ...], ...] = (("name",), ("severity", "hours"), ("feed",), ("phase",))


def under(key: str, kind: str, name: str = "") -> str:
    """The key of a thing that belongs to another; an empty key is none."""
    own = f"{kind} {name}".rstrip()
    return f"{key}{JOINED}{own}" if key else own


def kind_of(key: str) -> str:
    """`column` of `feed flights > channel board > column departures`."""
    return key.rpartition(JOINED)[2].partition(" ")[0]


def name_of(key: str) -> str:
    return key.rpartition(JOINED)[2].partition(" ")[2]


def parent_of(key: str) -> str:
    return key.rpartition(JOINED)[0]


# The document ---------------------------------------------------------------------------------------


def of_file(file: File) -> Statement:
    """Every field of `contract.toml`, those with their default included."""
    found: Statement = {}
    for name in File.model_fields:
        _take(found, "", name, getattr(file, name))
    return {key: properties for key, properties in found.items() if properties}


def _take(found: Statement, at: str, name: str, value: Any) -> None:
    """A table, or each of a list of tables."""
    if isinstance(value, Clause):
        _walk(found, under(at, name), value, ())
    elif isinstance(value, list):
        for number, one in enumerate(value, start=1):
            named_by = _named_by(one)
            key = under(at, name, " ".join(str(getattr(one, each)) for each in named_by) or str(number))
            _walk(found, key, one, named_by)


def _named_by(clause: Clause) -> tuple[str, ...]:
    """The fields that tell one table of a list from another; none where only its place does."""
    fields = type(clause).model_fields
    if "long_s" in fields:  # burn rates are told apart by their place
        return ()
    if "severity" in fields and "name" not in fields:
        return ("severity", "hours") if "hours" in fields else ("severity",)
    return next((names for names in _NAMED_BY if all(name in fields for name in names)), ())


def _walk(found: Statement, key: str, clause: Clause, named_by: tuple[str, ...]) -> None:
    own: dict[str, Any] = {}
    found[key] = own
    said = clause.model_dump(mode="json", warnings=False)
    for name in type(clause).model_fields:
        value = getattr(clause, name)
        tables = isinstance(value, list) and (not value or isinstance(value[0], Clause))
        if isinstance(value, Clause) or (tables and value):
            _take(found, key, name, value)
        elif value is not None and not tables and name not in named_by:
            own[name] = said[name]


# What feed files declare ------------------------------------------------------------------------------


def of_declarations(declarations: Declarations, named: Named) -> Statement:
    """The feeds in scope with their fields and channels; a channel in parts belongs to the one it is made from."""
    found: Statement = {}
    twins = {channel.twin for channel in declarations.channels.values()}
    for feed in declarations.feeds.values():
        if not is_of_clients(feed.name) or (named.feeds is not None and feed.name not in named.feeds):
            continue
        key = under("", "feed", feed.name)
        found[key] = _feed(feed)
        for field in feed.fields.values():
            found[under(key, "field", field.name)] = _field(field)
        for name, said in feed.source.mapping.described(feed) if feed.source.mapping else ():
            found[under(key, "mapping", name)] = said
        for channel in declarations.channels.values():
            left_out = named.channels is not None and channel.name not in named.channels
            if channel.feed.name == feed.name and channel not in twins and not left_out:
                found.update(_channel(key, channel))
    return found


def _feed(feed: FeedSpec) -> Properties:
    properties = {
        "about": _first_line(feed.declared_by),
        "source": _source(feed),
        "key": feed.key,
        "partition": feed.partition,
        "lanes": feed.lanes,
        "lateness_s": feed.lateness_s,
        "strict": feed.strict,
        "freshness": plain(feed.freshness),
        "history": plain(feed.history),
        "enriched": [describe(step) for step in feed.enrich] or None,
        "retired": None if feed.retired is None else feed.retired.in_words(),
    }
    return _present(properties)


def _source(feed: FeedSpec) -> Properties:
    """What the source says of itself: its title and its figures. Nothing that could be a secret."""
    source = feed.source
    figures = {
        name: value
        for name, value in vars(source).items()
        if not name.startswith("_") and isinstance(value, int | float)
    }
    transport = "pulled by the worker" if source.pulled else "posted to the dashboard"
    transport = "computed from other channels" if source.derived else transport
    return {"kind": type(source).__name__, "title": source.title, "transport": transport, **figures}


def _field(field: Field) -> Properties:
    own = {
        "type": field.value_type,
        "required": field.required,
        "personal": field.personal,
        "max_length": getattr(field, "max_length", None),
    }
    return _present({**own, **_column(field), "unit": field.unit})


def _channel(feed_key: str, channel: type[Channel]) -> Iterator[tuple[str, Properties]]:
    key = under(feed_key, "channel", channel.name.partition(".")[2])
    freshness, history = channel.freshness, channel.history
    inherited = _inherited_history(channel)
    properties = {
        "kind": channel.kind,
        "title": channel.title,
        "about": _first_line(channel),
        "where": channel.where.describe() if channel.where else None,
        "by": list(channel.by) or None,
        "window_s": channel.window_s,
        "windows": None if channel.window_s is None else channel.windows,
        "evict_after_s": channel.evict_after_s,
        "keep": channel.keep.as_json(),
        "partition": channel.partition,
        "partitions_max": channel.partitions_max,
        "parts": None if channel.twin is None else channel.twin.partition,
        "retired": None if channel.retired is None else channel.retired.in_words(),
        "freshness": AS_FEED if freshness == channel.feed.freshness else plain(freshness),
        "history": AS_FEED if (history.days, history.hourly_days) == inherited else plain(history),
    }
    yield key, _present(properties)
    for aggregate in channel.aggregates.values():
        yield under(key, "column", aggregate.name), _aggregate(aggregate)


def _inherited_history(channel: type[Channel]) -> tuple[float, float]:
    """The days and hourly days that a channel has from its feed: a log no hours."""
    own = channel.feed.history
    return own.days, 0 if channel.kind == "log" else own.hourly_days


def _aggregate(aggregate: Aggregate) -> Properties:
    field = aggregate.field
    inherited = "" if field is None else field.unit
    own = {
        "function": aggregate.function,
        "field": None if field is None else field.name,
        "q": aggregate.q,
        "where": aggregate.where.describe() if aggregate.where else None,
        "unit": None if aggregate.unit == inherited else aggregate.unit,
    }
    return _present({**own, **_column(aggregate)})


def _column(column: Column) -> dict[str, Any]:
    return {"label": column.label, "decimals": column.decimals, "about": column.about or None}


def plain(rule: Any) -> dict[str, Any]:
    """A frozen rule as JSON: its fields by name."""
    return {name: getattr(rule, name) for name in rule.__dataclass_fields__}


def _first_line(declared: type) -> str | None:
    return (declared.__doc__ or "").strip().partition("\n")[0] or None


def _present(properties: Mapping[str, Any]) -> Properties:
    return {name: value for name, value in properties.items() if value is not None}
