"""Evidence: an acceptance as a document; the JSON beside it holds the samples, and its hash stands on every page."""

from __future__ import annotations

from collections.abc import Iterator

from services.acceptance.evidence import Evidence, Judged
from services.acceptance.outcome import Verdict
from services.contract.markdown import NO_ADVICE
from services.report.blocks import Block, Cell, Document, Heading, Note, Table, Text, Tone

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
        yield Note("Not passed: what failed below, or was not seen, stands in the way.", "bad")
    heads = ("Clause", "Criterion", "Means", "Verdict", "What was found")
    yield Table(heads, tuple(map(_row, found.lines)), (0.08, 0.18, 0.28, 0.1, 0.36))
    yield Heading("By clause")
    rows = tuple(
        (Cell(number), Cell(", ".join(_about(found, number))), Cell(verdict, _TONES[verdict]))
        for number, verdict in found.by_clause.items()
    )
    yield Table(("Clause", "Is about", "Verdict"), rows, (0.12, 0.68, 0.2))
    yield Text(f"SHA-256 of the JSON with all samples: {found.sha256}", "muted")
    yield Text(NO_ADVICE, "muted")


def _row(one: Judged) -> tuple[Cell, ...]:
    outcome = one.outcome
    return (
        Cell(one.clause), Cell(outcome.criterion), Cell(one.means), Cell(outcome.verdict, _TONES[outcome.verdict]),
        Cell(outcome.said),
    )  # fmt: skip


def _about(found: Evidence, number: str) -> Iterator[str]:
    for line in found.lines:
        if line.clause == number:
            yield line.outcome.criterion
        yield from (f"objective {name}" for name, clause in line.objectives.items() if clause == number)
