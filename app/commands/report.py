"""Command of the report: `headwater contract report` makes one now, the same that is sent when it is due."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.commands.contract import read_project_contract
from app.settings import read_settings

if TYPE_CHECKING:
    from services.contract.document import Contract
    from services.contract.periods import Period
    from services.database import Database
    from services.report.periods import ReportKind


@click.command()
@click.option("--week", default="", metavar="NAME", help="A week, as 2026-W47; left out, the last one that is over.")
@click.option("--period", default="", metavar="NAME", help="A period of the contract, as 2026-11, 2026-Q4 or 2026.")
@click.option("--out", default=".", type=click.Path(path_type=Path), help="The folder that it is written to.")
@explained
def report(week: str, period: str, out: Path) -> None:
    """Write the service level report of a week or period as HTML and PDF."""
    from services.database import Database, require_current

    if week and period:
        raise click.UsageError("give --week or --period, not both")
    contract = read_project_contract()
    kind, span = _asked(contract, week, period)
    database = Database(read_settings().database_address)
    try:
        require_current(database)
        _write(contract, database, kind, span, out)
    finally:
        database.close()


def _asked(contract: Contract, week: str, period: str) -> tuple[ReportKind, Period]:
    """The week or period of that name, or the last week. Ends where it is none, or not over."""
    from services.contract.moments import shown
    from services.contract.periods import named
    from services.report.periods import last_ended, reported

    kind: ReportKind = "period" if period else "week"
    name, now = week or period, int(time.time() * 1000)
    found = named(contract, name) if name else last_ended(contract, kind, now)
    if found is None or ("W" in found.name) != (kind == "week"):
        fail(f"contract report: {name!r}: the contract has no such {kind}" if name else
             "contract report: no week of the contract is over yet", 2)
    span = reported(contract, kind, found.since)
    if span.until > now:
        fail(f"contract report: {span.name} is not over before {shown(contract.zone, span.until)}", 1)
    return kind, span


def _write(contract: Contract, database: Database, kind: ReportKind, span: Period, out: Path) -> None:
    from services.alerts.register import Register
    from services.contract.register import Excluded, NoticeRegister
    from services.measurement.kept import Kept
    from services.measurement.ledger import Ledger
    from services.report.gathering import Gathering
    from services.report.html import render_html
    from services.report.pdf import render_pdf
    from services.report.report import make_report
    from services.report.schedule import file_name
    from services.report.sections import document, summary

    notices, kept = NoticeRegister(database, contract), Kept(database)
    ledger = Ledger(kept, rolled_up=kept, intervals=Excluded(notices))
    facts = Gathering(contract, Register(database), notices).facts(span.since, span.until)
    made = make_report(facts, ledger, kind, span)
    shown, name = document(made), file_name(made)
    out.mkdir(parents=True, exist_ok=True)
    for ending, content in (("html", render_html(shown)), ("pdf", render_pdf(shown))):
        (out / f"{name}.{ending}").write_bytes(content)
        click.echo(out / f"{name}.{ending}")
    click.echo(f"{shown.title}: {summary(made)}")

