"""Layout: how blocks stand on a page: beside each other in a row, or in a grid that is drawn in letters.

On a narrow screen each of them has the width to itself, in the order in which it is declared.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, TypeAlias

from dash import html
from dash.development.base_component import Component

from components.block import Block, refuse
from components.tile import Tile
from services.declare import Field

EMPTY = "."


@dataclass(frozen=True, slots=True)
class Row:
    """Blocks beside each other; on a narrow screen below each other. Made by `row()`."""

    blocks: tuple[Block | Component, ...]

    def draw(self, uids: Iterator[str]) -> Component:
        drawn = _drawn(self.blocks, uids)
        if all(isinstance(block, Tile) for block in self.blocks):
            return html.Div(drawn, className="tiles", style=_tile_columns(len(drawn)))
        weights = (block.weight if isinstance(block, Block) else 1.0 for block in self.blocks)
        columns = " ".join(f"minmax(0, {weight:g}fr)" for weight in weights)
        return html.Div(drawn, className="columns", style={"--columns": columns})


@dataclass(frozen=True, slots=True)
class Grid:
    """Blocks in areas of a grid; made by `grid()`. `lines` are its rows of names, `names` those of its blocks."""

    lines: tuple[tuple[str, ...], ...]
    names: tuple[str, ...]
    blocks: tuple[Block | Component, ...]

    def draw(self, uids: Iterator[str]) -> Component:
        cells = [html.Div(one, className="area", style={"--area": name})
                 for name, one in zip(self.names, _drawn(self.blocks, uids), strict=True)]
        areas = " ".join(f'"{" ".join(line)}"' for line in self.lines)
        style = {"--areas": areas, "--across": len(self.lines[0])}
        return html.Div(cells, className="areas", style=style)


Part: TypeAlias = Block | Row | Grid | Component


def row(*blocks: Block | Component) -> Row:
    """Blocks beside each other: tiles in even columns, others sharing the width (a table takes more)."""
    if not blocks:
        refuse("row()", (), "give at least one block")
    for block in blocks:
        if not isinstance(block, Block | Component):
            refuse("row()", block, "give tiles, charts, tables, logs, bars and the like, or Dash components")
    return Row(blocks)


def grid(areas: str, **blocks: Block | Component) -> Grid:
    """Blocks in a grid that is drawn in words, as `subplot_mosaic` does: a line for each row, a name for each column.

    `grid("cpu cpu load / cpu cpu disk", cpu=…, load=…, disk=…)`: a name that stands several times is a block that is
    as wide and as high, `.` is left empty, and `/` begins a line as a line end does. Raises DeclarationError with file,
    name, value and remedy where the names are not those of the blocks or an area is no rectangle.
    """
    lines = tuple(tuple(line.split()) for line in areas.replace("/", "\n").splitlines() if line.strip())
    if not lines or not blocks:
        refuse("grid()", areas, "draw it and name its blocks: grid('a a b', a=…, b=…)")
    if len({len(line) for line in lines}) > 1:
        refuse("grid()", [len(line) for line in lines], "each line needs as many names as the others: fill up with '.'")
    drawn = dict.fromkeys(name for line in lines for name in line if name != EMPTY)
    for name in drawn:
        if name not in blocks:
            refuse("grid()", name, f"no block has this name: add {name}=…")
        _check_rectangle(name, lines)
    for name, block in blocks.items():
        if name not in drawn:
            refuse(f"grid().{name}", areas, f"it stands nowhere in the drawing: add {name}, or leave the block out")
        if not isinstance(block, Block | Component):
            refuse(f"grid().{name}", block, "give a tile, chart, table, log, bar and the like, or a Dash component")
    return Grid(lines, tuple(drawn), tuple(blocks[name] for name in drawn))


def _check_rectangle(name: str, lines: Sequence[Sequence[str]]) -> None:
    places = [(down, across) for down, line in enumerate(lines) for across, one in enumerate(line) if one == name]
    downs, acrosses = ({place[side] for place in places} for side in (0, 1))
    if (max(downs) - min(downs) + 1) * (max(acrosses) - min(acrosses) + 1) != len(places):
        refuse("grid()", name, "its area is no rectangle: draw it in one piece")


def blocks_of(part: Part) -> tuple[Block, ...]:
    """The live components of a part, in order."""
    return tuple(one for one in members_of(part) if isinstance(one, Block))


def members_of(part: Part) -> tuple[Block | Component, ...]:
    """What stands in a part: live components, and Dash's own."""
    return part.blocks if isinstance(part, Row | Grid) else (part,)


def choosing(part: Part, field: Field) -> Part:
    """The part with blocks that know by which field their page lets its reader choose."""
    if isinstance(part, Row | Grid):
        return replace(part, blocks=tuple(_choosing(one, field) for one in part.blocks))
    return replace(part, choose=field) if isinstance(part, Block) else part


def _choosing(one: Block | Component, field: Field) -> Block | Component:
    return replace(one, choose=field) if isinstance(one, Block) else one


def left_of(part: Part, ways: Mapping[int, str]) -> Part | None:
    """What of a part somebody may see, by the way in which he may see each block (`id` → '' not at all)."""
    if not isinstance(part, Row | Grid):
        return part if not isinstance(part, Block) or ways[id(part)] else None
    left = tuple(one for one in part.blocks if not isinstance(one, Block) or ways[id(one)])
    if len(left) == len(part.blocks):
        return part
    return Row(left) if left else None  # a grid with holes would show that there was something


def draw_parts(parts: Sequence[Part], uids: Iterator[str]) -> Iterator[Component]:
    """Rows and grids as declared; tiles that follow each other outside of these share a row."""
    for single_tiles, group in groupby(parts, key=lambda part: isinstance(part, Tile)):
        members = list(group)
        if single_tiles:
            yield Row(tuple(part for part in members if not isinstance(part, Row | Grid))).draw(uids)
            continue
        for part in members:
            yield (part if isinstance(part, Row | Grid) else Row((part,))).draw(uids)


def _drawn(blocks: Sequence[Block | Component], uids: Iterator[str]) -> list[Component]:
    return [block.draw(next(uids)) if isinstance(block, Block) else block for block in blocks]


def _tile_columns(count: int) -> dict[str, Any]:
    """How many tiles stand beside each other on small, usual and large screens, in lines of even length."""
    most = {"--small": 3, "--usual": 6, "--large": 10}
    return {name: math.ceil(count / math.ceil(count / limit)) for name, limit in most.items()}
