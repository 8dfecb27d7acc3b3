"""Live text: a sentence with live values in it, each written and judged as a tile would write it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from string import Formatter
from typing import Any

from components.block import live_column, refuse
from components.formula import formula_in_words
from components.freshness import Fact
from components.painted import Painted, painted
from components.tile import Tile, tile
from services.declare import ChannelRef, Column


def live_text(template: str, *, title: str, **values: Column | Tile) -> Painted:
    """A text in whose braces live values stand: `live_text("{late} of {all} are late", title=…, late=…, all=…)`.

    A value is an aggregate of a `Latest` with a single row, or a `tile(…)`, whose row, unit, decimals, scale and limits
    it takes. The text is text: nothing in it is read as HTML. Its badge tells of the least fresh of its channels.
    Raises DeclarationError with file, name, value and remedy where these do not fit together.
    """
    tiles = {name: _as_tile(name, value) for name, value in values.items()}
    pieces = list(_pieces(template, tiles))
    if not tiles:
        refuse("live_text()", template, "put a live value into it: live_text('{n} orders', title=…, n=Total.orders)")
    refs = tuple(dict.fromkeys(one.ref for one in tiles.values()))
    parts: list[str | dict[str, Any]] = []
    for is_text, group in groupby(pieces, key=lambda piece: isinstance(piece, str)):
        if is_text:
            parts.append("".join(map(str, group)))
        else:
            parts += [_live_part(piece, refs) for piece in group if isinstance(piece, Tile)]
    own = [one.column for one in tiles.values() if one.ref == refs[0]]
    facts: list[Fact] = [fact for one in tiles.values() for fact in _facts(one)]
    return painted("live_text", refs[0], also=refs[1:], fields=list(dict.fromkeys(own)), options={"parts": parts},
                   facts=facts, title=title, every_ms=0, narrows=False)


def _as_tile(name: str, value: Column | Tile) -> Tile:
    found = value if isinstance(value, Tile) else tile(value)
    if found.trend is not None:
        refuse(f"live_text().{name}", value, "a text has no room for a trend: leave trend= out")
    return found


def _pieces(template: str, tiles: dict[str, Tile]) -> Iterator[str | Tile]:
    """The template in pieces: texts, and the values between them."""
    try:
        found = list(Formatter().parse(template))
    except (ValueError, TypeError) as error:
        refuse("live_text()", template, f"{error}: a brace that is text is doubled, '{{{{'")
    used: set[str] = set()
    for text, name, form, conversion in found:
        if text:
            yield text
        if name is None:
            continue
        if name not in tiles:
            refuse("live_text()", f"{{{name}}}", f"give the value: {name or 'name'}=<a column, or a tile>")
        if form or conversion:
            refuse("live_text()", f"{{{name}}}", f"the column says how it is written; to write it otherwise: "
                                                 f"{name}=tile(…, decimals=…)")
        used.add(name)
        yield tiles[name]
    if unused := sorted(set(tiles) - used):
        name = unused[0]
        refuse(f"live_text().{name}", template, f"it stands nowhere in the text: add {{{name}}}, or leave it out")


def _live_part(value: Tile, refs: Sequence[ChannelRef]) -> dict[str, Any]:
    """A value as the painter reads it; `of` is the number of its channel."""
    return {
        **live_column(value.column), "of": refs.index(value.ref), "key": value.key, "decimals": value.decimals,
        "unit": value.unit, "scale": value.scale, "thresholds": value.thresholds.levels(),
        "direction": value.thresholds.direction,
    }


def _facts(value: Tile) -> list[Fact]:
    row = "" if value.key == "all" else f"; the row of {value.key}"
    told = [(value.title, f"{formula_in_words(value.column, value.ref.channel, value.scale)}{row}")]
    limits = value.thresholds.in_words(value.unit)
    return [*told, *([("Limits", f"{value.title}: {limits}")] if limits else [])]
