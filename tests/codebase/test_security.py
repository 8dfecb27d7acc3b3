"""SECURITY.md: each threat names requirements that there are, and a test that there is."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.codebase.sources import ROOT

TEXT = (ROOT / "SECURITY.md").read_text()
ROWS = [
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in TEXT.splitlines() if line.startswith("|") and not line.startswith(("| threat", "|---"))
]
SECTIONS = {  # OWASP ASVS 5.0.0: how many requirements the sections have that are named
    "1.2": 10, "1.3": 12, "2.2": 3, "2.4": 2, "3.2": 3, "3.3": 5, "3.4": 8, "3.5": 8, "3.7": 5, "4.1": 5, "4.4": 4,
    "5.2": 6, "6.2": 12, "6.3": 8, "6.8": 4, "7.2": 4, "7.3": 2, "7.4": 5, "8.2": 4, "8.3": 3, "9.2": 4, "10.1": 2,
    "10.2": 3, "10.5": 5, "11.4": 4, "12.2": 2, "12.3": 5, "13.3": 4, "14.2": 8, "14.3": 3, "15.1": 5, "15.2": 5,
    "15.3": 7, "15.4": 4, "16.2": 5, "16.3": 4, "16.5": 4,
}


@cache
def names_in(path: str) -> frozenset[str]:
    """The names of the tests in a file; none where there is no such file."""
    file = ROOT / path
    if not file.is_file():
        return frozenset()
    return frozenset(one.name for one in ast.walk(ast.parse(file.read_text())) if isinstance(one, ast.FunctionDef))


def test_there_is_a_threat_model() -> None:
    assert len(ROWS) >= 30
    assert all(len(row) == 4 and all(row) for row in ROWS), [row for row in ROWS if len(row) != 4 or not all(row)]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_every_threat_is_held_by_a_test_that_there_is(row: list[str]) -> None:
    named = re.fullmatch(r"`(tests/\S+\.py)::(test_\w+)`", row[3])
    assert named, row[3]
    assert named[2] in names_in(named[1]), row[3]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0][:50])
def test_every_requirement_is_one_of_the_standard(row: list[str]) -> None:
    for number in row[2].split(", "):
        section, _, last = number.rpartition(".")
        assert 1 <= int(last) <= SECTIONS[section], number


def test_every_file_that_is_named_is_there() -> None:
    named = set(re.findall(r"`((?:app|services|docs|tests|\.ci)/[\w./-]+)`", TEXT))
    assert [path for path in named if not (ROOT / path).exists()] == []
