"""Quality: lint, types and the order of rooms, as the build sees them."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.codebase.sources import ROOT, python_files, text_files

LINES_MAX = 400
ROOMS = ("app", "callbacks", "components", "headwater", "services")


@pytest.mark.parametrize(
    "command", [["ruff", "check", "."], ["mypy"], ["lint-imports"]], ids=["ruff", "mypy", "import-linter"]
)
def test_the_tools_find_nothing(command: list[str]) -> None:
    tool = Path(sys.executable).parent / command[0]
    found = subprocess.run([tool, *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_no_file_holds_more_than_one_can_read_at_once() -> None:
    code = [path for path in text_files() if path.suffix in {".py", ".mjs", ".js", ".lua"}]
    long = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in code}
    assert {name: lines for name, lines in long.items() if lines > LINES_MAX} == {}


def test_every_module_opens_with_its_one_idea() -> None:
    bare = [path for path in python_files(*ROOMS) if not _has_docstring(path)]
    assert bare == []


def _has_docstring(path: Path) -> bool:
    return path.read_text().startswith('"""')


@pytest.mark.parametrize(
    "pattern",
    [
        r"\b(TODO|FIXME|XXX)\b",
        r"raise NotImplementedError",
        r"suppress_callback_exceptions",
        r"^@callback",
        r"except Exception: *pass",
        r"^\s*except *:",
    ],
)
def test_nothing_is_left_loose(pattern: str) -> None:
    found = re.compile(pattern, re.MULTILINE)
    assert [path for path in python_files(*ROOMS) if found.search(path.read_text())] == []


def test_only_the_waiting_helper_sleeps_in_tests() -> None:
    sleeping = re.compile(r"(^|[^_\w])sleep\(")
    here = Path(__file__)
    found = [path for path in python_files("tests") if path != here and sleeping.search(path.read_text())]
    assert [path.name for path in found] == ["waiting.py"]


def test_what_the_browser_loads_names_no_other_host() -> None:
    address = re.compile(r"(?:https?:|wss?:|[\s'\"(])//[a-z0-9][^\s'\"`)>]*")
    for path in (path for path in text_files() if path.suffix in {".mjs", ".js", ".css"}):
        if path.relative_to(ROOT).parts[0] == "assets":
            named = set(address.findall(path.read_text())) - {"http://www.w3.org/2000/svg"}
            assert named == set(), path.relative_to(ROOT)
