"""Sections: a report in words and tables, in the order in which one reads it: verdict first, method last."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.alerts.budget import tolerated
from services.measurement.minutes import Score
from services.report import words
from services.report.blocks import Block, Cell, Document, Heading, Note, Plots, Table, Text, Tone
from services.report.happenings import exclusions, incidents, maintenance
from services.report.method import method
from services.report.plots import Mark, budget_plot, missed_plot, trend_plot
from services.report.report import Measured, Report, Verdict

_TONES: dict[Verdict, Tone] = {"met": "good", "tolerated": "warn", "breached": "bad", "nothing counted": "muted"}
_VERDICTS: dict[Verdict, str] = {
    "met": "met",
    "tolerated": "met by the tolerated exception",
    "breached": "breached",
    "nothing counted": words.NOT_COUNTED,
}


def document(report: Report) -> Document:
    """The whole report, ready to be rendered."""
    contract, interval = report.contract, report.interval
    version = f"({report.version})" if report.version else ""
    days = words.days_between(interval.since, interval.until, contract.zone)
    return Document(
        title=f"Service level report, {report.kind} {interval.name}",
        subtitle=" ".join(filter(None, [f"{contract.name}: {days}, local time of {contract.zone.key}", version])),
        footer=f"{contract.provider.name} for {contract.client.name} · {contract.name} · {report.kind} {interval.name}",
        blocks=tuple(_blocks(report)),
    )


def _blocks(report: Report) -> Iterator[Block]:
    yield from _verdict(report)
    yield Heading("Objectives")
    for measured in report.measured:
        yield from _objective(report, measured)
    yield from incidents(report)
    yield from maintenance(report)
    yield from exclusions(report)
    yield from _trend(report)
    yield from method(report)


def _verdict(report: Report) -> Iterator[Block]:
    if not report.binding:
        yield Note("Phase MVP: measured and reported, not binding for either party.", "warn")
    yield Text(summary(report))
    weekly = report.kind == "week"
    heads = ["Objective", "Verdict", "Target", f"This {report.kind}", "Budget left", "Minutes down"]
    if weekly:
        heads.insert(4, "Month to date")
        widths = [0.2, 0.19, 0.16, 0.12, 0.12, 0.11, 0.1]
    else:
        heads.append("Tolerated minutes used")
        widths = [0.2, 0.19, 0.16, 0.12, 0.12, 0.1, 0.11]
    yield Table(tuple(heads), tuple(_verdict_row(report, one) for one in report.measured), tuple(widths))
    if weekly:
        yield Text(
            f"The verdict is that of each objective's own window so far; the period {report.period.name} is judged "
            "at its end.",
            "muted",
        )


def summary(report: Report) -> str:
    """The report in one sentence."""
    by_verdict = {verdict: [one for one in report.measured if one.verdict == verdict] for verdict in _TONES}
    met = len(by_verdict["met"]) + len(by_verdict["tolerated"])
    parts = [f"{met} of {len(report.measured)} objectives met"]
    for verdict, said in (("breached", "breached"), ("nothing counted", "not counted")):
        if names := [words.title(one.objective) for one in by_verdict[verdict]]:  # type: ignore[index]
            parts.append(f"{said}: {', '.join(names)}")
    count = len(report.incidents)
    parts.append(f"{count} incident{'' if count == 1 else 's'}" if count else "no incidents")
    return "; ".join(parts) + "."


def outcome(report: Report, one: Measured) -> str:
    """An objective in one line of plain text."""
    share, left = words.percent(one.score.share), one.budget_left
    budget = "" if left is None else f", budget left {words.percent(left, 1)}"
    return f"{words.title(one.objective)}: {share} of {words.target(one.objective)}{budget}: {_said(report, one)}"


def _verdict_row(report: Report, one: Measured) -> tuple[Cell, ...]:
    objective = one.objective
    cells = [
        Cell(words.title(objective)),
        Cell(_said(report, one), _TONES[one.verdict]),
        Cell(f"{words.target(objective)} within {words.limit(objective)}"),
        _share(one.score, objective.share),
        _budget(one),
        Cell(words.minutes(one.minutes_down), figure=True),
    ]
    if report.kind == "week":
        cells.insert(4, _share(one.month, objective.share))
    else:
        cells.append(Cell(f"{one.tolerated_used} of {objective.tolerated_minutes}", figure=True))
    return tuple(cells)


def _said(report: Report, one: Measured) -> str:
    verdict = _VERDICTS[one.verdict]
    if one.verdict == "nothing counted" or (report.binding and one.objective.binding):
        return verdict
    return f"{verdict} (not binding)"


def _share(score: Score, target: float) -> Cell:
    if score.share is None:
        return Cell("–", "muted", figure=True)
    bad = score.total - score.good > round(1.0 - target, 12) * score.total
    return Cell(words.percent(score.share), "bad" if bad else "plain", figure=True)


def _budget(one: Measured) -> Cell:
    left = one.budget_left
    if left is None:
        return Cell("–", "muted", figure=True)
    return Cell(words.percent(left, 1), "bad" if left < 0 else "warn" if left < 0.25 else "plain", figure=True)


def _objective(report: Report, one: Measured) -> Iterator[Block]:
    contract, interval = report.contract, report.interval
    yield Heading(words.title(one.objective), 3)
    if one.sentence:
        yield Text(one.sentence)
    yield _figures(report, one)
    marks = [
        *(Mark(found.since, found.until, incident=False) for found in report.windows),
        *(
            Mark(handled.incident.began_at, handled.incident.resolved_at, incident=True)
            for handled in report.incidents
            if handled.incident.objective in (None, one.objective.name)
        ),
    ]
    if one.score.total:
        yield Plots(
            (missed_plot(one, interval, contract, marks), budget_plot(one, interval, contract, report.kind)),
            _described(one),
        )
    else:
        yield Text(f"Nothing was counted in this {report.kind}.", "muted")
    if one.objective.degraded != "none":
        yield Text(f"While it is not met, viewers have {one.objective.degraded}.", "muted")


def _described(one: Measured) -> tuple[str, str]:
    missed = words.percent(tolerated(one.objective))
    return (
        f"{words.title(one.objective)}: what was missed over time; {missed} is tolerated",
        f"{words.title(one.objective)}: budget left over time",
    )


def _columns(report: Report, one: Measured) -> list[tuple[str, Score, str]]:
    """The spans that this objective's figures are given for, each once."""
    columns = [(f"This {report.kind}", one.score, words.minutes(one.minutes_down))]
    if report.kind == "week":
        columns.append(("Month to date", one.month, ""))
    days = one.objective.window_days
    if days is not None:
        columns.append((f"Last {days} days", one.window, words.minutes(one.window_minutes_down)))
    elif report.kind == "week" and report.period != report.month:
        columns.append(
            (f"{report.contract.period.capitalize()} to date", one.window, words.minutes(one.window_minutes_down))
        )
    return columns


