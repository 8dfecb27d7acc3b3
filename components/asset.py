"""Asset: the address of a picture or another file of a team's own, for a Dash component that shows it."""

from __future__ import annotations

import hashlib
from pathlib import Path, PurePosixPath
from urllib.parse import quote

from components.block import refuse, where_declared

ASSETS_PATH = "/assets/project/"
"""Where the files of the project's `assets` folder are served."""


def asset(name: str) -> str:
    """The address of a file in the folder `assets` of the page's project: `html.Img(src=asset("logo.svg"), alt=…)`.

    It changes with the file, so that browsers keep it for a year. Raises DeclarationError where there is no such file.
    """
    folder = Path(where_declared().rpartition(":")[0]).parent.with_name("assets")
    path = PurePosixPath(name)
    file = folder / path
    if path.is_absolute() or ".." in path.parts or not file.is_file():
        refuse("asset()", name, f"there is no such file in {folder}; put it there, or name one by its path in it")
    digest = hashlib.sha256(file.read_bytes()).hexdigest()[:16]
    return f"{ASSETS_PATH}{quote(path.as_posix())}?m={digest}"
