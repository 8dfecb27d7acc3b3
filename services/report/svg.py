"""SVG: a drawing's shapes as markup whose colours follow the page's light or dark theme."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import Any

from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String

from services.report.inks import INKS

_NAMES = {ink.light.lower(): ink.name for ink in INKS}


def svg(drawing: Drawing, described: str) -> str:
    """The drawing as an `svg` element that fills its container; `described` is what it says without eyes."""
    width, height = float(drawing.width), float(drawing.height)
    shapes = "".join(_shape(shape, height) for shape in drawing.contents)
    return (
        f'<svg viewBox="0 0 {_n(width)} {_n(height)}" role="img" aria-label="{escape(described)}"'
        f' xmlns="http://www.w3.org/2000/svg">{shapes}</svg>'
    )


def _shape(shape: Any, height: float) -> str:
    if isinstance(shape, Rect):
        place = f'x="{_n(shape.x)}" y="{_n(height - shape.y - shape.height)}"'
        return f'<rect {place} width="{_n(shape.width)}" height="{_n(shape.height)}" fill="{_ink(shape.fillColor)}"/>'
    if isinstance(shape, Line):
        ends = f'x1="{_n(shape.x1)}" y1="{_n(height - shape.y1)}" x2="{_n(shape.x2)}" y2="{_n(height - shape.y2)}"'
        return f"<line {ends}{_stroke(shape)}/>"
    if isinstance(shape, PolyLine):
        points = " ".join(f"{_n(x)},{_n(height - y)}" for x, y in _pairs(shape.points))
        return f'<polyline points="{points}" fill="none"{_stroke(shape)}/>'
    if isinstance(shape, String):
        anchor = "" if shape.textAnchor == "start" else f' text-anchor="{shape.textAnchor}"'
        place = f'x="{_n(shape.x)}" y="{_n(height - shape.y)}" font-size="{_n(shape.fontSize)}"'
        return f'<text {place} fill="{_ink(shape.fillColor)}"{anchor}>{escape(shape.text)}</text>'
    raise TypeError(f"{type(shape).__name__}: plots are drawn of lines, boxes and words; add it here first")


def _stroke(shape: Any) -> str:
    dash = " ".join(_n(part) for part in shape.strokeDashArray or ())
    dashed = f' stroke-dasharray="{dash}"' if dash else ""
    return f' stroke="{_ink(shape.strokeColor)}" stroke-width="{_n(shape.strokeWidth)}"{dashed}'


def _ink(colour: Any) -> str:
    return f"var(--{_NAMES['#' + colour.hexval()[2:].lower()]})"


def _pairs(flat: list[float]) -> Iterator[tuple[float, float]]:
    return zip(flat[::2], flat[1::2], strict=True)


def _n(value: float) -> str:
    """A coordinate to a hundredth, without needless zeros."""
    return f"{float(value):.2f}".rstrip("0").rstrip(".")