def _figures(report: Report, one: Measured) -> Table:
    columns = _columns(report, one)
    unit = words.UNITS[one.objective.kind]

    def row(name: str, cells: Sequence[Cell]) -> tuple[Cell, ...]:
        return (Cell(name), *cells)

    def figures(texts: Sequence[str]) -> list[Cell]:
        return [Cell(text or "–", figure=True) for text in texts]

    scores = [score for _, score, _ in columns]
    rows = [
        row("After exclusions", [_share(score, one.objective.share) for score in scores]),
        row("Excluded", figures([words.percent(excluded_share(score)) if score.raw_total else "" for score in scores])),
        row(
            "Before exclusions",
            figures([words.percent(score.raw_share) if score.raw_total else "" for score in scores]),
        ),
        row(f"Counted, {unit}", figures([words.amount(score.total) for score in scores])),
        row(f"Missed, {unit}", figures([words.amount(score.total - score.good) for score in scores])),
        row("Without data", figures([words.minutes(score.no_data_minutes) for score in scores])),
        row("Down", figures([down for _, _, down in columns])),
    ]
    width = 0.7 / len(columns)
    return Table(("", *(name for name, _, _ in columns)), tuple(rows), (0.3, *(width for _ in columns)))


def excluded_share(score: Score) -> float:
    """Of all that was counted, how much the contract's rules took out."""
    return sum(score.excluded.values()) / score.raw_total if score.raw_total else 0.0


def _trend(report: Report) -> Iterator[Block]:
    seen = [one for one in report.measured if sum(score.total > 0 for _, score in one.trend) > 1]
    yield Heading("Trend")
    if not seen:
        yield Text(f"The first {report.kind} with figures; a trend needs two.", "muted")
        return
    names = [interval.name.replace("-W", " W") for interval, _ in report.measured[0].trend]
    rows = tuple(
        (Cell(words.title(one.objective)), *(_share(score, one.objective.share) for _, score in one.trend))
        for one in seen
    )
    first = 0.2
    yield Table(("Objective", *names), rows, (first, *((1 - first) / len(names) for _ in names)))
    for left, right in zip(seen[::2], [*seen[1::2], None][: len(seen[::2])], strict=True):
        pair = [one for one in (left, right) if one is not None]
        yield Plots(
            tuple(trend_plot(one, f"{words.title(one.objective)}: missed by {report.kind}") for one in pair),
            tuple(f"{words.title(one.objective)}: what was missed, {report.kind} by {report.kind}" for one in pair),
        )
