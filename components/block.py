"""Block: what every live component of a page has: a channel, a title, its badge, and where it was declared.

Each factory checks what it is given and makes a block; the page draws it.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, NoReturn, TypeAlias

from dash import html
from dash.development.base_component import Component

from components.attributes import aria, data
from components.freshness import Fact, badge, source_in_words
from components.live import live_data
from components.pause import pause_button
from services.declare import Aggregate, Channel, ChannelRef, Column, DeclarationError, Feed, Field

ChannelLike: TypeAlias = type[Channel] | ChannelRef
Direction: TypeAlias = Literal["above", "below"]

_OWN_MODULES = ("components.", "headwater")
_TIMES = ("window_start", "window_end", "created_at")


def where_declared() -> str:
    """File and line of the page that calls a factory: the first frame outside the components."""
    frame = sys._getframe(1)
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith(_OWN_MODULES):
        frame = frame.f_back
    return f"{frame.f_code.co_filename}:{frame.f_lineno}"


def refuse(name: str, value: object, remedy: str) -> NoReturn:
    """Raise DeclarationError for a page that declares `name` wrongly."""
    raise DeclarationError(where_declared(), name, value, remedy)


def ref_of(factory: str, channel: object) -> ChannelRef:
    """The channel to subscribe to; refuses what is no channel, and a partitioned one without its partition."""
    if isinstance(channel, ChannelRef):
        return channel
    if not (isinstance(channel, type) and issubclass(channel, Channel) and hasattr(channel, "name")):
        refuse(f"{factory}()", channel, "give a channel, for example Board, or one of its parts: Board.part('EWR')")
    if channel.partition is not None:
        remedy = f"it is partitioned by {channel.partition!r}: give {channel.__name__}.part(<{channel.partition}>)"
        refuse(f"{factory}({channel.__name__})", channel.name, remedy)
    return ChannelRef(channel)


def columns_of(channel: type[Channel]) -> dict[str, Column]:
    """Every column that a component may show of a channel: its own and the fields that group it."""
    grouped = {name: channel.feed.fields[name] for name in channel.by} if channel.aggregates else {}
    return {**grouped, **channel.columns()}


def check_column(what: str, channel: type[Channel], column: object) -> Column:
    """The column, when it is one of the channel's."""
    known = columns_of(channel)
    if isinstance(column, Column) and known.get(column.name) is column:
        return column
    names = ", ".join(repr(known_column) for known_column in known.values())
    refuse(what, column, f"it is no column of {channel.name!r}; give one of {names}")


def shown_channel(
    factory: str, value: object, of: ChannelLike | None, kinds: Mapping[str, str], row: str = ""
) -> tuple[str, ChannelRef, Column]:
    """What a factory calls itself in a refusal, the channel that it shows and the column of it.

    `of`, or the channel that declares the column. `kinds` has for each kind of channel '' where the factory shows it,
    else the remedy; `row` is what else a field needs.
    """
    if not isinstance(value, Column) or value.owner is None:
        refuse(f"{factory}()", value, "give a column, for example LastHour.departures")
    what = f"{factory}({value!r})"
    shown = " or ".join(kind.capitalize() for kind, remedy in kinds.items() if not remedy)
    if of is None and issubclass(value.owner, Feed):
        remedy = f"it is a field: add of=<a {shown} of feed {value.owner.declaration.name!r}>{row}"
        refuse(what, value, remedy)
    ref = ref_of(factory, of if of is not None else value.owner)
    if remedy := kinds[ref.channel.kind]:
        refuse(what, ref.channel.name, f"it is a {ref.channel.kind}: {remedy}")
    return what, ref, check_column(what, ref.channel, value)


def names_of(channel: type[Channel]) -> tuple[str, ...]:
    """The fields by which the rows or lines of a channel are told apart; nothing where there is a single one."""
    return channel.by if channel.aggregates else (channel.feed.key,)


def decimals_of(column: Column) -> int | None:
    """The decimals that a column is shown with; None for what is no number."""
    if column.value_type in ("text", "moment"):
        return None
    if column.decimals is not None:
        return column.decimals
    if isinstance(column, Aggregate) and column.function in ("mean", "quantile"):
        return 1
    return 0 if column.value_type in ("integer", "flag") else 1


def type_of(column: Column) -> str:
    """How a value is written: the type of the field, of the field that an aggregate picks, or a number."""
    if isinstance(column, Aggregate) and column.field is not None and column.function in ("value", "min", "max"):
        return column.field.value_type
    return column.value_type


def live_column(column: Column) -> dict[str, Any]:
    """A column as the painters read it."""
    return {"field": column.name, "label": column.label, "type": type_of(column),
            "decimals": decimals_of(column), "unit": column.unit}


def is_numeric(column: Column) -> bool:
    """Whether a column can be drawn or compared with a threshold."""
    return type_of(column) in ("number", "integer", "flag")


def gap_ms(series: type[Channel]) -> int | None:
    """From which distance on two points of a series are not joined; None where events come when they come."""
    if series.window_s is None and series.freshness.may_be_quiet:
        return None
    return int(1000 * max(series.freshness.stale_after_s, 2 * (series.window_s or 0)))


def windows_of(channel: type[Channel]) -> dict[str, int]:
    """How a channel's values are windowed, as the painters read it; nothing where they are of single events."""
    return {} if channel.window_s is None else {"window_ms": int(channel.window_s * 1000), "windows": channel.windows}


