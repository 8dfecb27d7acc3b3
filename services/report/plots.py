"""Plots: what of an objective is seen at a glance, drawn once as shapes for HTML and PDF.

Columns show what was *missed*, from an honest zero, against what is tolerated; the budget is a line that falls from
100 % and ends at the figure that is printed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from reportlab.graphics.shapes import Drawing, Line, PolyLine, Rect, String

from services.alerts.budget import tolerated
from services.contract.document import Contract
from services.contract.moments import local_time
from services.contract.periods import Period
from services.report.fonts import REGULAR
from services.report.inks import ACCENT, BAD, BAD_WASH, LINE, MUTED, TEXT, WASH, Ink
from services.report.periods import ReportKind, midnights
from services.report.report import Measured
from services.report.words import minus

WIDTH, HEIGHT = 238.0, 112.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 34.0, 4.0, 20.0, 18.0
_SIZE = 7.0


@dataclass(frozen=True, slots=True)
class Mark:
    """An interval behind the columns: an incident or maintenance."""

    since: int
    until: int
    incident: bool


@dataclass(frozen=True, slots=True)
class _Frame:
    """Where time and value lie on the drawing."""

    drawing: Drawing
    interval: Period
    low: float
    high: float

    def x(self, at: int) -> float:
        share = (at - self.interval.since) / (self.interval.until - self.interval.since)
        return _LEFT + min(1.0, max(0.0, share)) * (WIDTH - _LEFT - _RIGHT)

    def y(self, value: float) -> float:
        share = (min(self.high, max(self.low, value)) - self.low) / (self.high - self.low)
        return _BOTTOM + share * (HEIGHT - _TOP - _BOTTOM)

    def write(
        self, x: float, y: float, text: str, ink: Ink = MUTED, anchor: Literal["start", "middle", "end"] = "start"
    ) -> None:
        self.drawing.add(String(x, y, text, fontName=REGULAR, fontSize=_SIZE, fillColor=ink.colour, textAnchor=anchor))

    def across(self, value: float, ink: Ink, dashed: bool = False) -> None:
        style: dict[str, Any] = {"strokeDashArray": [3, 2]} if dashed else {}
        y = self.y(value)
        self.drawing.add(Line(_LEFT, y, WIDTH - _RIGHT, y, strokeColor=ink.colour, strokeWidth=0.8, **style))

    def box(self, left: float, right: float, bottom: float, top: float, ink: Ink) -> None:
        style: dict[str, Any] = {"fillColor": ink.colour, "strokeColor": None}
        self.drawing.add(Rect(left, bottom, max(0.4, right - left), max(0.4, top - bottom), **style))


def missed_plot(measured: Measured, interval: Period, contract: Contract, marks: Sequence[Mark]) -> Drawing:
    """What was missed by hour or day, against what is tolerated."""
    allowed = tolerated(measured.objective)
    missed = [(one, 1.0 - one.score.share) for one in measured.buckets if one.score.share is not None]
    worst = max((share for _, share in missed), default=0.0)
    frame = _frame(interval, 0.0, _high(worst, allowed), f"Missed, by {_bucket_name(measured, interval)}")
    for mark in marks:
        ink = BAD_WASH if mark.incident else WASH
        frame.box(frame.x(mark.since), frame.x(mark.until or interval.until), frame.y(0.0), HEIGHT - _TOP, ink)
    _days(frame, contract)
    for bucket, share in missed:
        ink = BAD if share > allowed else ACCENT
        if share > 0:
            gap = min(0.6, 0.15 * (frame.x(bucket.until) - frame.x(bucket.since)))
            frame.box(frame.x(bucket.since), frame.x(bucket.until) - gap, frame.y(0.0), frame.y(share), ink)
    frame.across(0.0, MUTED)
    frame.across(allowed, TEXT, dashed=True)
    _scale(frame, (0.0, worst, allowed) if worst > allowed else (0.0, allowed))
    return frame.drawing


def budget_plot(measured: Measured, interval: Period, contract: Contract, kind: ReportKind) -> Drawing:
    """How the budget of this interval was spent: of what it tolerates in all, what was left hour by hour."""
    allowed = tolerated(measured.objective) * measured.score.total
    points: list[tuple[int, float]] = [(interval.since, 1.0)]
    bad = 0.0
    for bucket in measured.buckets:
        bad += bucket.score.total - bucket.score.good
        points.append((bucket.until, 1.0 - bad / allowed if allowed else float(bad == 0)))
    low = min(0.0, points[-1][1])
    frame = _frame(interval, low, 1.0, f"Budget left of this {kind}")
    _days(frame, contract)
    frame.across(0.0, MUTED)
    ends = [coordinate for at, left in points for coordinate in (frame.x(at), frame.y(left))]
    ink = ACCENT if points[-1][1] >= 0 else BAD
    frame.drawing.add(PolyLine(ends, strokeColor=ink.colour, strokeWidth=1.6, strokeLineJoin=1))
    _scale(frame, (0.0, 0.5, 1.0) if low == 0.0 else (low, 0.0, 0.5, 1.0))
    return frame.drawing


def trend_plot(measured: Measured, title: str) -> Drawing:
    """What was missed in each of the last intervals, newest to the right."""
    allowed = tolerated(measured.objective)
    whole = Period("trend", measured.trend[0][0].since, measured.trend[-1][0].until)
    missed = [(one, None if score.share is None else 1.0 - score.share) for one, score in measured.trend]
    worst = max((share for _, share in missed if share is not None), default=0.0)
    frame = _frame(whole, 0.0, _high(worst, allowed), title)
    step = (WIDTH - _LEFT - _RIGHT) / len(missed)
    for number, (one, share) in enumerate(missed):
        left = _LEFT + number * step
        frame.write(left + step / 2, 6, one.name[-3:].lstrip("-"), anchor="middle")
        if share:
            frame.box(
                left + step * 0.2, left + step * 0.8, frame.y(0.0), frame.y(share), BAD if share > allowed else ACCENT
            )
    frame.across(0.0, MUTED)
    frame.across(allowed, TEXT, dashed=True)
    _scale(frame, (0.0, worst, allowed) if worst > allowed else (0.0, allowed))
    return frame.drawing


def _frame(interval: Period, low: float, high: float, title: str) -> _Frame:
    frame = _Frame(Drawing(WIDTH, HEIGHT), interval, low, high)
    frame.write(0, HEIGHT - 9, title, TEXT)
    return frame


def _high(worst: float, allowed: float) -> float:
    """The top of a scale that shows both what was missed and what is tolerated."""
    return min(1.0, 1.1 * max(worst, 1.5 * allowed)) or 1.0


def _bucket_name(measured: Measured, interval: Period) -> str:
    return "day" if interval.until - interval.since > 8 * 86_400_000 else "hour"


def _days(frame: _Frame, contract: Contract) -> None:
    """A fine line and a name for each local day; in a month, for every fourth."""
    begins = midnights(contract, frame.interval)
    every = max(1, -(-len(begins) // 8))
    for number, at in enumerate(begins):
        x = frame.x(at)
        if number:
            frame.drawing.add(Line(x, _BOTTOM, x, HEIGHT - _TOP, strokeColor=LINE.colour, strokeWidth=0.4))
        if number % every == 0:
            local = local_time(contract.zone, at)
            frame.write(x + 1.5, 6, f"{local:%a} {local.day}" if every == 1 else f"{local.day} {local:%b}")


def _scale(frame: _Frame, values: Sequence[float]) -> None:
    """Figures beside the axis, the lower one first; one that would touch the last written is left out."""
    written: list[float] = []
    for value in values:
        y = frame.y(value)
        if all(abs(y - other) > _SIZE for other in written):
            frame.write(_LEFT - 3, y - 2.5, f"{minus(f'{100 * value:.3g}')} %", anchor="end")
            written.append(y)
