"""The pictures of the architecture are what the code imports."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

from tests.codebase.sources import ROOT, python_files

TEXT = (ROOT / "docs/architecture.md").read_text()
ROOMS = ("app", "callbacks", "components", "services")


def _drawn(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", TEXT, re.DOTALL)


def _imported(path: Path) -> set[str]:
    """What a file imports when it runs, modules by their whole names; what only type checkers read is no import."""
    names: set[str] = set()
    waiting: list[ast.AST] = [ast.parse(path.read_text())]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING":
            waiting += node.orelse
            continue
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module)
        waiting += ast.iter_child_nodes(node)
    return names


def test_rooms_know_each_other_as_they_are_drawn() -> None:
    (picture,) = _drawn("mermaid")
    drawn = set(re.findall(r"^    (\w+) --> (\w+)$", picture, re.MULTILINE))
    found = set()
    for room in ROOMS:
        for path in python_files(room):
            others = {name.partition(".")[0] for name in _imported(path)}
            found |= {(room, other) for other in others & set(ROOMS) - {room}}
    assert found == drawn


def test_the_lines_of_services_are_those_that_are_held_at_each_build() -> None:
    (picture,) = _drawn("text")
    drawn = picture.strip().splitlines()
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    (held,) = (one["layers"] for one in contracts if one.get("containers") == ["services"])
    assert drawn == held
    parts = {part for line in drawn for part in line.split(" | ")}
    there = {path.stem if path.suffix else path.name for path in (ROOT / "services").iterdir()}
    assert parts == {name for name in there if not name.startswith("_")} - {"py"}


def test_every_room_is_told_of() -> None:
    told = re.findall(r"^\| `(\w+)` \|", TEXT.partition("## Inside")[0], re.MULTILINE)
    assert set(told) == {*ROOMS, "assets", "headwater"}
