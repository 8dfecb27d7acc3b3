"""`headwater contract report`, run as a person runs it."""

from __future__ import annotations

import time
from pathlib import Path

import pypdf

from services.database import Database, migrate
from services.measurement.kept import Kept
from services.measurement.minutes import MINUTE_MS
from tests.app.running import headwater
from tests.services.measured import own, sheet


def measured(folder: Path) -> None:
    """A database in which five minutes of the past week were measured."""
    database = Database(f"sqlite:///{folder / 'headwater.db'}")
    migrate(database)
    first = (int(time.time() * 1000) - 8 * 86_400_000) // MINUTE_MS * MINUTE_MS
    for at in range(first, first + 5 * MINUTE_MS, MINUTE_MS):
        kept = sheet("web", own(ingested_to_sent=[0.1, 0.2, 5.0]), at)
        Kept(database).add_sheets([(at + MINUTE_MS, kept.encoded())])
    database.close()


def test_it_writes_the_last_week_as_html_and_pdf(tmp_path: Path) -> None:
    measured(tmp_path)
    ended = headwater("contract", "report", "--out", str(tmp_path / "out"), HEADWATER_DATA=str(tmp_path))
    assert ended.returncode == 0, ended.stderr
    html, pdf, said = ended.stdout.splitlines()
    assert "objectives met" in said
    assert "Phase MVP: measured and reported, not binding" in Path(html).read_text()
    assert "Service level report, week" in pypdf.PdfReader(pdf).pages[0].extract_text()


def test_a_name_that_is_no_week_or_period_is_bad_usage(tmp_path: Path) -> None:
    for option, name in (("--week", "2026-W99"), ("--week", "2026-11"), ("--period", "2026-W40"), ("--period", "x")):
        ended = headwater("contract", "report", option, name, HEADWATER_DATA=str(tmp_path))
        assert ended.returncode == 2
        assert f"{name!r}: the contract has no such {option.strip('-')}" in ended.stderr


def test_a_week_that_is_not_over_is_refused_with_the_day_it_ends(tmp_path: Path) -> None:
    ended = headwater("contract", "report", "--period", "2027-12", HEADWATER_DATA=str(tmp_path))
    assert (ended.returncode, ended.stderr) == (
        1, "headwater: contract report: 2027-12 is not over before 2028-01-01 00:00 CET\n",
    )  # fmt: skip


def test_a_database_without_tables_is_told_with_its_remedy(tmp_path: Path) -> None:
    ended = headwater("contract", "report", HEADWATER_DATA=str(tmp_path))
    assert ended.returncode == 1
    assert "run `headwater release`" in ended.stderr
