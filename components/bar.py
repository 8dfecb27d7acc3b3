"""Bar: the rows of a `Latest` by one of their numbers, the greatest first: a top ten while it changes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from components.block import (
    ChannelLike,
    Thresholds,
    check_bounds,
    decimals_of,
    is_numeric,
    label_columns,
    refuse,
    shown_channel,
    type_of,
    unit_and_limits,
)
from components.formula import formula_in_words, meaning_of
from components.freshness import Fact
from components.painted import Painted, painted
from services.declare import Column

TOP_MAX = 100
_KINDS = {"latest": "", "series": "a bar stands for a row: give a Latest, or use chart()",
          "log": "a bar stands for a row: give a Latest, or use histogram()"}


def bar(
    value: Column,
    *,
    of: ChannelLike | None = None,
    label: Column | Sequence[Column] | None = None,
    top: int = 10,
    ascending: bool = False,
    title: str | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    scale: float = 1.0,
    bounds: tuple[float, float] | None = None,
    warn_above: float | None = None,
    bad_above: float | None = None,
    warn_below: float | None = None,
    bad_below: float | None = None,
) -> Painted:
    """A bar for each row of a `Latest`, as long as its value, the `top` greatest (or with `ascending` least) of them.

    `label` is what a row is called (its key by default); `scale` multiplies what is shown; `bounds` fixes the length
    of a full bar; limits are in the shown unit. Raises DeclarationError with file, name, value and remedy where these
    do not fit together.
    """
    what, ref, column = shown_channel("bar", value, of, _KINDS)
    if not is_numeric(column):
        refuse(what, type_of(column), "a bar needs a Number, Integer or Flag; show texts in a status_list() or table()")
    if not 1 <= top <= TOP_MAX:
        refuse(f"{what}.top", top, f"give 1 to {TOP_MAX} bars; show all rows in a table()")
    check_bounds(what, bounds)
    named = label_columns(what, ref.channel, label)
    limits = Thresholds.read(warn_above, bad_above, warn_below, bad_below)
    shown_unit = column.unit if unit is None else unit
    which = f"the {top} {'least' if ascending else 'greatest'} of all rows; rows without a value have no bar"
    facts: list[Fact] = [("Definition", meaning_of(column, ref.channel)),
                         ("Formula", formula_in_words(column, ref.channel, scale)), ("Shows", which),
                         *unit_and_limits(shown_unit, limits)]
    options: dict[str, Any] = {
        "value": column.name, "label": [one.name for one in named], "top": top, "ascending": ascending,
        "unit": shown_unit, "decimals": decimals if decimals is not None else decimals_of(column), "scale": scale,
        "bounds": bounds, "thresholds": limits.levels(), "direction": limits.direction,
    }
    return painted("bar", ref, fields=list(dict.fromkeys([*named, column])), options=options, facts=facts,
                   title=title or f"{column.label} by {' and '.join(one.label.lower() for one in named)}",
                   empty="No rows yet")
