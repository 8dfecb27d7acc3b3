"""Painted: a live component that a painter draws: what it shows is declared here, how it looks is said in the browser.

This is the seam by which a team adds a component of its own, and by which ours are made: `bar`, `status_list`,
`heat_map`, `histogram` and `live_text` check what they are given and call `painted()`. A painter is named like its
file: one of ours in `assets/live/`, a team's in the folder `painters` beside its pages.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dash import html
from dash.development.base_component import Component

from components.attributes import data
from components.block import (
    Block,
    ChannelLike,
    check_column,
    columns_of,
    live_column,
    panel,
    ref_of,
    refuse,
    where_declared,
)
from components.formula import columns_in_words
from components.freshness import Fact
from services.declare import ChannelRef, Column, Field

OWN_PAINTERS = frozenset({"bar", "heat_map", "histogram", "live_text", "status_list"})
"""The painters of this house."""
_TAKEN = frozenset({"chart", "log", "none", "tile"})
_NAME = re.compile(r"^[a-z][a-z0-9_]*$")
PAINT_EVERY_MS = 100
"""Ten times a second is as often as an eye follows something that moves as a whole."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Painted(Block):
    """A checked component that is painted; made by `painted()`."""

    kind: ClassVar[str] = "painted"

    by: str
    fields: tuple[Column, ...]
    options: Mapping[str, Any]
    also: tuple[ChannelRef, ...]
    facts: tuple[Fact, ...]
    empty: str
    every_ms: int
    narrows: bool

    @property
    def painter(self) -> str | None:
        return self.by

    @property
    def refs(self) -> tuple[ChannelRef, ...]:
        return (self.ref, *self.also)

    @property
    def has_rows(self) -> bool:
        return self.narrows and self.ref.channel.kind != "series"

    @property
    def has_lines(self) -> bool:
        return self.narrows and self.ref.channel.kind == "series"

    def following(self, field: Field) -> dict[str, Any] | None:
        """It follows with all of its channels, or not at all: half of it would be of something else."""
        own = super(Painted, self).following(field)  # without arguments it fails in a class that has slots
        if own is None or not self.also:
            return own
        twins = [ref.channel.twin for ref in self.also if ref.partition is None]
        found = [twin.name for twin in twins if twin is not None and twin.partition == field.name]
        return {**own, "also": found} if "channel" in own and len(found) == len(self.also) else None

    def draw(self, uid: str) -> Component:
        live: dict[str, Any] = {
            "paint": self.by, "channel": self.ref.name, "also": [ref.name for ref in self.also],
            "fields": [live_column(column) for column in self.fields], "every_ms": self.every_ms,
            "options": dict(self.options), "title": self.title,
        }
        body = [
            html.Div([], className="place", **data(place=self.by)),
            html.P(self.empty, className="empty"),
            html.P("", className="trouble", **data(trouble="")),
        ]
        return panel(self, uid, live, self.facts, body)


def painted(
    painter: str,
    channel: ChannelLike,
    *,
    fields: Sequence[Column] | None = None,
    options: Mapping[str, Any] | None = None,
    also: Sequence[ChannelLike] = (),
    title: str | None = None,
    facts: Sequence[tuple[str, str]] | None = None,
    empty: str = "No values yet",
    every_ms: int = PAINT_EVERY_MS,
    narrows: bool = True,
) -> Painted:
    """A component of one's own: what it reads, and the name of the painter that draws it.

    `fields` are the columns that it reads (all by default), which are also what its files hold; `options` is whatever
    else its painter is to know, as JSON; `also` are further channels; `facts` are terms and words of its details,
    which without them are the fields' formulas; `every_ms` is how often it is painted at most; `narrows` says whether
    it makes sense of some rows, entries or lines alone, when its page's reader chooses one value. Raises
    DeclarationError with file, name, value and remedy where these do not fit together.
    """
    if not isinstance(painter, str) or not _NAME.match(painter) or painter in _TAKEN:
        remedy = "give the painter's name: lower-case letters, digits and _, not tile, chart or log"
        refuse("painted()", painter, remedy)
    what = f"painted({painter!r})"
    ref, others = ref_of(what, channel), tuple(ref_of(what, one) for one in also)
    chosen = list(columns_of(ref.channel).values()) if fields is None else fields
    checked = tuple(check_column(f"{what}.fields", ref.channel, column) for column in chosen)
    if not 0 <= every_ms <= 10_000:
        refuse(f"{what}.every_ms", every_ms, "give 0 to 10000 ms")
    try:
        json.dumps(dict(options or {}), allow_nan=False)
    except (TypeError, ValueError) as error:
        refuse(f"{what}.options", options, f"{error}: give texts, finite numbers, lists and dicts of them")
    own = [("Definition", ref.channel.title), *columns_in_words(checked, ref.channel)]
    return Painted(
        ref=ref, title=title or ref.channel.title, declared_at=where_declared(), by=painter, fields=checked,
        options=options or {}, also=others, facts=tuple(own if facts is None else facts), empty=empty,
        every_ms=every_ms, narrows=narrows,
    )
