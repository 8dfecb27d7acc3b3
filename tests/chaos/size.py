"""Size: the lock that is served, installed into an empty environment and slimmed as an image or a slug is."""

from __future__ import annotations

import re
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

from app.slim import LIMIT_MB, size_of
from tests.installation import ROOT
from tests.ports import free_port
from tests.waiting import wait_until

SOURCES = re.compile(r'(?:src|href)="(/[^"]+)"')


def installed(folder: Path) -> Path:
    """An environment with the lock alone; its Python."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(folder)], check=True)
    python = folder / "bin/python"
    subprocess.run(
        [sys.executable, "-m", "pip", "--disable-pip-version-check", "--quiet", "--python", str(python), "install",
         "--no-compile", "--require-hashes", "--requirement", "requirements.txt"],
        cwd=ROOT, check=True,
    )
    return python


def wrong_in(python: Path, folder: Path) -> tuple[str, list[str]]:
    """What the step said, and what is wrong with what is left: its size, and whether all is served as before."""
    told = subprocess.run([str(python), "-m", "app.slim"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    (packages,) = python.parent.parent.glob("lib/python*/site-packages")
    size_mb = size_of(packages) / 1e6
    wrong = [f"the packages take {size_mb:.0f} MB, limit {LIMIT_MB}"] if size_mb > LIMIT_MB else []
    return told.strip(), wrong + _wrong_in_what_is_served(python, folder)


def _wrong_in_what_is_served(python: Path, folder: Path) -> list[str]:
    port = free_port()
    settings = {"PORT": str(port), "HEADWATER_DATA": str(folder / "data"), "WEB_CONCURRENCY": "1"}
    started = subprocess.Popen(
        [str(python), "-m", "app.cli", "up"], cwd=ROOT, env={"PATH": "/usr/bin:/bin", **settings}
    )
    try:
        wait_until(lambda: _status(port, "/readyz") == 200, 90, "readiness of the slim installation")
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as answer:
            sources = SOURCES.findall(answer.read().decode())
        if len(sources) < 5:
            return [f"the page names {len(sources)} files"]
        return [f"{one}: {code}" for one in sources if (code := _status(port, one)) != 200]
    finally:
        started.terminate()
        started.wait(20)


def _status(port: int, path: str) -> int:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=30) as answer:
            answer.read()
            return int(answer.status)
    except urllib.error.HTTPError as refused:
        return refused.code
    except OSError:
        return 0
