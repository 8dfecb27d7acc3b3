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
    """What a user adds by name, as the sources' clients of Kafka and MQTT."""
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    named = [one for extra, wanted in extras.items() if extra != "test" for one in wanted]
    return {re.split(r"[\[<>=;]", one)[0] for one in named}


def test_an_extra_is_asked_for_by_one_source_alone_as_it_runs() -> None:
    providers = packages_distributions()
    for path in python_files("app", "callbacks", "components", "services"):
        found = {one.lower() for name in _imported(path) for one in providers.get(name, [])} & _extras()
        at_top = {node.module for node in ast.parse(path.read_text()).body if isinstance(node, ast.ImportFrom)}
        assert not found or path.parent.name == "sources", path
        assert not {str(name).partition(".")[0] for name in at_top} & {"confluent_kafka", "paho"}, path


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
