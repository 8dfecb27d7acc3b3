"""Tile: one number (or text) at a glance: value, unit, change, trend and thresholds."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from dash import html
from dash.development.base_component import Component

from components.attributes import aria, data
from components.block import (
    Block,
    ChannelLike,
    Thresholds,
    check_column,
    decimals_of,
    gap_ms,
    is_numeric,
    names_of,
    panel,
    ref_of,
    refuse,
    shown_channel,
    type_of,
    unit_and_limits,
    where_declared,
    windows_of,
)
from components.formula import duration, formula_in_words, meaning_of
from components.freshness import Fact
from services.declare import Aggregate, Channel, ChannelRef, Column, Field

_KINDS = {
    "latest": "", "series": "a tile shows a Latest; use chart(), or trend= beside a Latest's value",
    "log": "a tile shows a Latest; use log()",
}


@dataclass(frozen=True, slots=True)
class Trend:
    """The series behind a tile's sparkline and its change, as the painter reads it."""

    channel: str
    series: str
    span_ms: int
    gap_ms: int | None
    window_ms: int | None
    windows: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Tile(Block):
    """A checked tile; made by `tile()`."""

    kind: ClassVar[str] = "tile"

    column: Column
    key: str
    unit: str
    decimals: int | None
    scale: float
    thresholds: Thresholds
    trend: Trend | None
    trend_ref: ChannelRef | None
    missing: str

    @property
    def refs(self) -> tuple[ChannelRef, ...]:
        return (self.ref,) if self.trend_ref is None else (self.ref, self.trend_ref)

    def following(self, field: Field) -> dict[str, Any] | None:
        """A tile follows with its trend, or without one that cannot."""
        own = super(Tile, self).following(field)  # without arguments it fails in a class that has slots
        if own is None or self.trend_ref is None:
            return own
        twin = self.trend_ref.channel.twin
        can_follow = self.trend_ref.partition is None and twin is not None and twin.partition == field.name
        return {**own, "trend": twin.name if can_follow and twin is not None else None}

    def draw(self, uid: str) -> Component:
        change = self._change_in_words()
        value = html.Div(
            [
                html.Span("", className="value", **data(value="", type=type_of(self.column))),
                html.Span(self.unit, className="unit", **data(unit="")),
                html.Span("", className="change", **data(window="")),
                html.Span("", className="change", title=change, **data(change="")),
            ],
            className="reading",
        )
        trend = [html.Div("", className="trend", **data(trend=""), **aria(hidden="true"))] if self.trend else []
        return panel(self, uid, self._live(), self._facts(), [value, *trend])

    def _change_in_words(self) -> str | None:
        if self.trend is None:
            return None
        windows, values = "newest complete window less the oldest complete one", "newest value less the oldest"
        return f"{windows if self.trend.window_ms else values} of the last {duration(self.trend.span_ms / 1000)}"

    def _live(self) -> dict[str, Any]:
        trend = {} if self.trend is None else {"trend": asdict(self.trend)}
        return {
            "paint": "tile", "channel": self.ref.name, "key": self.key, "field": self.column.name,
            "type": type_of(self.column), "decimals": self.decimals, "unit": self.unit, "scale": self.scale,
            "thresholds": self.thresholds.levels(), "direction": self.thresholds.direction,
            "missing": self.missing, **trend,
        }

    def _facts(self) -> list[Fact]:
        column, channel = self.column, self.ref.channel
        of = "" if isinstance(column, Aggregate) and not channel.by else f" of {self.key}"
        facts = [("Definition", meaning_of(column, channel)),
                 ("Formula", f"{formula_in_words(column, channel, self.scale)}{of and f'; the row{of}'}")]
        facts += unit_and_limits(self.unit, self.thresholds)
        if change := self._change_in_words():
            facts.append(("Change", change))
        return facts


def tile(
    value: Column,
    *,
    of: ChannelLike | None = None,
    key: str | int | None = None,
    title: str | None = None,
    unit: str | None = None,
    decimals: int | None = None,
    scale: float = 1.0,
    trend: Aggregate | None = None,
    trend_of: ChannelLike | None = None,
    warn_above: float | None = None,
    bad_above: float | None = None,
    warn_below: float | None = None,
    bad_below: float | None = None,
    missing: str | None = None,
) -> Tile:
    """One value: an aggregate of a `Latest`, or a field of one row with `of=<Latest>, key=<row>`.

    `scale` multiplies what is shown (100 makes a share a percentage); limits are in the shown unit.
    `trend` names an aggregate of a `Series` for the sparkline and the change. `missing` says
    why there is a dash where the row has no such value. Raises DeclarationError
    with file, name, value and remedy where these do not fit together.
    """
    what, ref, column = shown_channel("tile", value, of, _KINDS, " and key=<the row>")
    thresholds = Thresholds.read(warn_above, bad_above, warn_below, bad_below)
    if not is_numeric(column) and (thresholds.levels() or scale != 1.0 or trend is not None):
        refuse(what, type_of(column), "only numbers have limits, a scale or a trend")
    row = _row_key(what, ref.channel, key)
    trend_ref = None if trend is None else _trend_channel(f"{what}.trend", trend, trend_of)
    return Tile(
        ref=ref, title=title or column.label, declared_at=where_declared(), column=column, key=row,
        unit=column.unit if unit is None else unit,
        decimals=decimals if decimals is not None else decimals_of(column),
        scale=scale, thresholds=thresholds, trend=_trend(trend, trend_ref, row), trend_ref=trend_ref,
        missing=missing or _without_value(column, ref.channel),
    )


def _without_value(column: Column, channel: type[Channel]) -> str:
    """Why a row may be there without this value."""
    if not isinstance(column, Aggregate):
        return "not in the newest event"
    return "no values in its window" if channel.window_s else "no values yet"


def _row_key(what: str, channel: type[Channel], key: str | int | None) -> str:
    """The row that is shown: the one of an ungrouped aggregate, else the row that was named."""
    single = bool(channel.aggregates) and not channel.by
    if single and key is not None:
        refuse(what, key, f"{channel.name!r} has a single row: leave key out")
    if not single and key is None:
        refuse(what, key, f"{channel.name!r} has many rows: add key=<{' and '.join(names_of(channel))}>")
    return "all" if key is None else str(key)


def _trend_channel(what: str, trend: object, of: ChannelLike | None) -> ChannelRef:
    """The Series that a trend is drawn from."""
    if not isinstance(trend, Aggregate) or trend.owner is None or not is_numeric(trend):
        refuse(what, trend, "give a numeric aggregate of a Series, for example Hourly.departures")
    ref = ref_of("trend", of if of is not None else trend.owner)
    if ref.channel.kind != "series":
        refuse(what, trend, f"{ref.channel.name!r} is a {ref.channel.kind}: a trend needs a Series")
    check_column(what, ref.channel, trend)
    return ref


def _trend(trend: Aggregate | None, ref: ChannelRef | None, row: str) -> Trend | None:
    """The sparkline's series; of a grouped Series the group of the tile's row."""
    if trend is None or ref is None:
        return None
    series = f"{trend.name}:{row}" if ref.channel.by else trend.name
    windowed: dict[str, Any] = {"window_ms": None, "windows": 1, **windows_of(ref.channel)}
    return Trend(channel=ref.name, series=series, span_ms=ref.channel.keep.span_ms or 0, gap_ms=gap_ms(ref.channel),
                 **windowed)
