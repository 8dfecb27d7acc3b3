"""Chart: series over a rolling window of time; zoom holds while data flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import aria, data
from components.block import (
    Block,
    ChannelLike,
    Thresholds,
    check_bounds,
    check_column,
    decimals_of,
    gap_ms,
    is_numeric,
    panel,
    ref_of,
    refuse,
    unit_and_limits,
    where_declared,
)
from components.formula import duration, formula_in_words, meaning_of
from components.freshness import Fact
from components.theme import figure, graph_config
from services.declare import Aggregate, ChannelRef, Feed

DAY_MS = 86_400_000
LOOKBACK_MS = {
    300_000: "5 min", 3_600_000: "1 h", 21_600_000: "6 h", DAY_MS: "24 h", 7 * DAY_MS: "7 d", 30 * DAY_MS: "30 d",
}
"""How far back one can look, where the channel's history reaches so far."""
PAINT_EVERY_MS = 250
"""A chart is redrawn at most this often: drawing one costs as much as painting a thousand tiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart(Block):
    """A checked chart; made by `chart()`."""

    kind: ClassVar[str] = "chart"

    aggregates: tuple[Aggregate, ...]
    names: tuple[str, ...] | None
    span_ms: int
    unit: str
    decimals: int | None
    scale: float
    bounds: tuple[float, float] | None
    logarithmic: bool
    thresholds: Thresholds

    @property
    def has_lines(self) -> bool:
        return True

    def draw(self, uid: str) -> Component:
        start = figure(
            self.unit, self.bounds, logarithmic=self.logarithmic,
            legend=bool(self.ref.channel.by) or len(self.aggregates) > 1,
        )
        graph = dcc.Graph(figure=start, config=graph_config(), responsive=True, className="graph")
        empty = [html.P("No values yet", className="empty"), html.P("Loading", className="empty loading")]
        # what stands in it belongs to the browser: assets/live/lookback.mjs
        bar = [html.Div(className="lookback", **data(lookback="1"))] if len(self.lookback()) > 1 else []
        return panel(self, uid, self.live(), self.facts(), [*bar, plot(self.title, [graph, *empty])])

    def lookback(self) -> list[tuple[int, str]]:
        """How far back it can look: its own span, less, and as far as the history reaches."""
        named = {ms: label for ms, label in LOOKBACK_MS.items() if ms < max(self.span_ms, self._history_ms() + 1)}
        if not self._history_ms():
            named = {}
        return sorted({**named, self.span_ms: LOOKBACK_MS.get(self.span_ms) or duration(self.span_ms / 1000)}.items())

    def _history_ms(self) -> int:
        history = self.ref.channel.history
        return int(max(history.days, history.hourly_days if history.days else 0) * DAY_MS)

    def live(self) -> dict[str, Any]:
        """What the painter reads."""
        channel = self.ref.channel
        return {
            "paint": "chart", "channel": self.ref.name, "by": bool(channel.by), "names": self.names,
            "fields": [{"field": one.name, "label": one.label} for one in self.aggregates],
            "span_ms": self.span_ms, "decimals": self.decimals, "unit": self.unit,
            "scale": self.scale, "every_ms": PAINT_EVERY_MS, "thresholds": self.thresholds.levels(),
            "bounds": self.bounds, "gap_ms": gap_ms(channel), "kept_ms": channel.keep.span_ms,
            "lookback": self.lookback(), "history_ms": self._history_ms(),
        }

    def facts(self) -> list[Fact]:
        """What its details say of what is shown."""
        by = f", one line for each {' and '.join(self.ref.channel.by)}" if self.ref.channel.by else ""
        several = len(self.aggregates) > 1
        facts: list[Fact] = []
        for one in self.aggregates:
            formula = formula_in_words(one, self.ref.channel, self.scale)
            facts += [("Definition", meaning_of(one, self.ref.channel)),
                      ("Formula", f"{one.label}: {formula}" if several else f"{formula}{by}")]
        return facts + unit_and_limits(self.unit, self.thresholds)


def plot(title: str, parts: list[Component]) -> Component:
    """The place of a graph, which takes the keyboard's focus."""
    keys = (
        "left and right arrows go from point to point, in all charts; a digit shows one line alone, 0 all;"
        " plus and minus zoom, shift and an arrow move what is zoomed"
    )
    return html.Div(parts, className="plot", tabIndex=0, role="group", **aria(label=f"{title}: plot", description=keys))


