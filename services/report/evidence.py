"""Evidence: an acceptance as a document; the JSON beside it holds the samples, and its hash stands on every page."""

from __future__ import annotations

from collections.abc import Iterator

from services.acceptance.evidence import Evidence
from services.acceptance.trial import Verdict
from services.report.blocks import Block, Cell, Document, Note, Table, Text, Tone

_TONES: dict[Verdict, Tone] = {"passed": "good", "failed": "bad", "not seen": "warn"}


def evidence_document(found: Evidence) -> Document:
    """The whole evidence, ready to be rendered."""
    return Document(
        title=f"{found.contract}: acceptance",
        subtitle=f"{found.url}, begun {found.began_at}. {found.version}",
        footer=f"{found.contract} · acceptance · {found.began_at} · SHA-256 {found.sha256[:16]}…",
        blocks=tuple(_blocks(found)),
    )


def _blocks(found: Evidence) -> Iterator[Block]:
    if found.passed:
        yield Text("Passed: every criterion was seen to hold.", "good")
    else:
        yield Note("Not passed: the criteria below that failed, or were not seen, stand in the way.", "bad")
    rows = tuple(
        (
            Cell(found.clauses[one.criterion]), Cell(one.criterion), Cell(found.means[one.criterion]),
            Cell(one.verdict, _TONES[one.verdict]), Cell(one.said),
        )
        for one in found.outcomes
    )  # fmt: skip
    yield Table(("Clause", "Criterion", "Means", "Verdict", "What was found"), rows, (0.08, 0.17, 0.33, 0.1, 0.32))
    yield Text(f"SHA-256 of the JSON with all samples: {found.sha256}", "muted")
    yield Text("This is a technical annex, no legal advice.", "muted")
