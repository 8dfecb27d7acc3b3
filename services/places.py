"""Places: on which line of a TOML text each field stands. `tomllib` reads values and forgets where they stood.

A scanner of lines, no second parser: it runs on text that `tomllib` accepted, and knows headers, keys, strings of
several lines and open brackets.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence

Path = tuple[str | int, ...]

_HEADER = re.compile(r"^\s*(\[\[?)\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"^\s*((?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[A-Za-z0-9_-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_QUOTED = re.compile(r"\"\"\"|'''|\"(?:\\.|[^\"\\])*\"|'[^']*'|#.*|[\[\]{}]")


class Places:
    """The line of each field, by its path: names, and a number for each entry of a list of tables."""

    def __init__(self, text: str) -> None:
        self._lines: dict[Path, int] = {(): 1}
        self._seen: Counter[Path] = Counter()
        self._table: Path = ()
        self._depth, self._open_string = 0, ""
        for number, line in enumerate(text.splitlines(), start=1):
            self._read(number, line)

    def _read(self, number: int, line: str) -> None:
        if self._depth == 0 and not self._open_string:
            if header := _HEADER.match(line):
                self._open(number, header[1] == "[[", _names(header[2]))
                return
            if key := _KEY.match(line):
                self._note((*self._table, *_names(key[1])), number)
        self._follow(line)

    def _open(self, number: int, listed: bool, names: Path) -> None:
        path = self._counted(names[:-1])
        table: Path = (*path, names[-1])
        if listed:
            table = (*table, self._seen[table])
            self._seen[table[:-1]] += 1
        self._table = table
        self._note(table, number)

    def _note(self, path: Path, number: int) -> None:
        """The line of the field, and of tables around it that have no line of their own."""
        for length in range(1, len(path) + 1):
            self._lines.setdefault(path[:length], number)

    def _counted(self, names: Path) -> Path:
        """The path of a header's parents: a parent that is a list means its newest entry."""
        path: Path = ()
        for name in names:
            path = (*path, name)
            if self._seen[path]:
                path = (*path, self._seen[path] - 1)
        return path

    def _follow(self, line: str) -> None:
        """Keep count of brackets and of strings that go on to the next line."""
        rest = line
        while rest:
            if self._open_string:
                _, closed, rest = rest.partition(self._open_string)
                if not closed:
                    return
                self._open_string = ""
                continue
            mark = _QUOTED.search(rest)
            if mark is None:
                return
            rest = rest[mark.end() :]
            self._meet(mark[0])

    def _meet(self, mark: str) -> None:
        if mark in ('"""', "'''"):
            self._open_string = mark
        elif mark in "[{":
            self._depth += 1
        elif mark in "]}":
            self._depth -= 1

    def line(self, path: Sequence[str | int]) -> int:
        """The line of the field, else of the nearest table that would hold it."""
        known: Mapping[Path, int] = self._lines
        for length in range(len(path), -1, -1):
            if (found := known.get(tuple(path[:length]))) is not None:
                return found
        return 1


def _names(dotted: str) -> Path:
    return tuple(part.strip().strip("\"'") for part in dotted.split("."))
