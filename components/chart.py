"""Chart: series over a rolling window of time; zoom holds while data flows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dash import dcc, html
from dash.development.base_component import Component

from components.block import (
    Block,
    ChannelLike,
    Thresholds,
    check_column,
    decimals_of,
    gap_ms,
    is_numeric,
    panel,
    ref_of,
    refuse,
    where_declared,
)
from components.freshness import Fact
from components.theme import figure, graph_config
from services.declare import Aggregate, ChannelRef, Feed

PAINT_EVERY_MS = 250
"""A chart is redrawn at most this often: drawing one costs as much as painting a thousand tiles."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart(Block):
    """A checked chart; made by `chart()`."""

    kind: ClassVar[str] = "chart"

    aggregate: Aggregate
    names: tuple[str, ...] | None
    span_ms: int
    unit: str
    decimals: int | None
    scale: float
    bounds: tuple[float, float] | None
    logarithmic: bool
    thresholds: Thresholds

    def draw(self, uid: str) -> Component:
        start = figure(
            self.unit, self.bounds, logarithmic=self.logarithmic, legend=bool(self.ref.channel.by)
        )
        graph = dcc.Graph(figure=start, config=graph_config(), responsive=True, className="graph")
        empty = html.P("No values yet", className="empty")
        return panel(self, uid, self._live(), self._facts(), [html.Div([graph, empty], className="plot")])

    def _live(self) -> dict[str, Any]:
        channel = self.ref.channel
        window = {} if channel.window_s is None else {"window_ms": int(channel.window_s * 1000)}
        return {
            "paint": "chart", "channel": self.ref.name, "field": self.aggregate.name, "by": bool(channel.by),
            "names": self.names, "span_ms": self.span_ms, "decimals": self.decimals, "unit": self.unit,
            "scale": self.scale, "every_ms": PAINT_EVERY_MS, "thresholds": self.thresholds.levels(),
            "gap_ms": gap_ms(channel), **window,
        }

    def _facts(self) -> list[Fact]:
        aggregate = self.aggregate
        by = f", one line for each {' and '.join(self.ref.channel.by)}" if self.ref.channel.by else ""
        meaning = [("Meaning", aggregate.about)] if aggregate.about else []
        facts = [("Definition", f"{aggregate.definition}{by}"), *meaning]
        if self.unit:
            facts.append(("Unit", self.unit))
        if limits := self.thresholds.in_words(self.unit):
            facts.append(("Limits", limits))
        return facts


def chart(
    value: Aggregate,
    *,
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
    """An aggregate of a `Series` over time, one line for each of its groups (or for those in `names`).

    `span_s` shows less than the channel keeps; `scale` multiplies what is shown; `bounds` fixes the value
    axis, `logarithmic` gives each power of ten the same room; limits are drawn as lines, in the shown
    unit. Raises DeclarationError with file, name, value and remedy where these do not fit together.
    """
    ref = _channel_of(value, of)
    what = f"chart({value!r})"
    check_column(what, ref.channel, value)
    if not is_numeric(value):
        refuse(what, value, "it is not numeric: draw a Number, Integer or Flag; show texts in a table or log")
    if names is not None and not ref.channel.by:
        refuse(f"{what}.names", list(names), f"{ref.channel.name!r} has a single series: leave names out")
    if bounds is not None and not bounds[0] < bounds[1]:
        refuse(f"{what}.bounds", bounds, "give the lower bound first, for example (0, 100)")
    if bounds is not None and logarithmic:
        refuse(f"{what}.bounds", bounds, "a logarithmic axis finds its own bounds: leave one of the two out")
    return Chart(
        ref=ref, title=title or _title(ref, value), declared_at=where_declared(), aggregate=value,
        names=None if names is None else tuple(names), span_ms=_span_ms(what, ref, span_s),
        unit=value.unit if unit is None else unit,
        decimals=decimals if decimals is not None else decimals_of(value), scale=scale, bounds=bounds,
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


def _title(ref: ChannelRef, value: Aggregate) -> str:
    """A channel of one aggregate is called like the channel, since its label alone would say too little."""
    return ref.channel.title if len(ref.channel.aggregates) == 1 else value.label


def _instead(ref: ChannelRef) -> str:
    return "tile() or table()" if ref.channel.kind == "latest" else "log()"


def _span_ms(what: str, ref: ChannelRef, span_s: float | None) -> int:
    kept_ms = ref.channel.keep.span_ms or 0
    if span_s is None:
        return kept_ms
    if not 0 < span_s * 1000 <= kept_ms:
        refuse(f"{what}.span_s", span_s, f"the channel keeps {kept_ms / 1000:g} s: give that or less")
    return int(span_s * 1000)
