"""Plots of the report, as SVG: every figure against its reach on one sheet, and each curve on its own."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from bench.figures import Curve, Figure, written

INKS = ("#2563eb", "#dc2626", "#059669", "#9333ea", "#d97706", "#0891b2")
TEXT, MUTED, GRID, GOOD, BAD = "#1f2937", "#6b7280", "#e5e7eb", "#059669", "#dc2626"
_FONT = "font-family='system-ui, sans-serif' font-size='11'"


def standing_plot(figures: Sequence[Figure]) -> str:
    """One row a figure, one dot a run; right of the line is reached, on a logarithmic scale of shares of it."""
    bound = [figure for figure in figures if figure.reach is not None]
    left, right, row = 330.0, 20.0, 18.0
    width, height = 760.0, 48.0 + row * len(bound)

    def x(share: float) -> float:
        return left + (width - left - right) * (math.log2(min(16.0, max(1 / 16, share))) + 4) / 8

    parts = [_text(left, 14, "share of what is to be reached; right of 1 is reached", TEXT)]
    for power in range(-4, 5):
        at = x(2.0**power)
        parts.append(_line(at, 32, at, height - 8, TEXT if power == 0 else GRID))
        parts.append(_text(at, 28, f"{2**power}" if power >= 0 else f"1/{2**-power}", MUTED, "middle"))
    for number, figure in enumerate(bound):
        y = 46.0 + row * number
        ink = GOOD if figure.is_reached else BAD
        parts.append(_text(left - 8, y + 4, _short(f"{figure.what}: {figure.measure}", 58), TEXT, "end"))
        assert figure.reach is not None
        parts.extend(_dot(x(figure.reach.share(value)), y, 2.5, ink, 0.45) for value in figure.values)
        parts.append(_dot(x(figure.reach.share(figure.median)), y, 4, ink, 1.0))
    return _sheet(width, height, parts)


def curve_plot(curve: Curve) -> str:
    """Lines with a dot at each measured point, from an honest zero, names in the margin."""
    axes = _Axes.around(curve)
    parts = [_text(8, 16, curve.title, TEXT), _text(axes.right + 28, axes.bottom + 16, curve.x_label, MUTED)]
    parts.append(_text(8, 34, curve.y_label, MUTED))
    for value in axes.y_ticks:
        parts.append(_line(axes.left, axes.y(value), axes.right, axes.y(value), GRID))
        parts.append(_text(axes.left - 6, axes.y(value) + 4, written(value), MUTED, "end"))
    parts.extend(_text(axes.x(value), axes.bottom + 16, written(value), MUTED, "middle") for value in axes.x_ticks)
    for ink, line in zip(INKS, curve.lines, strict=False):
        places = [(axes.x(x), axes.y(y)) for x, y in line.points]
        path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
        parts.append(f"<polyline points='{path}' fill='none' stroke='{ink}' stroke-width='1.6'/>")
        parts.extend(_dot(x, y, 2.8, ink, 1.0) for x, y in places)
    ends = [(axes.y(line.points[-1][1]), ink, line.name) for ink, line in zip(INKS, curve.lines, strict=False)]
    parts.extend(_text(axes.right + 6, y + 4, name, ink) for y, ink, name in _apart(ends))
    return _sheet(axes.width, axes.height, parts)


@dataclass(frozen=True, slots=True)
class _Axes:
    """Where a point lies on the sheet; both axes begin at zero."""

    most_x: float
    most_y: float
    x_ticks: tuple[float, ...]
    width: float = 640.0
    height: float = 270.0
    left: float = 62.0
    top: float = 48.0

    @classmethod
    def around(cls, curve: Curve) -> _Axes:
        points = [point for line in curve.lines for point in line.points]
        most_x, most_y = max(x for x, _ in points), max(y for _, y in points)
        return cls(most_x or 1.0, 1.08 * most_y or 1.0, _spaced({x for x, _ in points}, most_x))

    @property
    def right(self) -> float:
        return self.width - 150.0

    @property
    def bottom(self) -> float:
        return self.height - 30.0

    @property
    def y_ticks(self) -> tuple[float, ...]:
        step = 10 ** math.floor(math.log10(self.most_y))
        step = next(step * part for part in (1.0, 0.5, 0.2, 0.1) if self.most_y / (step * part) >= 3)
        return tuple(step * number for number in range(int(self.most_y / step) + 1))

    def x(self, value: float) -> float:
        return self.left + (self.right - self.left) * value / self.most_x

    def y(self, value: float) -> float:
        return self.bottom - (self.bottom - self.top) * value / self.most_y


def _spaced(values: Iterable[float], most: float) -> tuple[float, ...]:
    """The measured sizes, without those whose figures would touch."""
    kept: list[float] = []
    for value in sorted(values, reverse=True):
        if not kept or (kept[-1] - value) / (most or 1.0) > 0.09:
            kept.append(value)
    return tuple(reversed(kept))


def _apart(ends: list[tuple[float, str, str]]) -> list[tuple[float, str, str]]:
    """Names moved down until none covers another."""
    placed: list[tuple[float, str, str]] = []
    for y, ink, name in sorted(ends):
        placed.append((max(y, placed[-1][0] + 13) if placed else y, ink, name))
    return placed


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _text(x: float, y: float, text: str, ink: str, anchor: str = "start") -> str:
    return f"<text x='{x:.1f}' y='{y:.1f}' fill='{ink}' text-anchor='{anchor}' {_FONT}>{escape(text)}</text>"


def _line(x1: float, y1: float, x2: float, y2: float, ink: str) -> str:
    return f"<line x1='{x1:.1f}' y1='{y1:.1f}' x2='{x2:.1f}' y2='{y2:.1f}' stroke='{ink}'/>"


def _dot(x: float, y: float, radius: float, ink: str, opacity: float) -> str:
    return f"<circle cx='{x:.1f}' cy='{y:.1f}' r='{radius}' fill='{ink}' fill-opacity='{opacity}'/>"


def _sheet(width: float, height: float, parts: Sequence[str]) -> str:
    head = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 {width:.0f} {height:.0f}' width='{width:.0f}'>"
    return "\n".join([head, "<rect width='100%' height='100%' fill='white'/>", *parts, "</svg>\n"])
