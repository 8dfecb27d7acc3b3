"""Documents: what they say of settings, commands and targets is what there is."""

from __future__ import annotations

import os
import re
import tomllib

import pytest

from app.cli import main
from app.settings import entries, markdown_table
from tests.codebase.sources import ROOT

README = (ROOT / "README.md").read_text()
MAKEFILE = (ROOT / "Makefile").read_text()
TARGETS = set(re.findall(r"^\.PHONY: (.*)$", MAKEFILE, re.MULTILINE)[0].split())


def test_the_readme_holds_the_table_of_settings() -> None:
    assert markdown_table() in README, "run: .venv/bin/headwater settings --markdown"


def test_every_variable_in_the_readme_is_a_setting() -> None:
    known = {entry.variable for entry in entries()}
    assert set(re.findall(r"HEADWATER_[A-Z_]+", README)) <= known


def test_every_command_in_the_readme_exists() -> None:
    named = set(re.findall(r"`headwater ([a-z]+)", README))
    assert named
    assert named <= set(main.commands)


def test_every_make_target_in_the_readme_exists() -> None:
    named = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    assert {"run", "test"} <= named <= TARGETS


def test_every_make_target_has_a_rule() -> None:
    assert {target for target in TARGETS if not re.search(rf"^{target}:", MAKEFILE, re.MULTILINE)} == set()


@pytest.mark.parametrize("name", sorted(path.name for path in (ROOT / ".ci").iterdir()))
def test_every_script_can_be_run(name: str) -> None:
    assert os.access(ROOT / ".ci" / name, os.X_OK)


def test_the_procfile_starts_the_three_processes() -> None:
    lines = dict(line.split(": ", 1) for line in (ROOT / "Procfile").read_text().splitlines())
    assert set(lines) == {"web", "worker", "release"}
    for process, command in lines.items():
        assert command == f"python -m app.cli {process}"
        assert process in main.commands


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-test.txt"])
def test_every_locked_package_has_hashes_and_no_registry_is_named(name: str) -> None:
    lock = (ROOT / name).read_text()
    pinned = re.findall(r"^[a-z0-9][a-z0-9._-]*==", lock, re.MULTILINE)
    assert len(pinned) > 40
    assert len(re.findall(r"==[^\n]*\\\n    --hash=sha256:", lock)) == len(pinned)
    assert "://" not in lock
    assert "--index" not in lock


def test_the_lock_holds_every_dependency_with_its_reason() -> None:
    text = (ROOT / "pyproject.toml").read_text()
    project = tomllib.loads(text)["project"]
    lock = (ROOT / "requirements.txt").read_text()
    for dependency in project["dependencies"]:
        name = re.split(r"[\[<>=;]", dependency)[0]
        assert re.search(rf"^{name}==", lock, re.MULTILINE), name
        line = next(line for line in text.splitlines() if f'"{dependency}"' in line)
        above = text.splitlines()[text.splitlines().index(line) - 1]
        assert "#" in line.rpartition('"')[2] or above.lstrip().startswith("#"), name
