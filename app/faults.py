"""Faults: what is wrong in a project's own files, told so that it can be mended: file, line, name, value and remedy.

In development a wrong file is left out, and told of in the terminal and on the page; everywhere else it is refused.
"""

from __future__ import annotations

import builtins
import difflib
import re
import sys
import traceback
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from services.declare import DeclarationError

_PAGE = re.compile(r"""\bpage\(\s*(["'])(?P<title>[^"'\n]+)\1\s*,\s*(["'])(?P<path>/[^"'\n]*)\3""")
_MISSING = re.compile(r"cannot import name '(\w+)' from '([\w.]+)'")
_PLACED = re.compile(r":\d+$")


@dataclass(slots=True)
class Faults:
    """What was found wrong in the files below `folder`, each once, in the order in which it was found.

    `left_out` are the files that nothing is taken from, each with what is wrong with it.
    """

    folder: Path
    left_out: dict[Path, str] = field(default_factory=dict)
    _told: dict[str, None] = field(default_factory=dict)

    def add(self, fault: object, file: Path | None = None) -> None:
        """Note a fault; `file` is left out because of it, which may be another than the one that is wrong."""
        for line in str(fault).splitlines():
            self._told.setdefault(line)
        if file is not None:
            self.left_out[file] = str(fault)

    def __iter__(self) -> Iterator[str]:
        return iter(self._told)

    def __bool__(self) -> bool:
        return bool(self._told)

    def short(self, fault: str) -> str:
        """As it is told on a page: the files by their names in the project."""
        return fault.replace(f"{self.folder}/", "")


def fault_of(error: Exception, folders: Iterable[Path]) -> DeclarationError:
    """Whatever a file raised, with the last line that was run of a file in one of these folders: a page whose feed is
    wrong has the feed's fault. A name that was probably meant is part of the remedy.
    """
    place = _place(error, folders)
    if isinstance(error, DeclarationError):
        where = error.where if _PLACED.search(error.where) else place[0]
        return DeclarationError(where, error.name, error.value, error.remedy)
    said = error.msg if isinstance(error, SyntaxError) else str(error)
    remedy = f"{type(error).__name__}: {said}; {_meant(error)}correct the line, or remove the file"
    file = Path(_PLACED.sub("", place[0]))
    return DeclarationError(place[0], f"{file.parent.name}.{file.stem}", place[1], remedy)


def _meant(error: Exception) -> str:
    """What a name was probably meant to be. Python says so from 3.12 on, and only where it prints a traceback."""
    wanted: str = ""
    known: Iterable[str] = ()
    if isinstance(error, AttributeError) and error.name is not None:
        wanted, known = error.name, dir(error.obj)
    elif isinstance(error, ImportError) and (missing := _MISSING.match(str(error))):
        wanted, known = missing[1], dir(sys.modules.get(missing[2]))
    elif isinstance(error, NameError) and error.name is not None and error.__traceback__ is not None:
        *_, (frame, _) = traceback.walk_tb(error.__traceback__)
        wanted, known = error.name, [*frame.f_globals, *dir(builtins)]
    close = difflib.get_close_matches(wanted, list(known), 1)
    return f"did you mean {close[0]}? " if close else ""


def _place(error: Exception, folders: Iterable[Path]) -> tuple[str, str]:
    """File and line, and what stands there. A syntax error is in no frame: its line was never run."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}", (error.text or "").strip()
    frames = traceback.extract_tb(error.__traceback__)
    known = list(folders)
    own = [one for one in frames if any(Path(one.filename).is_relative_to(folder) for folder in known)]
    last = (own or frames)[-1]
    return f"{last.filename}:{last.lineno}", last.line or ""


def pages_in(file: Path) -> list[tuple[str, str]]:
    """Title and path of each page that a file would declare, as far as its text says so."""
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return []
    return [(found["title"], found["path"]) for found in _PAGE.finditer(text)]
