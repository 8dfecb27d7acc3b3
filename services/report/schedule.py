"""Schedule: makes the reports that are due and hands them to the sinks, those that were missed first."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from services.alerts.message import Attachment, Message
from services.contract.document import Contract
from services.positions import Clock
from services.report.html import render_html
from services.report.pdf import render_pdf
from services.report.periods import Due, due_reports
from services.report.register import ReportRegister
from services.report.report import Facts, Minutes, Report, make_report
from services.report.sections import document, outcome, summary

SETTLED_MS = 120_000
"""A report waits so long after its interval's end: by then the last minute is measured."""

log = structlog.get_logger("report")


class ReportSchedule:
    """One step looks for what is due. `began_at` tells the first minute that was ever measured; before it is nothing.

    `gather` reads what a report needs beside the minutes.
    """

    def __init__(
        self,
        contract: Contract,
        ledger: Minutes,
        register: ReportRegister,
        *,
        began_at: Callable[[], int | None],
        gather: Callable[[int, int], Facts],
        clock: Clock,
    ) -> None:
        self._contract, self._ledger, self._register = contract, ledger, register
        self._began_at, self._gather, self._clock = began_at, gather, clock
        self._made: frozenset[str] = frozenset()

    def step(self) -> int:
        """Make and send what is due and was not; how many that were. Raises DatabaseDown."""
        now, began_at = self._clock(), self._began_at()
        if began_at is None:
            return 0
        due = [one for one in due_reports(self._contract, now - SETTLED_MS, began_at) if one.key not in self._made]
        if due:
            self._made = self._register.keys()
        return sum(self._send(one, now) for one in due if one.key not in self._made)

    def _send(self, due: Due, now: int) -> bool:
        report = make_report(self._gather(due.period.since, due.period.until), self._ledger, due.kind, due.period)
        made = document(report)
        html, pdf = render_html(made), render_pdf(made)
        sinks = self._contract.reporting.sinks
        sent = self._register.send(due.key, due.period, html, pdf, message(report, html, pdf), sinks, now)
        if sent:
            log.info("report made", report=due.key, sinks=list(sinks))
        return sent


def message(report: Report, html: bytes, pdf: bytes) -> Message:
    """The report as a message: its verdict to be read at once, the whole of it attached."""
    name = file_name(report)
    return Message(
        subject=f"{document(report).title}: {summary(report)}",
        lines=tuple(outcome(report, one) for one in report.measured),
        facts={"Contract": report.contract.name, "Binding": "yes" if report.binding else "no, phase MVP"},
        attachments=(
            Attachment(f"{name}.pdf", "application/pdf", pdf),
            Attachment(f"{name}.html", "text/html", html),
        ),
    )


def file_name(report: Report) -> str:
    """The report's name as a file, without its ending."""
    return f"report-{report.kind}-{report.interval.name}"
