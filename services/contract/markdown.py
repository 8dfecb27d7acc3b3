"""Markdown: tables of what a contract says, safe for any text of a project, and what stands under each document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

NO_ADVICE = "This is a technical annex, no legal advice."


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> Iterator[str]:
    """The lines of a table; an empty cell is a dash, and heads that are named in `right` have their cells there."""
    yield f"| {' | '.join(heads)} |"
    yield f"|{'|'.join('--:' if head in right else '---' for head in heads)}|"
    for row in rows:
        yield f"| {' | '.join(_cell(one) for one in row)} |"


def text(lines: Iterable[str]) -> str:
    return "\n".join([*lines, ""])


def _cell(said: str) -> str:
    return " ".join(said.split()).replace("|", "\\|") or "–"
