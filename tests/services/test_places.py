"""Places: the line of every field, whatever way TOML lets one write it."""

from __future__ import annotations

import tomllib
from typing import Any

import pytest

from services.places import Places

TEXT = '''# a comment with [brackets] = and "quotes
title = "one # two [three]"
words = """
fake = 1
[fake.table]
"""
many = [
  1,  # fake = 2
  [2, 3],
]
dotted.inner = 1
"quoted key" = 2

[table]
first = { inner = 1, other = [1, 2] }
literal = \'\'\'
fake = "\'\'\'
second = 2026-01-01

[table.deeper]
third = "a \\" quote"

[[entry]]
name = "a"
[[entry.part]]
size = 1
[[entry.part]]
size = 2

[[entry]]
name = "b"
[entry.only]
last = true
[[entry.part]]
size = 3
'''


@pytest.mark.parametrize(
    ("path", "line"),
    [
        (("title",), 2),
        (("words",), 3),
        (("many",), 7),
        (("many", 1, 0), 7),
        (("dotted", "inner"), 11),
        (("quoted key",), 12),
        (("table",), 14),
        (("table", "first", "inner"), 15),
        (("table", "literal"), 16),
        (("table", "second"), 18),
        (("table", "deeper", "third"), 21),
        (("entry", 0), 23),
        (("entry", 0, "name"), 24),
        (("entry", 0, "part", 1, "size"), 28),
        (("entry", 1, "name"), 31),
        (("entry", 1, "only", "last"), 33),
        (("entry", 1, "part", 0, "size"), 35),
        (("entry", 1, "missing"), 30),
        (("nowhere",), 1),
    ],
)
def test_a_field_is_found_on_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert Places(TEXT).line(path) == line


def test_every_value_of_a_file_has_a_line_that_holds_its_name_or_its_table() -> None:
    places, lines = Places(TEXT), TEXT.splitlines()

    def walk(found: Any, path: tuple[str | int, ...]) -> None:
        if isinstance(found, dict):
            for name, value in found.items():
                assert name.split()[0] in lines[places.line((*path, name)) - 1], (*path, name)
                walk(value, (*path, name))
        elif isinstance(found, list) and found and isinstance(found[0], dict):
            for number, value in enumerate(found):
                walk(value, (*path, number))

    walk(tomllib.loads(TEXT), ())
