"""Commands of the contract, run as a person runs them."""

from __future__ import annotations

from pathlib import Path
from time import time

import click
from click.testing import CliRunner

from app.commands import explained
from app.loading import DEMO, load_declarations
from services.contract.reading import read_contract
from services.database import Database, migrate
from services.measurement.kept import Kept
from services.sheets import MINUTE_MS, Key, Line, Sheet
from services.sketch import Sketch
from tests.app.running import headwater

assert DEMO.contract is not None
TEXT = DEMO.contract.read_text()


def _changed(folder: Path, *changes: tuple[str, str]) -> Path:
    text = TEXT
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = folder / "contract.toml"
    path.write_text(text)
    return path


def test_the_demos_contract_passes_the_check_and_says_its_objectives() -> None:
    ended = headwater("contract", "check")
    assert ended.returncode == 0, ended.stdout
    assert "gateway-latency: 95 % of valid events within 2.0 s of receipt, measured at the gateway, " in ended.stdout
    assert "warn" not in ended.stdout
    assert not ended.stderr


def test_the_general_check_holds_the_contract_too() -> None:
    assert "ok    contract: 11 objectives, phase mvp: Headwater demo" in headwater("check").stdout


def test_a_fault_fails_the_check_with_its_line_and_remedy(tmp_path: Path) -> None:
    path = _changed(tmp_path, ("within_s = 2.0", "within_s = 0"), ('name = "log"', 'name = "Log"'))
    ended = headwater("contract", "check", str(path))
    assert ended.returncode == 1
    assert f"fail  contract: {path}:19: objective[0].within_s: 0: give seconds above 0, for example 2.0" in ended.stdout
    assert ended.stderr == "headwater: 2 faults in the contract; the lines marked 'fail' name the remedy\n"


def test_a_target_that_cannot_hold_is_a_warning_with_its_figure(tmp_path: Path) -> None:
    path = _changed(tmp_path, ("within_s = 3.0", "within_s = 0.3"))
    ended = headwater("contract", "check", str(path))
    assert ended.returncode == 0
    assert "machine-freshness: within_s = 0.3: host.now has an event every 1.0 s" in ended.stdout
    assert "the nearest target that holds is within_s = 1.1" in ended.stdout


def test_proactive_monitoring_that_reaches_nobody_fails_the_check(tmp_path: Path) -> None:
    path = _changed(tmp_path, ('monitoring = "reactive"', 'monitoring = "proactive"'))
    ended = headwater("contract", "check", str(path))
    assert ended.returncode == 1
    assert "support.monitoring: proactive, but no sink reaches anybody; declare a webhook or mail" in ended.stdout


def test_notices_are_recorded_confirmed_and_listed(tmp_path: Path) -> None:
    data = {"HEADWATER_DATA": str(tmp_path)}
    claim = headwater(
        "contract", "notice", "force-majeure", "--from", "2026-03-01T10:00", "--to", "2026-03-01T12:00",
        "--reason", "flood", "--by", "Ada", "--party", "provider", **data,
    )  # fmt: skip
    assert claim.returncode == 0, claim.stderr
    assert "force_majeure  2026-03-01 10:00 CET – 2026-03-01 12:00 CET  claimed by Ada for the provider" in claim.stdout
    hotfix = headwater("contract", "notice", "hotfix", "--minutes", "5", "--reason", "leak", "--by", "Ada", **data)
    assert hotfix.returncode == 0, hotfix.stderr
    confirmed = headwater("contract", "notice", "confirm", "1", "--by", "Grace", "--party", "client", **data)
    assert confirmed.returncode == 0, confirmed.stderr
    listed = headwater("contract", "notice", "list", **data).stdout.splitlines()
    assert "counts: claimed by Ada, confirmed by Grace" in listed[0]
    assert "hotfix" in listed[1]


def test_late_maintenance_is_refused_in_one_line_and_stands_on_the_register(tmp_path: Path) -> None:
    data = {"HEADWATER_DATA": str(tmp_path)}
    late = headwater(
        "contract", "notice", "maintenance", "patches", "--from", "2026-03-01T10:00", "--to", "2026-03-01T12:00",
        "--reason", "patches", "--by", "Ada", **data,
    )  # fmt: skip
    assert late.returncode == 1
    assert late.stderr.startswith("headwater: notice 1: refused, and recorded as refused: recorded ")
    assert len(late.stderr.splitlines()) == 1
    assert "refused" in headwater("contract", "notice", "list", **data).stdout


def test_a_time_that_is_none_is_bad_usage(tmp_path: Path) -> None:
    ended = headwater(
        "contract", "notice", "maintenance", "patches", "--from", "tomorrow", "--to", "later", "--reason", "r", "--by",
        "Ada", HEADWATER_DATA=str(tmp_path),
    )  # fmt: skip
    assert ended.returncode == 2
    assert "'tomorrow': give a time such as 2026-06-01T22:00" in ended.stderr


def test_a_limit_below_what_was_measured_in_the_last_hour_is_a_warning(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path / 'headwater.db'}")
    migrate(database)
    now = int(1000 * time())
    slow = Sheet("web-1", "web-1", "web", now // MINUTE_MS * MINUTE_MS - 10 * MINUTE_MS, 0.0, 0.1, {}, {}, {
        Key("ingested_to_sent", "flights.board"): Line(Sketch.of([3.0] * 50))
    })  # fmt: skip
    Kept(database).add_sheets([(now, slow.encoded())])
    database.close()
    ended = headwater("contract", "check", HEADWATER_DATA=str(tmp_path))
    assert ended.returncode == 0, ended.stdout
    (warned,) = [line for line in ended.stdout.splitlines() if line.startswith("warn")]
    assert "gateway-latency: within_s = 2: lately 95 % were within 2.979 s" in warned
    assert warned.endswith("the nearest target that holds is within_s = 3")


def test_any_command_that_reads_a_wrong_contract_says_the_first_fault_in_one_line(tmp_path: Path) -> None:
    path = _changed(tmp_path, ("within_s = 2.0", "within_s = 0"), ('name = "log"', 'name = "Log"'))

    @click.command()
    @explained
    def read() -> None:
        read_contract(path, load_declarations(DEMO))

    ended = CliRunner().invoke(read)
    assert ended.exit_code == 1
    assert ended.stderr.startswith(f"headwater: {path}:19: objective[0].within_s: 0: give seconds above 0")
    assert ended.stderr.endswith("(and 1 more: headwater contract check)\n")
    assert len(ended.stderr.splitlines()) == 1
