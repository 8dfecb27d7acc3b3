"""Programs: the servers that `.ci/servers` makes available, wherever it put them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[2]
SERVERS = ROOT / ".venv" / "servers"


def program(name: str) -> str:
    """The path of a server's program. Fails with the remedy where it is not there."""
    places = [SERVERS / folder / name for folder in ("usr/bin", "usr/sbin")]
    found = shutil.which(name) or next((str(place) for place in places if place.exists()), None)
    assert found, f"{name} is not here: run .ci/servers, or `make test`, which does"
    return found


def environment() -> dict[str, str]:
    """With the libraries that were unpacked beside the programs."""
    libraries = [str(path) for part in ("usr/lib", "lib") for path in (SERVERS / part).glob("*-linux-gnu")]
    return {**os.environ, "LD_LIBRARY_PATH": ":".join(libraries)} if libraries else dict(os.environ)
