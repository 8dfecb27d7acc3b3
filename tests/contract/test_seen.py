"""What viewers see when something fails: words that a page really has, tests that there are, no promise of a broker."""

from __future__ import annotations

import re
from io import BytesIO
from pathlib import Path

import pytest
from click.testing import CliRunner
from pypdf import PdfReader

from app.cli import main
from app.scope import load_statement
from services.contract.annex import clauses, numbered, seen_when
from services.contract.seen import LOST_DISK, ROWS, Row, durability
from services.embedded import EmbeddedBroker
from services.report.annex import annex_document
from services.report.html import render_html
from services.report.pdf import render_pdf
from tests.installation import ROOT

PAGE_WORDS = (ROOT / "assets/live/freshness.mjs").read_text()


@pytest.mark.parametrize("row", ROWS, ids=[one.when for one in ROWS])
def test_each_row_names_a_test_that_there_is_and_words_that_a_page_has(row: Row) -> None:
    path, _, name = row.test.partition("::")
    assert re.search(rf"^def {name}\(", (ROOT / path).read_text(), re.MULTILINE), row.test
    for words in row.shown:
        assert words in PAGE_WORDS, words


def test_nothing_is_promised_of_a_broker_that_does_not_tell_what_it_keeps() -> None:
    assert "nothing is promised" in durability("untold")
    assert "loses what was acknowledged since the last one" in durability("snapshots")
    for kept in ("always", "everysec", "no", "snapshots", "nothing", "untold"):
        assert LOST_DISK in durability(kept)
    assert [one.number for one in seen_when("always")] == [f"16.{number}" for number in range(1, len(ROWS) + 2)]


def test_the_annex_says_of_a_broker_what_the_doctor_finds(tmp_path: Path) -> None:
    def annex(url: str) -> str:
        environment = {"REDIS_URL": url, "HEADWATER_DATA": str(tmp_path / "data")}
        return CliRunner().invoke(main, ["contract", "clauses"], env=environment).stdout

    broker = EmbeddedBroker(tmp_path / "broker")
    broker.start()
    assert "it survives a killed broker and a power cut" in annex(broker.url)
    url = broker.url
    broker.close()
    assert "nothing is promised of what a killed broker held" in annex(url)


def test_html_and_pdf_say_every_line_of_the_markdown() -> None:
    contract, statement = load_statement()
    found = [*clauses(contract, statement, numbered(statement)), *seen_when("everysec")]
    document = annex_document(contract, found, "No version is locked.")
    pages = PdfReader(BytesIO(render_pdf(document))).pages
    pdf = _squeezed("".join(page.extract_text() for page in pages))
    html = render_html(document).decode()
    for clause in found:
        assert _squeezed(clause.title) in pdf, clause.title
        assert f"{clause.number} " in html
    assert "This is a technical annex, no legal advice." in html
    for row in ROWS:
        assert _squeezed(row.test.partition("::")[2]) in pdf


def _squeezed(text: str) -> str:
    return re.sub(r"\s+|Headwater for Visitors.*?Page \d+", "", text)


def test_the_transport_of_each_feed_and_page_is_a_clause() -> None:
    contract, statement = load_statement()
    lines = {one.key: one.lines for one in clauses(contract, statement, numbered(statement))}
    assert lines["feed host"][0].startswith("Transport: polled by the worker every 1.0 s;")
    assert lines["feed flights"][0] == "Transport: pulled by the worker; something new is expected every 3.0 s"
    assert lines["feed signals"][0] == "Transport: posted to /api/ingest/signals as they happen"
    assert "by long poll, at most four updates a second" in lines["page /host"][0]
