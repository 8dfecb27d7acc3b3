"""The chapter on the contract names every field of the file in its own section, and every command of the register."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args, get_origin

import pytest
from pydantic import BaseModel

from app.commands.notices import notice
from services.contract.clauses import File, LogClause, SmtpClause, WebhookClause
from services.contract.shape import members_of
from tests.codebase.sources import ROOT

CHAPTER = (ROOT / "docs/contract.md").read_text()
_SECTION = re.compile(r"^##+ `(\[.*\])`$")


def _sections() -> dict[str, set[str]]:
    """The fields that each section documents in the first column of its first table."""
    found: dict[str, set[str]] = {}
    section = ""
    for line in CHAPTER.splitlines():
        if line.startswith("#"):
            heading = _SECTION.match(line)
            section = heading[1].strip("[]") if heading else ""
        elif section and not line and found.get(section):
            section = ""  # only the section's first table
        elif section and line.startswith("| `"):
            found.setdefault(section, set()).update(re.findall(r"`(\w+)`", line.split(" | ")[0]))
    return found


def _tables(model: type[BaseModel], path: str = "") -> Iterator[tuple[str, set[str]]]:
    """Every table of the file with its fields."""
    for name, field in model.model_fields.items():
        place = f"{path}.{name}" if path else name
        clauses = [one for one in _held(field.annotation) if _is_clause(one)]
        if len(clauses) > 1:
            yield place, {each for one in clauses for each in one.model_fields}
        elif clauses:
            yield place, set(clauses[0].model_fields)
            yield from _tables(clauses[0], place)


def _held(annotation: Any) -> Iterator[Any]:
    """The types that a field may hold, those of a list's entries included."""
    for one in members_of(annotation):
        yield from (each for held in get_args(one) for each in members_of(held)) if get_origin(one) is list else [one]


def _is_clause(found: Any) -> bool:
    return isinstance(found, type) and issubclass(found, BaseModel)


TABLES = dict(_tables(File))
INLINE = {"contract.provider", "contract.client"}
"""Two parties on one line each, explained there."""


def test_the_walk_meets_every_table() -> None:
    assert {"contract", "objective", "exclusions.maintenance.single", "alerts.burn", "sink", "report"} <= set(TABLES)
    assert TABLES["sink"] == {*WebhookClause.model_fields, *SmtpClause.model_fields, *LogClause.model_fields}


@pytest.mark.parametrize("table", sorted(set(TABLES) - INLINE - {"exclusions"}))
def test_every_field_of_a_table_stands_in_its_section(table: str) -> None:
    assert _sections().get(table) == TABLES[table]


def test_every_command_of_the_register_is_in_the_chapter() -> None:
    assert set(re.findall(r"`headwater contract notice ([a-z-]+)", CHAPTER)) == set(notice.commands)
