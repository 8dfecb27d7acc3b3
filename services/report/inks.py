"""Inks: the report's colours, by what they mean; light in the PDF, light or dark in HTML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from reportlab.lib.colors import Color


@dataclass(frozen=True, slots=True)
class Ink:
    """A colour with its name in the style sheet."""

    name: str
    light: str
    dark: str

    @property
    def colour(self) -> Color:
        from reportlab.lib.colors import HexColor  # web only writes style sheets: it loads no reportlab

        return HexColor(self.light)


TEXT = Ink("text", "#171b24", "#e7eaf0")
MUTED = Ink("muted", "#566070", "#9aa4b4")
LINE = Ink("line", "#d5d9e1", "#2f3743")
ACCENT = Ink("accent", "#2856cc", "#8aadff")
GOOD = Ink("good", "#14774a", "#56c98f")
WARN = Ink("warn", "#8f5c00", "#e6b450")
BAD = Ink("bad", "#bd2440", "#ff8594")
WASH = Ink("wash", "#f0f2f6", "#1d232d")
WARN_WASH = Ink("warn-wash", "#fdf3dc", "#2c2413")
BAD_WASH = Ink("bad-wash", "#fdeaec", "#33191e")
GROUND = Ink("ground", "#f5f6f8", "#0d1015")
PAPER = Ink("paper", "#ffffff", "#151920")

INKS = (TEXT, MUTED, LINE, ACCENT, GOOD, WARN, BAD, WASH, WARN_WASH, BAD_WASH, GROUND, PAPER)
