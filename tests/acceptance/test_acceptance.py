"""Acceptance before a real deployment: a whole one passes, and each broken one fails its own criterion alone."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO

import pytest
from pypdf import PdfReader

from app.scope import load_statement
from services.acceptance.evidence import evidence
from services.acceptance.outcome import Outcome
from services.acceptance.staging import Role, Staging
from services.acceptance.trial import Promised, Trial
from services.contract.annex import numbered
from services.report.evidence import evidence_document
from services.report.html import render_html
from services.report.pdf import render_pdf
from tests.acceptance.faulty import FAULTS, FaultyDoor
from tests.contract.written import DECLARATIONS
from tests.installation import SECRET, Installation
from tests.project.__main__ import SEES

CRITERIA = (
    "values-in-time", "nothing-missing", "right-after-burst", "roles-apart", "degraded-modes", "told-when-stale",
)  # fmt: skip
STAGING_KEY = {"HEADWATER_INGEST_KEYS": f"test:{SECRET}:*,for-staging"}
FAILS = {
    "none": None, "late": "values-in-time", "lossy": "nothing-missing", "silent": "told-when-stale",
    "leaking": "roles-apart", "lying": "values-in-time", "wrong": "right-after-burst",
    "deaf": "degraded-modes",
}  # fmt: skip


def _trial(url: str) -> Trial:
    channel = DECLARATIONS.channels["orders.everything"]
    roles = tuple(Role(name, "", "orders.total", "orders.everything") for name in ("desk", "wall"))
    promised = Promised(2.0, 0.9, 10.0, 3.0, 0.95, 40.0, frozenset({"long_poll", "slower_rate"}))
    staging = Staging(url, SECRET, channel.feed, channel)
    return Trial(staging, promised, roles, (), None, 2.0, 5.0, 2.0, lambda _: None)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, dict[str, Outcome]]]:
    """What each door's acceptance found; they go step by step side by side, as silence is of the whole feed."""
    installation = Installation(tmp_path_factory.mktemp("accepted"), web_processes=1)
    installation.broker.start()
    installation.start_process("worker")
    installation.start_process("web", more={SEES: "orders.everything", **STAGING_KEY})
    installation.wait_ready()
    doors = {name: FaultyDoor(installation.url, name) for name in FAULTS}
    try:
        runs = {name: _trial(door.url).run(CRITERIA) for name, door in doors.items()}
        outcomes: dict[str, dict[str, Outcome]] = {name: {} for name in runs}
        with ThreadPoolExecutor(len(runs)) as pool:
            for _ in CRITERIA:
                for name, outcome in zip(runs, pool.map(next, runs.values()), strict=True):
                    outcomes[name][outcome.criterion] = outcome
        yield outcomes
    finally:
        for door in doors.values():
            door.close()
        installation.stop()


@pytest.mark.parametrize("fault", FAULTS)
def test_a_deployment_fails_the_criterion_that_it_breaks_and_no_other(
    found: dict[str, dict[str, Outcome]], fault: str
) -> None:
    failed = {name: one.said for name, one in found[fault].items() if one.verdict != "passed"}
    assert set(failed) == ({FAILS[fault]} if FAILS[fault] else set()), failed


def test_evidence_is_dated_hashed_and_says_pass_or_fail_by_clause() -> None:
    contract, statement = load_statement()
    outcomes = [
        Outcome("values-in-time", "passed", "100 % of 20"), Outcome("nothing-missing", "failed", "19 of 20 there"),
        Outcome("told-when-stale", "passed", "stale is told"),
    ]  # fmt: skip
    made = evidence(contract, numbered(statement), "No version is locked.", "https://x.example", "2026-11-29", outcomes)
    said = json.loads(made.as_json())
    assert said["passed"] is False
    verdicts = {one["criterion"]: (one["clause"], one["verdict"]) for one in said["criteria"]}
    assert verdicts["nothing-missing"] == ("11.5", "failed")
    assert verdicts["roles-apart"] == ("11.7", "not seen")
    assert verdicts["deliverable runbook"] == ("11.2", "not seen")
    reconnect = numbered(statement)["objective reconnect"]
    assert (said["clauses"]["11.4"], said["clauses"]["11.5"], said["clauses"][reconnect]) == (
        "passed", "failed", "failed"
    )
    document = evidence_document(made)
    pdf = "".join(page.extract_text() for page in PdfReader(BytesIO(render_pdf(document))).pages)
    for text in (pdf.replace("\n", ""), render_html(document).decode()):
        assert made.sha256[:16] in text
        assert "2026-11-29" in text
        assert "Not passed" in text
