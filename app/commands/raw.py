"""Commands of the raw minutes: export them, and verify a report's figures from them on another machine."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.commands.contract import read_project_contract
from app.settings import read_settings

if TYPE_CHECKING:
    from services.contract.document import Contract
    from services.contract.periods import Period
    from services.measurement.exporting import Verified
    from services.measurement.minutes import Score


@click.command("export-raw")
@click.argument("period")
@click.option("--out", required=True, type=click.Path(path_type=Path, dir_okay=False), help="The file to write.")
@explained
def export_raw(period: str, out: Path) -> None:
    """Write what was received in a report's PERIOD, with what was declared and the figures that come out of it.

    PERIOD is named as in the report, such as 2026-W48 or 2026-11.
    """
    from services.contract.register import Excluded, NoticeRegister
    from services.database import Database, require_current
    from services.measurement.exporting import export
    from services.measurement.kept import Kept
    from services.measurement.ledger import Ledger

    contract = read_project_contract()
    span = _period(contract, period)
    database = Database(read_settings().database_address)
    require_current(database)
    notices, kept = NoticeRegister(database, contract), Kept(database)
    ledger = Ledger(kept, rolled_up=kept, intervals=Excluded(notices))
    spans = notices.declared(span.since, span.until)
    lines = export(out, contract, kept, ledger, spans, span.since, span.until, notices.now())
    database.close()
    click.echo(f"{out}: {lines - 1} samples of {span.name}, {out.stat().st_size:,} bytes")


def _period(contract: Contract, name: str) -> Period:
    from services.contract.periods import named

    found = named(contract, name)
    if found is None:
        fail(f"period {name!r}: not one of this contract; name a week such as 2026-W48, or a period", 2)
    return found


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@explained
def verify(file: Path) -> None:
    """Compute a report's figures anew from the raw samples in FILE; needs no database, broker or contract.toml."""
    from services.measurement.exporting import ExportError
    from services.measurement.exporting import verify as compute

    try:
        found = compute(file)
    except ExportError as error:
        fail(error, 1)
    click.echo(f"{found.contract}: {found.minutes:,} minutes received")
    differing = sum(_told(one) for one in found.objectives)
    if differing:
        fail(f"{differing} of {len(found.objectives)} figures do not come out of the raw samples", 1)
    click.echo("every figure comes out of the raw samples, to the digit")


def _told(one: Verified) -> bool:
    """Print it; whether it differs."""
    verdict = "ok  " if one.holds else "DIFF"
    stated = "" if one.holds else f"; stated {_in_words(one.stated)}"
    click.echo(f"{verdict} {one.objective.name:28} {_in_words(one.computed)}{stated}")
    return not one.holds


def _in_words(score: Score) -> str:
    share = "nothing counted" if score.share is None else f"{100 * score.share:.6f} %"
    return f"{share}, good {score.good!r} of {score.total!r}, {score.no_data_minutes} minutes without data"
