"""Faults: what is wrong in `contract.toml`, told so that it can be mended: file, line, name, value and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One fault. `name` is the dotted name of the field; `value` is shown as it stands in the file."""

    line: int
    name: str
    value: str
    remedy: str

    def text(self, path: Path) -> str:
        return f"{path}:{self.line}: {self.name}: {self.value}: {self.remedy}"


class ContractError(ValueError):
    """The contract cannot be read; one line for each fault, in the order of the file."""

    def __init__(self, path: Path, faults: Iterable[Fault]) -> None:
        self.path, self.faults = path, tuple(sorted(faults))
        super().__init__("\n".join(fault.text(path) for fault in self.faults))


def nearest(name: str, known: Iterable[str]) -> str:
    """The remedy for a name that is not known: the one that was probably meant, or all there are."""
    names = sorted(known)
    if close := difflib.get_close_matches(name, names, 1):
        return f"did you mean {close[0]}?"
    return f"there are {', '.join(names)}" if names else "there are none"
