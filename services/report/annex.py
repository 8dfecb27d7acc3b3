"""Annex: the contract's clauses as a document, for HTML and PDF; Markdown says the same lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.contract.annex import Clause, by_section
from services.contract.document import Contract
from services.contract.markdown import NO_ADVICE
from services.report.blocks import Block, Bullets, Document, Heading


def annex_document(contract: Contract, found: Sequence[Clause], version: str) -> Document:
    """The whole annex, ready to be rendered."""
    return Document(
        title=f"{contract.name}: annex",
        subtitle=f"{version} {NO_ADVICE}",
        footer=f"{contract.provider.name} for {contract.client.name} · {contract.name} · annex · {version}",
        blocks=tuple(_blocks(found)),
    )


def _blocks(found: Sequence[Clause]) -> Iterator[Block]:
    for section, held in by_section(found):
        yield Heading(section)
        for clause in held:
            yield Heading(f"{clause.number} {clause.title}", 3)
            if clause.lines:
                yield Bullets(clause.lines)
