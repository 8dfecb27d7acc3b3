"""Heat map: a number for each pair of two things as a colour and in figures: lines over time, or rows by two fields."""

from __future__ import annotations

import math
from typing import Any

from components.block import (
    ChannelLike,
    check_bounds,
    check_column,
    columns_of,
    decimals_of,
    is_numeric,
    live_column,
    refuse,
    shown_channel,
    type_of,
    unit_and_limits,
)
from components.formula import duration, formula_in_words, meaning_of
from components.freshness import Fact
from components.painted import Painted, painted
from services.declare import Channel, ChannelRef, Column

COLUMNS_MAX = 60
_KINDS = {"latest": "", "series": "", "log": "give a Series, or a Latest by two fields; use log() or histogram()"}


def heat_map(
    value: Column,
    *,
    of: ChannelLike | None = None,
    x: Column | None = None,
    y: Column | None = None,
    columns: int = 24,
    title: str | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    scale: float = 1.0,
    bounds: tuple[float, float] | None = None,
) -> Painted:
    """Of a `Series` its lines over time, in `columns` steps; of a `Latest` its rows by the fields `x` and `y`.

    A `Latest` that is grouped by two fields needs neither. `bounds` are the values of the palest and of the strongest
    colour, else the least and the greatest that are shown; `scale` multiplies what is shown. Raises DeclarationError
    with file, name, value and remedy where these do not fit together.
    """
    what, ref, column = shown_channel("heat_map", value, of, _KINDS)
    if not is_numeric(column):
        refuse(what, type_of(column), "a colour stands for a Number, Integer or Flag; show texts in a table()")
    if not 2 <= columns <= COLUMNS_MAX:
        refuse(f"{what}.columns", columns, f"give 2 to {COLUMNS_MAX} columns")
    check_bounds(what, bounds)
    is_series = ref.channel.kind == "series"
    if is_series and (x is not None or y is not None):
        refuse(f"{what}.{'x' if x is not None else 'y'}", x or y, "a Series is drawn over time, a line for each group")
    axes = _over_time(ref, columns) if is_series else _by_fields(what, ref.channel, x, y)
    shown_unit = column.unit if unit is None else unit
    options: dict[str, Any] = {
        "value": column.name, "unit": shown_unit, "scale": scale, "bounds": bounds,
        "decimals": decimals if decimals is not None else decimals_of(column), **axes[0],
    }
    facts: list[Fact] = [("Definition", meaning_of(column, ref.channel)),
                         ("Formula", formula_in_words(column, ref.channel, scale)), ("Cells", axes[1]),
                         *unit_and_limits(shown_unit)]
    sides = [] if is_series else [columns_of(ref.channel)[axes[0][name]["field"]] for name in ("y", "x")]
    return painted("heat_map", ref, fields=list(dict.fromkeys([*sides, column])), options=options, facts=facts,
                   title=title or column.label, every_ms=250)


def _over_time(ref: ChannelRef, columns: int) -> tuple[dict[str, Any], str]:
    """The steps of time that the channel's span is cut into, each of whole windows."""
    channel, span_s = ref.channel, (ref.channel.keep.span_ms or 0) / 1000
    window_s = channel.window_s or 1.0
    step_s = window_s * math.ceil(span_s / columns / window_s)
    told = f"the newest value in each step of {duration(step_s)}; the newest step is not over yet"
    return {"step_ms": int(step_s * 1000), "columns": columns, "by": bool(channel.by)}, told


def _by_fields(what: str, channel: type[Channel], x: Column | None, y: Column | None) -> tuple[dict[str, Any], str]:
    """The two fields of a Latest that its rows are laid out by."""
    if x is None and y is None and len(channel.by) == 2:
        y, x = (channel.feed.fields[name] for name in channel.by)
    if x is None or y is None:
        refuse(what, channel.name, "its rows need two sides: add x=<field> and y=<field>, or group it by two fields")
    sides = {name: live_column(check_column(f"{what}.{name}", channel, one)) for name, one in (("y", y), ("x", x))}
    if x is y:
        refuse(f"{what}.x", x, "it is y as well: give another field")
    return sides, f"the row of each {y.label.lower()} and {x.label.lower()}; where there are several, the last by key"
