"""Histogram: how the values of a field lie: how many rows, entries or points have a value from here to there."""

from __future__ import annotations

from typing import Any

from components.block import (
    ChannelLike,
    check_bounds,
    decimals_of,
    is_numeric,
    refuse,
    shown_channel,
    type_of,
    unit_and_limits,
)
from components.formula import formula_in_words, meaning_of
from components.freshness import Fact
from components.painted import Painted, painted
from services.declare import Column

BINS_MAX = 60
_KINDS = {"latest": "", "series": "", "log": ""}
_OF = {"latest": "the rows", "series": "the points", "log": "the entries"}


def histogram(
    value: Column,
    *,
    of: ChannelLike | None = None,
    bins: int = 20,
    bounds: tuple[float, float] | None = None,
    title: str | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    scale: float = 1.0,
) -> Painted:
    """How many rows of a `Latest`, entries of a `Log` or points of a `Series` have a value in each of `bins` ranges.

    `bounds` fixes the ranges: what lies outside is counted in the first or the last of them, which say so. Without
    them about as many ranges of a round width hold all values. `scale` multiplies what is shown. Raises
    DeclarationError with file, name, value and remedy where these do not fit together.
    """
    what, ref, column = shown_channel("histogram", value, of, _KINDS)
    if not is_numeric(column):
        refuse(what, type_of(column), "a range is of a Number, Integer or Flag; count texts by a channel with by=")
    if not 2 <= bins <= BINS_MAX:
        refuse(f"{what}.bins", bins, f"give 2 to {BINS_MAX} bins")
    check_bounds(what, bounds)
    shown_unit = column.unit if unit is None else unit
    kept = _OF[ref.channel.kind]
    facts: list[Fact] = [("Definition", meaning_of(column, ref.channel)),
                         ("Formula", f"number of {kept[4:]} by value: {formula_in_words(column, ref.channel, scale)}"),
                         ("Counts", f"{kept} that the channel keeps; those without a value are left out"),
                         *unit_and_limits(shown_unit)]
    options: dict[str, Any] = {
        "value": column.name, "bins": bins, "bounds": bounds, "unit": shown_unit, "scale": scale,
        "decimals": decimals if decimals is not None else decimals_of(column), "noun": kept[4:],
    }
    return painted("histogram", ref, fields=[column], options=options, facts=facts,
                   title=title or f"{column.label}: distribution", every_ms=250)
