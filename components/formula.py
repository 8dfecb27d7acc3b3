"""Formula: how a shown value is computed, in words that a reader of the page knows: labels, not names of fields."""

from __future__ import annotations

from collections.abc import Sequence

from services.declare import Aggregate, Channel, Column

_FUNCTIONS = {"sum": "sum of", "mean": "mean of", "min": "least", "max": "greatest", "value": "newest"}


def duration(seconds: float) -> str:
    """A time span in words, in the largest unit that needs no fraction: 5400 is `90 min`."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= size and seconds % size == 0:
            return f"{seconds / size:g} {unit}"
    return f"{seconds:g} s" if seconds >= 1 else f"{seconds * 1000:g} ms"


def formula_in_words(column: Column, channel: type[Channel], scale: float = 1.0) -> str:
    """What is computed, of which field, of which events, over which time; and by what it is multiplied."""
    if not isinstance(column, Aggregate):
        return f"{column.label} of the newest event; at equal times the greater id is the newer{_times(scale)}"
    condition = f" where {column.where.describe()}" if column.where else ""
    return f"{function_in_words(column)}{condition}, {_over(channel)}{_times(scale)}"


def function_in_words(column: Aggregate) -> str:
    """What an aggregate computes of which field."""
    field = column.field
    if field is None:
        return "events a second" if column.function == "rate" else "number of events"
    if column.function == "quantile":
        percent = 100 * (column.q if column.q is not None else 0.5)
        return f"p{percent:g} of {field.label}, sketch ±1 %"
    if column.function == "mean" and field.value_type == "flag":
        return f"share of events with {field.label}"
    return f"{_FUNCTIONS[column.function]} {field.label}"


def _over(channel: type[Channel]) -> str:
    if channel.window_s is None:
        return "each event by itself"
    if channel.windows == 1:
        return f"over each window of {duration(channel.window_s)}"
    whole = duration(channel.window_s * channel.windows)
    return f"over the last {whole}: {channel.windows} windows of {duration(channel.window_s)}"


def _times(scale: float) -> str:
    return "" if scale == 1.0 else f"; times {scale:g}"


def meaning_of(column: Column, channel: type[Channel]) -> str:
    """What a value is: as its column says, else its label and what its channel says of itself."""
    if column.about:
        return f"{column.label}: {column.about}"
    words = " ".join((channel.__doc__ or channel.title).split())
    return f"{column.label}. {words}"


def columns_in_words(columns: Sequence[Column], channel: type[Channel]) -> list[tuple[str, str]]:
    """The facts of many columns: the formula of each that is computed, the rule of all others, and their units."""
    computed = [one for one in columns if isinstance(one, Aggregate)]
    facts = [("Formula", f"{one.label}: {formula_in_words(one, channel)}") for one in computed]
    if len(computed) < len(columns):
        rule = "as the event says it" if channel.kind == "log" else "as the newest event of its row says it"
        facts.append(("Formula", f"{'the other columns' if computed else 'each column'} {rule}"))
    explained = "; ".join(f"{one.label}: {one.about}" for one in columns if one.about)
    units = ", ".join(f"{one.label} in {one.unit}" for one in columns if one.unit)
    return [*facts, *([("Columns", explained)] if explained else []), *([("Unit", units)] if units else [])]
