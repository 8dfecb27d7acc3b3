"""Blocks: what a report consists of before it has a look; HTML and PDF render the same ones, so both say the same."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from reportlab.graphics.shapes import Drawing

Tone = Literal["plain", "good", "warn", "bad", "muted"]


@dataclass(frozen=True, slots=True)
class Cell:
    """A cell of a table: its words, their tone, and whether they are figures (set to the right)."""

    text: str
    tone: Tone = "plain"
    figure: bool = False


@dataclass(frozen=True, slots=True)
class Heading:
    text: str
    level: Literal[2, 3] = 2
    new_page: bool = False


@dataclass(frozen=True, slots=True)
class Text:
    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Note:
    """What must not be overlooked, in a box."""

    text: str
    tone: Tone = "plain"


@dataclass(frozen=True, slots=True)
class Bullets:
    items: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """`widths` are shares of the page's width."""

    heads: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Plots:
    """Drawings beside each other; `described` says in words what each shows."""

    drawings: tuple[Drawing, ...]
    described: tuple[str, ...]


Block: TypeAlias = Heading | Text | Note | Bullets | Table | Plots


@dataclass(frozen=True, slots=True)
class Document:
    """A whole report: `subtitle` under its title, `footer` on every page."""

    title: str
    subtitle: str
    footer: str
    blocks: tuple[Block, ...]