def chart(
    *values: Aggregate,
    of: ChannelLike | None = None,
    names: Sequence[str] | None = None,
    title: str | None = None,
    span_s: float | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    scale: float = 1.0,
    bounds: tuple[float, float] | None = None,
    logarithmic: bool = False,
    warn_above: float | None = None,
    bad_above: float | None = None,
    warn_below: float | None = None,
    bad_below: float | None = None,
) -> Chart:
    """Aggregates of one `Series` over time, a line for each; or one, with a line for each of its groups.

    `names` draws only these groups; `span_s` shows less than the channel keeps; `scale` multiplies what is
    shown; `bounds` fixes the value axis, `logarithmic` gives each power of ten the same room; limits are drawn
    as lines, in the shown unit. Raises DeclarationError with file, name, value and remedy where these do not
    fit together.
    """
    if not values:
        refuse("chart()", values, "give an aggregate of a Series, for example Delays.mean_delay")
    ref = _channel_of(values[0], of)
    what = f"chart({', '.join(map(repr, values))})"
    for value in values:
        check_column(what, ref.channel, value)
        if not is_numeric(value):
            refuse(what, value, "it is not numeric: draw a Number, Integer or Flag; show texts in a table or log")
    _check_together(what, ref, values, unit)
    if names is not None and not ref.channel.by:
        refuse(f"{what}.names", list(names), f"{ref.channel.name!r} has a single series: leave names out")
    check_bounds(what, bounds)
    if bounds is not None and logarithmic:
        refuse(f"{what}.bounds", bounds, "a logarithmic axis finds its own bounds: leave one of the two out")
    return Chart(
        ref=ref, title=title or _title(ref, values), declared_at=where_declared(), aggregates=values,
        names=None if names is None else tuple(names), span_ms=_span_ms(what, ref, span_s),
        unit=values[0].unit if unit is None else unit,
        decimals=decimals if decimals is not None else _decimals(values), scale=scale, bounds=bounds,
        logarithmic=logarithmic,
        thresholds=Thresholds.read(warn_above, bad_above, warn_below, bad_below),
    )


def _channel_of(value: object, of: ChannelLike | None) -> ChannelRef:
    """The Series that declares the aggregate, or the part of it that `of` names."""
    if not isinstance(value, Aggregate) or value.owner is None or issubclass(value.owner, Feed):
        refuse("chart()", value, "give an aggregate of a Series, for example Delays.mean_delay")
    ref = ref_of("chart", of if of is not None else value.owner)
    if ref.channel.kind != "series":
        remedy = f"{ref.channel.name!r} is a {ref.channel.kind}: a chart draws a Series; use {_instead(ref)}"
        refuse(f"chart({value!r})", value, remedy)
    return ref


def _check_together(what: str, ref: ChannelRef, values: Sequence[Aggregate], unit: str | None) -> None:
    """Refuse several aggregates that have no common axis, or whose lines could not be told apart."""
    if len(values) == 1:
        return
    if ref.channel.by:
        groups = " and ".join(ref.channel.by)
        refuse(what, list(values), f"{ref.channel.name!r} has a line for each {groups}: give each aggregate its chart")
    if len(set(values)) < len(values):
        refuse(what, list(values), "an aggregate stands twice: leave one out")
    units = sorted({value.unit for value in values})
    if unit is None and len(units) > 1:
        refuse(f"{what}.unit", units, "they share one axis: draw those of one unit, or give unit='…' where it fits all")


def _decimals(values: Sequence[Aggregate]) -> int | None:
    known = [places for places in map(decimals_of, values) if places is not None]
    return max(known, default=None)


def _title(ref: ChannelRef, values: Sequence[Aggregate]) -> str:
    """A channel whose every aggregate is drawn is called like the channel; else their labels say what it shows."""
    if len(ref.channel.aggregates) == len(values):
        return ref.channel.title
    labels = [values[0].label, *(value.label.lower() for value in values[1:])]
    return labels[0] if len(labels) == 1 else f"{', '.join(labels[:-1])} and {labels[-1]}"


def _instead(ref: ChannelRef) -> str:
    return "tile() or table()" if ref.channel.kind == "latest" else "log()"


def _span_ms(what: str, ref: ChannelRef, span_s: float | None) -> int:
    kept_ms = ref.channel.keep.span_ms or 0
    if span_s is None:
        return kept_ms
    if not 0 < span_s * 1000 <= kept_ms:
        refuse(f"{what}.span_s", span_s, f"the channel keeps {kept_ms / 1000:g} s: give that or less")
    return int(span_s * 1000)
