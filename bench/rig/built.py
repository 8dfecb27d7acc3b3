"""Built: load clients compiled from C, and `ws` for the Node peers; both once, into a folder that git ignores."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

HERE = Path(__file__).parents[1]
CACHE = HERE.parent / ".headwater" / "bench"
WS = "ws@8"


def client(name: str, *libraries: str) -> str:
    """Path of `clients/<name>.c` as a program; compiled anew where the source is the newer one."""
    source, program = HERE / "clients" / f"{name}.c", CACHE / name
    if program.exists() and program.stat().st_mtime >= source.stat().st_mtime:
        return str(program)
    compiler = shutil.which("cc")
    if compiler is None:
        raise SystemExit(f"bench: no C compiler (cc) for {source.name}; install gcc or clang, and zlib's headers")
    CACHE.mkdir(parents=True, exist_ok=True)
    subprocess.run([compiler, "-O2", "-o", str(program), str(source), *(f"-l{one}" for one in libraries)], check=True)
    return str(program)


def node_with_ws() -> tuple[str, dict[str, str]]:
    """Node's program and the environment in which `ws` is found."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise SystemExit("bench: no node or npm for the peers; install Node 18 or newer")
    modules = CACHE / "node_modules"
    if not (modules / "ws").exists():
        CACHE.mkdir(parents=True, exist_ok=True)
        subprocess.run([npm, "install", "--no-save", "--silent", "--prefix", str(CACHE), WS], check=True)
    return node, {**os.environ, "NODE_PATH": str(modules)}
