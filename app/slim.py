"""Slim: `python -m app.slim` takes out of an installation what no process of ours reads, as an image or slug is built.

Packages bring their tests, source maps, stubs and bundles for debugging; pip compiles each of their modules. Here what
serves is kept, and byte code of what our processes load, so that they start as fast as before. It may be run again.
"""

from __future__ import annotations

import importlib.util
import py_compile
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

LIMIT_MB = 300
"""What the packages of the lock may take, in millions of bytes."""
FOLDERS = ("tests", "__pycache__", "labextension")
"""Tests of packages, compiled modules, and Plotly's part of Jupyter."""
FOR_TESTS = ("alembic/testing", "dash/testing", "sqlalchemy/testing")
"""What packages give to the tests of others."""
ENDINGS = frozenset({".map", ".pyi", ".pyx", ".pxd", ".h", ".a", ".c", ".cpp"})
"""Source maps, and what type checkers and compilers read."""
BUNDLES = ("plotly/package_data/widgetbundle.js", "dash/dash-renderer/build/dash_renderer.dev.js")
"""Plotly's widget in a notebook, and what Dash serves while it is debugged."""
DESCRIBED = ("dash/*/metadata.json", "dash_*/metadata.json")
"""What Dash's components were generated from."""
DEBUGGED = "dash/deps"
"""Here each file that has a `.min.js` beside it is for debugging, too."""
ELSEWHERE = ("share/jupyter", "etc/jupyter")
"""What packages lay beside Python's folders."""
LAID_ANEW = b"$ORIGIN"
"""Stands in a library whose parts patchelf has moved: it would not survive a `strip`."""
LOADED = """
import sys
import app.cli, app.contract_parts, app.doctor.examination, app.server, app.supervisor, app.worker, headwater
import arro3.core, arro3.io, psycopg, services.archive.archiver, services.report.html, services.report.pdf, tsdownsample
from app.factory import create_app
from app.settings import Settings
create_app(Settings(redis_url="redis://127.0.0.1:1"))
for module in list(sys.modules.values()):
    if (getattr(module, "__file__", None) or "").endswith(".py"):
        print(module.__file__)
"""
"""Says the files of all modules that web, worker and commands load."""


@dataclass(frozen=True, slots=True)
class Slimmed:
    """Sizes in bytes."""

    before: int
    after: int

    def text(self) -> str:
        return f"packages: {self.before / 1e6:.0f} MB before, {self.after / 1e6:.0f} MB now, limit {LIMIT_MB}"


def slim(packages: Path, prefix: Path, loaded: Sequence[Path]) -> Slimmed:
    """Take out what is not needed under `packages` and `prefix`, and compile the modules of `loaded` that are there."""
    before = size_of(packages)
    extra = [*(packages / name for name in FOR_TESTS), *(prefix / name for name in ELSEWHERE)]
    for folder in [*_needless_folders(packages), *extra]:
        shutil.rmtree(folder, ignore_errors=True)
    for file in list(_needless_files(packages)):
        file.unlink()
    _strip(packages)
    for file in loaded:
        if packages in file.parents and file.exists():
            # not by the time of the source: builders of slugs set all times to one
            py_compile.compile(str(file), doraise=True, invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH)
    return Slimmed(before, size_of(packages))


def _needless_folders(folder: Path) -> Iterator[Path]:
    """The outermost folders that are to go."""
    for inner in folder.iterdir():
        if inner.is_dir() and not inner.is_symlink():
            if inner.name in FOLDERS:
                yield inner
            else:
                yield from _needless_folders(inner)


def _needless_files(packages: Path) -> Iterator[Path]:
    """Each once."""
    yield from (file for file in packages.rglob("*") if file.suffix in ENDINGS and file.is_file())
    yield from (packages / name for name in BUNDLES if (packages / name).exists())
    for pattern in DESCRIBED:
        yield from packages.glob(pattern)
    for smaller in (packages / DEBUGGED).glob("*.min.js"):
        whole = smaller.with_name(smaller.name.removesuffix(".min.js") + ".js")
        if whole.exists():
            yield whole


def _strip(packages: Path) -> None:
    """Take what debuggers read out of the libraries, where this machine can (binutils)."""
    if (program := shutil.which("strip")) is None:
        return
    for library in packages.rglob("*.so"):
        if LAID_ANEW not in library.read_bytes():
            subprocess.run([program, "--strip-debug", str(library)], check=True)


def size_of(folder: Path) -> int:
    """The sum of its files' sizes, in bytes."""
    return sum(file.lstat().st_size for file in folder.rglob("*") if file.is_file())


def loaded_files() -> list[Path]:
    """The files of all modules that our processes load, as a process of its own tells them."""
    told = subprocess.run([sys.executable, "-B", "-c", LOADED], capture_output=True, text=True, check=True)
    return [Path(line).resolve() for line in told.stdout.splitlines()]


def main() -> int:
    """Slim the installation of this Python; 2 where tests live in it."""
    if importlib.util.find_spec("pytest") is not None:
        sys.stderr.write("headwater: slim: this is where the tests are installed; it is for images and slugs alone\n")
        return 2
    packages = Path(sysconfig.get_path("purelib")).resolve()
    found = slim(packages, Path(sys.prefix), loaded_files())
    loaded_files()  # all of it loads as before, or this raises
    sys.stdout.write(f"{found.text()}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
