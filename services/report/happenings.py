"""Happenings: incidents with their timeline, maintenance, and what was excluded and why, as blocks of the report."""

from __future__ import annotations

from collections.abc import Iterator

from services.report import words
from services.report.blocks import Block, Cell, Heading, Table, Text, Tone
from services.report.report import Handled, Report, Window


def incidents(report: Report) -> Iterator[Block]:
    """Each incident: what it was, and its moments with what support owed."""
    yield Heading("Incidents")
    if not report.incidents:
        yield Text("None.", "muted")
    for handled in report.incidents:
        incident = handled.incident
        yield Heading(f"Incident {incident.id}: {incident.severity}, {incident.stage}", 3)
        yield Text(incident.text)
        yield _timeline(report, handled)


def _timeline(report: Report, handled: Handled) -> Table:
    incident, zone, end = handled.incident, report.contract.zone, report.interval.until
    by = f" by {incident.acknowledged_by}" if incident.acknowledged_by else ""
    rows = []
    for name, at, support in (
        ("Began", incident.began_at, Cell("")),
        ("Detected", incident.detected_at, Cell("")),
        (f"Acknowledged{by}", incident.acknowledged_at, _owed(handled, "response")),
        ("Mitigated", incident.mitigated_at, Cell("")),
        ("Resolved", incident.resolved_at, _owed(handled, "resolution")),
    ):
        happened = 0 < at <= end
        after = words.span(at - incident.began_at) if happened and at != incident.began_at else ""
        when = words.clock(at, zone) if happened else "not in this report's time"
        rows.append((Cell(name), Cell(when, "plain" if happened else "muted"), Cell(after), support))
    return Table(("Moment", "At", "After it began", "In support time"), tuple(rows), (0.26, 0.26, 0.18, 0.3))


def _owed(handled: Handled, what: str) -> Cell:
    """How long support took of its own hours, against what its severity allows."""
    answered = what == "response"
    taken = handled.response_s if answered else handled.resolution_s
    if handled.rule is None:
        return Cell("")
    owed = words.span(1000 * (handled.rule.response_s if answered else handled.rule.resolution_s))
    if taken is None:
        return Cell(f"open; {owed} allowed", "warn")
    kept = handled.responded_in_time if answered else handled.resolved_in_time
    tone: Tone = "good" if kept else "bad"
    return Cell(f"{words.span(1000 * taken)} of {owed}: {'in time' if kept else 'too late'}", tone)


def maintenance(report: Report) -> Iterator[Block]:
    """Every window that was declared, counted or not, refused attempts included."""
    yield Heading("Maintenance and other declared intervals")
    if not report.windows:
        yield Text("None.", "muted")
        return
    rows = tuple(_window(report, one) for one in report.windows)
    yield Table(("Name", "From", "To", "About", "Standing"), rows, (0.18, 0.17, 0.17, 0.26, 0.22))


def _window(report: Report, one: Window) -> tuple[Cell, ...]:
    zone = report.contract.zone
    return (
        Cell(one.name),
        Cell(words.clock(one.since, zone)),
        Cell(words.clock(one.until, zone)),
        Cell(one.about),
        Cell(one.standing),
    )


def exclusions(report: Report) -> Iterator[Block]:
    """What the contract's rules took out of each objective, with the reason of each."""
    yield Heading("Exclusions")
    rows: list[tuple[Cell, ...]] = []
    for one in report.measured:
        for name, taken in sorted(one.score.excluded.items()):
            if taken:
                share = taken / one.score.raw_total if one.score.raw_total else None
                rows.append(
                    (
                        Cell(words.title(one.objective)),
                        Cell(name),
                        Cell(report.reasons.get(name, "as the contract says")),
                        Cell(words.amount(taken, words.UNITS[one.objective.kind]), figure=True),
                        Cell(words.percent(share), figure=True),
                    )
                )
    if not rows:
        yield Text(f"Nothing was excluded in this {report.kind}.", "muted")
        return
    yield Table(("Objective", "Exclusion", "Reason", "Amount", "Of all"), tuple(rows), (0.2, 0.2, 0.28, 0.2, 0.12))
