"""A contract of the test project, written with a change in one place."""

from __future__ import annotations

from pathlib import Path

from app.loading import Project, load_declarations
from services.contract.document import Contract
from services.contract.reading import read_contract
from tests.project.__main__ import PROJECT

assert PROJECT.contract is not None
TEXT = PROJECT.contract.read_text()
DECLARATIONS = load_declarations(PROJECT)


def written(folder: Path, *changes: tuple[str, str], more: str = "") -> Path:
    """The shop's `contract.toml` with each first text replaced by the second, and more at its end."""
    text = TEXT
    for old, new in changes:
        assert old in text, f"not in the contract: {old}"
        text = text.replace(old, new, 1)
    path = folder / "contract.toml"
    path.write_text(text + more)
    return path


def shop() -> Contract:
    """The contract of the test project as it stands."""
    assert isinstance(PROJECT, Project)
    assert PROJECT.contract is not None
    return read_contract(PROJECT.contract, DECLARATIONS)