def label_columns(what: str, channel: type[Channel], label: Column | Sequence[Column] | None) -> list[Column]:
    """The columns by whose values a row is called: those that were named, else those that tell rows apart."""
    if label is None:
        if not names_of(channel):
            refuse(what, channel.name, "it has a single row: show it in a tile(), or group the channel with by=<field>")
        return [channel.feed.fields[name] for name in names_of(channel)]
    named = [label] if isinstance(label, Column) else list(label)
    if not named:
        refuse(f"{what}.label", label, "name at least one column, or leave label out")
    return [check_column(f"{what}.label", channel, one) for one in named]


def check_bounds(what: str, bounds: tuple[float, float] | None) -> None:
    """Refuse bounds that are upside down."""
    if bounds is not None and not bounds[0] < bounds[1]:
        refuse(f"{what}.bounds", bounds, "give the lower bound first, for example (0, 100)")


@dataclass(frozen=True, slots=True)
class Thresholds:
    """Where a value becomes a warning or bad, in the unit that is shown; above a limit, or below it."""

    direction: Direction = "above"
    warn: float | None = None
    bad: float | None = None

    @classmethod
    def read(
        cls, warn_above: float | None, bad_above: float | None, warn_below: float | None, bad_below: float | None
    ) -> Thresholds:
        """Read a factory's four arguments; refuses limits on both sides, or warn beyond bad."""
        upper, lower = (warn_above, bad_above), (warn_below, bad_below)
        if upper != (None, None) and lower != (None, None):
            refuse("thresholds", {"above": upper, "below": lower}, "give limits above or below, not both")
        direction: Direction = "above" if lower == (None, None) else "below"
        warn, bad = upper if direction == "above" else lower
        if warn is not None and bad is not None and (warn > bad) is (direction == "above") and warn != bad:
            refuse("thresholds", (warn, bad), f"warn_{direction} is reached before bad_{direction}: exchange them")
        return cls(direction, warn, bad)

    def levels(self) -> list[dict[str, Any]]:
        """The limits as the painters read them, the milder first."""
        limits = (("warn", self.warn), ("bad", self.bad))
        return [{"at": at, "level": level} for level, at in limits if at is not None]

    def in_words(self, unit: str) -> str:
        limits = (("warning", self.warn), ("bad", self.bad))
        return "; ".join(f"{name} {self.direction} {at:g} {unit}".rstrip() for name, at in limits if at is not None)


def unit_and_limits(unit: str, limits: Thresholds | None = None) -> list[Fact]:
    """What details say of a value's unit and limits, where it has any."""
    words = "" if limits is None else limits.in_words(unit)
    return [*([("Unit", unit)] if unit else []), *([("Limits", words)] if words else [])]


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One live component of a page, checked and not yet drawn."""

    kind: ClassVar[str]
    weight: ClassVar[float] = 1.0

    ref: ChannelRef
    title: str
    declared_at: str
    choose: Field | None = None
    """The field by which its page lets its reader choose; None where there is no choice."""

    @property
    def refs(self) -> tuple[ChannelRef, ...]:
        """Every channel that it shows."""
        return (self.ref,)

    def following(self, field: Field) -> dict[str, Any] | None:
        """How it shows a chosen value of this field alone, as the browser reads it; None where it cannot.

        By a twin of its channel in parts, where it has one; else in the browser, where its rows or entries have it, or
        its channel has a line for each value.
        """
        channel = self.ref.channel
        if self.ref.partition is None and channel.twin is not None and channel.twin.partition == field.name:
            return {"channel": channel.twin.name}
        if channel.feed.fields.get(field.name) is not field:
            return None
        if self.has_lines and channel.by == (field.name,):
            return {"groups": True}
        if not self.has_rows:
            return None
        return {"rows": True} if not channel.aggregates or field.name in channel.by else None

    @property
    def painter(self) -> str | None:
        """The painter that it needs by name; None where it brings its own nodes."""
        return None

    @property
    def has_rows(self) -> bool:
        """Whether it shows all rows or entries of its channel, each with its fields."""
        return False

    @property
    def has_lines(self) -> bool:
        """Whether it shows a `Series` line by line, and can leave out those of other groups."""
        return False

    def draw(self, uid: str) -> Component:
        """The Dash component; `uid` is unique and stable on its page."""
        raise TypeError(f"{type(self).__name__}: a block defines draw(uid)")


def panel(
    block: Block, uid: str, live: dict[str, Any], facts: Sequence[Fact], body: Sequence[Component],
    tools: Sequence[Component] = (), style: dict[str, Any] | None = None,
) -> Component:
    """The frame around a block: a named section with its title, its tools, its badge and what it shows."""
    is_small = block.kind == "tile"  # it has no room for a button beside its title: it gets one in its details
    own = [badge(uid, block.ref, block.title, facts), *([] if is_small else [pause_button(block.title)])]
    heading = html.Header([html.H2(block.title, className="block-title"), *tools, *own], className="block-head")
    spec = {**live, **windows_of(block.ref.channel)}
    if block.choose is not None:
        spec["choice"] = {"field": block.choose.name, **(block.following(block.choose) or {})}
    attributes: dict[str, Any] = {**live_data(spec), **data(channel=block.ref.name), **aria(label=block.title)}
    attributes |= data(menu=_menu(block.ref.channel))
    # A named section is a landmark; a page of many tiles would bury the ones that matter.
    attributes |= {"role": "group"} if is_small else {}
    return html.Section([heading, *body], className=block.kind, style=style, **attributes)


def _menu(channel: type[Channel]) -> str:
    """What the menu of a component knows beforehand: whether there is a past, and where the data comes from."""
    told = {"history": bool(channel.history.days), "source": source_in_words(channel)}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":"))
