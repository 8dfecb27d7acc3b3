"""Handover: every deliverable in one folder, made from what is declared; a missing or changed one is noticed."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from pypdf import PdfReader

from app.cli import main
from app.drafts.contract import DELIVERABLES
from app.scope import load_statement
from services.alerts import channels, objectives
from services.alerts.rule import by_web, everywhere, in_sight
from services.contract.annex import clauses, numbered, seen_when
from services.contract.scope import Deliverable
from services.handover.folder import Held, MissingDeliverables, held, whole, write
from services.handover.guide import alert_rules, critical_failures, reading_guide
from services.handover.mapping import source_mapping
from services.handover.proof import Evidence, log_of_tests, matrix
from services.handover.runbook import BUILT_IN, entry_of, runbook

CONTRACT, STATEMENT = load_statement()
CLAUSES = [*clauses(CONTRACT, STATEMENT, numbered(STATEMENT)), *seen_when("everysec")]
EVIDENCE: dict[str, Any] = {
    "contract": "x", "url": "https://staging.example.com", "began_at": "2026-11-29T10:00:00Z", "passed": False,
    "criteria": [
        {"clause": "11.4", "criterion": "values-in-time", "means": "m", "verdict": "passed", "said": "100 % of 20"},
        {"clause": "11.7", "criterion": "roles-apart", "means": "m", "verdict": "failed", "said": "a leak"},
    ],
}  # fmt: skip


def test_every_alert_that_can_be_told_has_an_entry_in_the_runbook() -> None:
    rules = [key for rule in (*everywhere(), *by_web(), *in_sight()) for key in rule.keys]
    keys = {*rules, *channels.KEYS, *objectives.KEYS, "archive-gap:"}
    assert {key for key in keys if entry_of(key) is None} == set()
    assert {one.key for one in BUILT_IN} == keys, "an entry of an alert that nobody can tell"
    text = runbook(CONTRACT)
    for objective in CONTRACT.objectives:
        assert f"### {objective.name}\n" in text
    for threshold in CONTRACT.alerting.threshold:
        assert f"### {threshold.name}\n" in text
        assert threshold.name in alert_rules(CONTRACT)


def test_the_source_mapping_names_every_field_and_column_that_is_declared() -> None:
    text = source_mapping(CONTRACT.name, STATEMENT)
    for key in STATEMENT:
        if " > field " in key or " > column " in key:
            assert f"`{key.rpartition(' ')[2]}`" in text, key
    assert "## flights" in text


def test_the_source_mapping_says_what_of_a_record_becomes_which_field() -> None:
    key = "feed flights"
    mapped = {
        **STATEMENT, f"{key} > mapping delay_min": {"path": "times.late", "unit": "s"},
        f"{key} > mapping id": {"path": "leg and day"},
    }  # fmt: skip
    text = source_mapping(CONTRACT.name, mapped)
    assert "| `delay_min` | `times.late`, unit s |" in text
    assert "| `id` | `leg and day` |" in text


def test_the_guide_says_each_objective_and_the_critical_failures_their_first_step() -> None:
    guide, critical = reading_guide(CONTRACT), critical_failures(CONTRACT)
    assert all(f"| {one.name} |" in guide for one in CONTRACT.objectives)
    for one in BUILT_IN:
        assert (one.title in critical) == (one.severity == "critical")
    assert CONTRACT.provider.contact in critical


def test_the_matrix_has_a_line_for_every_clause_with_its_test_and_evidence() -> None:
    proof = Evidence.of("acceptance.json", EVIDENCE)
    lines = {line.split(" | ")[0].strip("| "): line for line in matrix(CONTRACT, CLAUSES, proof).splitlines()[4:]}
    assert set(lines) == {one.number for one in CLAUSES}
    by_key = {one.key: lines[one.number] for one in CLAUSES}
    assert "contract accept: values-in-time" in by_key["objective gateway-latency"]
    assert "values-in-time: passed: 100 % of 20" in by_key["objective gateway-latency"]
    assert "roles-apart: failed: a leak" in by_key["acceptance roles-apart"]
    assert "gateway-latency, board-painted" in by_key["acceptance values-in-time"]
    assert "told-when-stale: not looked at" in by_key["acceptance told-when-stale"]
    assert "tests/journeys/test_trouble.py::test_web_processes_that_restart" in str(by_key)
    assert "agreed: nothing to measure" in by_key["price > build"]
    assert "not accepted yet" in matrix(CONTRACT, CLAUSES, None)


def test_the_test_log_holds_acceptance_and_load_or_says_that_there_was_none() -> None:
    none = log_of_tests(CONTRACT, None, None, ())
    assert "No acceptance has been run" in none
    assert "No load has been run" in none
    measured = {
        "began_at": "2026-11-28", "envelope": {"events_per_s": 100.0, "viewers": 9},
        "stages": [{"share": 0.25, "found": [{"objective": "backlog", "held": False, "said": "9 of 20"}]}],
    }  # fmt: skip
    both = log_of_tests(CONTRACT, Evidence.of("a.json", EVIDENCE), measured, ["pytest.xml"])
    assert "| 11.7 | roles-apart | failed | a leak |" in both
    assert "| 25 % | backlog | no | 9 of 20 |" in both
    assert "`tests/pytest.xml`" in both


def _promising(*files: str) -> Any:
    named = tuple(Deliverable(file.partition(".")[0], "m", file) for file in files)
    return replace(CONTRACT, scope=replace(CONTRACT.scope, deliverables=named))


def _faults(found: list[Held]) -> dict[str, str]:
    return {one.deliverable.name: one.fault for one in found}


def test_a_deliverable_that_nothing_writes_is_refused_and_one_that_changed_is_noticed(tmp_path: Path) -> None:
    contract = _promising("annex.md", "deployment")
    with pytest.raises(MissingDeliverables, match=r"nothing writes deployment \(deployment\); put each into"):
        whole(contract, {"annex.md": b"a"}, "now", "Version 1.")
    files = whole(contract, {"annex.md": b"a", "deployment/Procfile": b"p"}, "now", "Version 1.")
    index = json.loads(files["index.json"])
    assert [one["sha256"] for one in index["files"]] == [hashlib.sha256(one).hexdigest() for one in (b"a", b"p")]
    folder = tmp_path / "handover"
    write(folder, files)
    assert _faults(list(held(contract, folder))) == {"annex": "", "deployment": ""}
    (folder / "annex.md").write_text("another")
    (folder / "deployment/Procfile").unlink()
    assert _faults(list(held(contract, folder))) == {
        "annex": "annex.md is another than its hash in the index says",
        "deployment": "deployment/Procfile is missing from the handover",
    }
    assert "runbook.md is missing" in _faults(list(held(_promising("runbook.md"), folder)))["runbook"]
    assert "no handover was given" in _faults(list(held(contract, None)))["annex"]
    assert "no handover: " in _faults(list(held(contract, tmp_path)))["annex"]


def _run(folder: Path, *arguments: str) -> Result:
    environment = {"HEADWATER_PROJECT": str(folder), "HEADWATER_DATA": str(folder / "data")}
    return CliRunner().invoke(main, ["handover", *arguments], env=environment)


def test_the_command_writes_all_that_a_drafted_contract_promises_and_no_secret(tmp_path: Path) -> None:
    project = tmp_path / "board"
    sources = ["--defaults", "--answer", "sources=orders=push@1, stock=poll@5"]
    assert CliRunner().invoke(main, ["contract", "new", str(project), *sources]).exit_code == 0
    with (project / "settings.env").open("a") as settings:
        settings.write("HEADWATER_PROBE_KEY=do-not-tell-this-one\nSTOCK_TOKEN=nor-this-one\n")
    evidence, log = tmp_path / "acceptance.json", tmp_path / "pytest.xml"
    evidence.write_text(json.dumps(EVIDENCE))
    evidence.with_suffix(".pdf").write_bytes(b"%PDF")
    log.write_text("<testsuites/>")
    given = ("--out", str(tmp_path / "out"), "--evidence", str(evidence), "--test-log", str(log))
    made = _run(project, *given)
    assert made.exit_code == 0, made.stderr
    assert "all 9 deliverables among them" in made.stdout
    (folder,) = (tmp_path / "out").iterdir()
    assert re.fullmatch(r"handover-\d{4}-\d\d-\d\d", folder.name)
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {file for _, _, file in DELIVERABLES if file != "deployment"} <= files
    assert {
        "deployment/Procfile", "deployment/project/contract.toml", "deployment/project/feeds/stock.py", "index.md",
        "matrix.md", "annex.pdf", "evidence/acceptance.json", "evidence/acceptance.pdf", "tests/pytest.xml",
    } <= files  # fmt: skip
    told = b"".join((folder / one).read_bytes() for one in files)
    assert b"do-not-tell" not in told
    assert b"nor-this-one" not in told
    assert b"(a secret, handed over apart)" in told
    assert "feed stock" in PdfReader(BytesIO((folder / "annex.pdf").read_bytes())).pages[0].extract_text().lower()
    again = _run(project, *given)
    assert (again.exit_code, "not empty; move it away" in again.stderr) == (1, True)
    lacking = (project / "contract.toml").read_text().replace('file = "runbook.md"', 'file = "training.pdf"')
    (project / "contract.toml").write_text(lacking)
    missing = _run(project, "--out", str(tmp_path / "other"))
    assert (missing.exit_code, "nothing writes runbook (training.pdf)" in missing.stderr) == (1, True)
    (project / "handover").mkdir()
    (project / "handover/training.pdf").write_bytes(b"%PDF")
    assert _run(project, "--out", str(tmp_path / "other")).exit_code == 0


def test_what_is_no_evidence_is_refused(tmp_path: Path) -> None:
    project = tmp_path / "board"
    assert CliRunner().invoke(main, ["contract", "new", str(project), "--defaults"]).exit_code == 0
    evidence = tmp_path / "evidence.json"
    evidence.write_text('{"passed": true}')
    found = _run(project, "--evidence", str(evidence), "--out", str(tmp_path))
    assert (found.exit_code, "give the JSON that an acceptance wrote" in found.stderr) == (2, True)
