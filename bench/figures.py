"""Figures: what a bench found, and whether it is where we want it to be.

A `Figure` is one row of the report, a `Curve` is one plot of it. Both are values without behaviour of their own, so
that a bench may run in a process of its own and hand them over.
"""

from __future__ import annotations

import re
import statistics
from dataclasses import dataclass
from typing import Literal, Self

Better = Literal["more", "less"]
_BOUND = re.compile(r"(?P<op>[≥≤])\s*(?P<number>\d[\d,]*(?:\.\d+)?)")


@dataclass(frozen=True, slots=True)
class Bound:
    """What is to be reached: at least (≥) or at most (≤) a number, in the figure's own unit."""

    op: Literal["≥", "≤"]
    number: float

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `≥ 1.4` or `≤ 150,000`; ValueError says what cannot be read."""
        found = _BOUND.fullmatch(text.strip())
        if found is None:
            raise ValueError(f"bound {text!r}: expected ≥ or ≤ and a number, as in '≥ 1.4'")
        return cls("≥" if found["op"] == "≥" else "≤", float(found["number"].replace(",", "")))

    def holds(self, value: float) -> bool:
        return value >= self.number if self.op == "≥" else value <= self.number

    def share(self, value: float) -> float:
        """How far a value is: 1 at the bound, more where it is better than that."""
        top, bottom = (value, self.number) if self.op == "≥" else (self.number, value)
        return top / bottom if bottom else float("inf")

    def __str__(self) -> str:
        return f"{self.op} {written(self.number)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measure, one value a run; the median is what is judged."""

    what: str
    measure: str
    reach: Bound | None
    values: tuple[float, ...]
    unit: str
    better: Better
    note: str = ""

    def __post_init__(self) -> None:
        if not self.values:
            raise ValueError(f"figure '{self.what}', {self.measure}: no run gave a value")
        if self.reach is not None and (self.reach.op == "≥") != (self.better == "more"):
            raise ValueError(f"figure '{self.what}', {self.measure}: reach {self.reach} where {self.better} is better")

    @property
    def min(self) -> float:
        return min(self.values)

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def max(self) -> float:
        return max(self.values)

    @property
    def is_reached(self) -> bool | None:
        """None where nothing is to be reached: the figure only explains another."""
        return None if self.reach is None else self.reach.holds(self.median)


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a plot: its name and its points from left to right."""

    name: str
    points: tuple[tuple[float, float], ...]


@dataclass(frozen=True, slots=True)
class Curve:
    """How one cost grows with one size."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    note: str = ""


Finding = Figure | Curve


def written(value: float) -> str:
    """A number with three digits that matter; thousands are separated."""
    if abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value == 0 or abs(value) >= 0.001 else f"{value:.1e}"


def table(figures: list[Figure]) -> str:
    """The figures as a Markdown table, in their order."""
    head = "| what | measure | reach | min | median | max | reached |\n|---|---|---|---|---|---|---|"
    return "\n".join([head, *(_row(figure) for figure in figures)])


def _row(figure: Figure) -> str:
    reach = "–" if figure.reach is None else f"{figure.reach} {figure.unit}".rstrip()
    values = (figure.min, figure.median, figure.max)
    low, middle, high = (f"{written(value)} {figure.unit}".rstrip() for value in values)
    reached = {True: "yes", False: "**no**", None: "–"}[figure.is_reached]
    note = f" ({figure.note})" if figure.note else ""
    return f"| {figure.what} | {figure.measure}{note} | {reach} | {low} | {middle} | {high} | {reached} |"
