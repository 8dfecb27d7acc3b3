"""Imports: what the code imports is what the locks install."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from tests.codebase.sources import ROOT, python_files

OURS = {"app", "bench", "callbacks", "components", "headwater", "services", "tests"}


def _imported(path: Path) -> set[str]:
    """The top-level names that a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module)
    return {name.partition(".")[0] for name in names} - OURS - sys.stdlib_module_names


def _locked(lock: str) -> set[str]:
    return set(re.findall(r"^([a-z0-9][a-z0-9._-]*)==", (ROOT / lock).read_text(), re.MULTILINE))


def _extras() -> set[str]:
    """Packages that an installation may do without: each is an extra, imported where it is used and nowhere else."""
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    return {re.split(r"[\[<>=;]", one)[0] for name, held in groups.items() if name != "test" for one in held}


def _imported_at_once(path: Path) -> set[str]:
    """The top-level names that a file imports as soon as it is imported."""
    names: set[str] = set()
    for node in ast.parse(path.read_text()).body:
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            names.add(node.module)
    return {name.partition(".")[0] for name in names}


@pytest.mark.parametrize(
    ("rooms", "lock"),
    [
        (("app", "callbacks", "components", "services"), "requirements.txt"),
        (("tests", "bench"), "requirements-test.txt"),
    ],
)
def test_every_imported_package_is_in_the_lock_or_an_extra(rooms: tuple[str, ...], lock: str) -> None:
    locked, providers = _locked(lock) | _extras(), packages_distributions()
    strangers = {}
    for path in python_files(*rooms):
        for name in _imported(path):
            found = {re.sub(r"[._-]+", "-", one).lower() for one in providers.get(name, [])}
            if not found & locked:
                strangers[name] = str(path.relative_to(ROOT))
    assert strangers == {}


def test_a_package_that_an_installation_may_do_without_is_imported_only_where_it_is_used() -> None:
    extras, providers = _extras(), packages_distributions()
    for path in python_files("app", "callbacks", "components", "services"):
        for name in _imported_at_once(path):
            found = {re.sub(r"[._-]+", "-", one).lower() for one in providers.get(name, [])}
            assert not found & extras - _locked("requirements.txt"), f"{path}: {name}"
