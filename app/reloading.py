"""Reloading: notices in development that a file of the project was saved, so that it is loaded anew.

By its size and time of modification, twice a second: a team's folder holds some dozens of files, and that works on
network drives and in containers, where the system tells of no change.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from app.loading import Project

LOOK_S = 0.4
FILES_MAX = 3_000
"""More are not looked at: a folder that holds so many is no project's, and would cost more than it is worth."""
_ENDINGS = frozenset({".py", ".toml", ".mjs", ".js", ".css", ".html", ".svg", ".png", ".jpg", ".webp", ".woff2"})
_BROWSERS_OWN = ("pages", "painters", "assets")
"""Folders that the worker reads nothing of."""
Stamps = dict[Path, tuple[int, int]]


class SavedFiles:
    """The files of a project, as they were when they were last looked at."""

    def __init__(self, project: Project) -> None:
        self._project = project
        self._known = self._settled = stamps_of(project)

    def saved(self) -> list[Path]:
        """The files that were saved, made or removed since the last answer that named any, as soon as they stay as they
        are from one look to the next: an editor writes in several steps."""
        now = stamps_of(self._project)
        settled, self._known = now == self._known, now
        if not settled or now == self._settled:
            return []
        before, self._settled = self._settled, now
        return sorted(path for path in before.keys() | now.keys() if before.get(path) != now.get(path))

    def of_worker(self, path: Path) -> bool:
        """Whether the worker has to load it too."""
        folder = next((one for one in self._project.own_folders if path.is_relative_to(one)), path.parent)
        return not set(_BROWSERS_OWN).intersection((folder.name, *path.relative_to(folder).parts))


def stamps_of(project: Project) -> Stamps:
    """Time of modification (ns) and size of each file of the project that is loaded or served."""
    found: Stamps = {}
    for path in islice(_files(project), FILES_MAX):
        try:
            about = path.stat()
        except OSError:
            continue  # removed meanwhile, or a link to nothing
        found[path] = (about.st_mtime_ns, about.st_size)
    return found


def release_of(project: Project) -> bytes:
    """Stands for the files as they are now: a page that shows others is of another release."""
    stamps = sorted((str(path), *stamp) for path, stamp in stamps_of(project).items())
    return hashlib.sha256(repr(stamps).encode()).digest()


def _files(project: Project) -> Iterator[Path]:
    yield from filter(None, (project.contract, project.roles))
    for folder in {*project.own_folders, project.painters}:
        for here, below, names in os.walk(folder):
            # a package's caches, a repository's own files, an environment
            below[:] = [name for name in below if name[0] not in "._" and not Path(here, name, "pyvenv.cfg").exists()]
            yield from (Path(here, name) for name in names if Path(name).suffix in _ENDINGS)
