"""Slim: what no process reads goes, what serves stays and is compiled, and an environment for tests is left alone."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from app.slim import BUNDLES, DEBUGGED, DESCRIBED, FOR_TESTS, loaded_files, main, slim

KEPT = (
    "shop/__init__.py", "shop/rare.py", "shop/served.min.js", "shop/served.js", "dash/deps/react.min.js",
    "dash/dash-renderer/build/dash_renderer.min.js", "shop/latest/tests.py",
)
GONE = (
    "shop/tests/__init__.py", "shop/tests/deep/data.csv", "shop/served.min.js.map", "shop/__init__.pyi",
    "shop/fast.pyx", "shop/__pycache__/rare.cpython-311.pyc", "dash/deps/react.js",
    "dash/dash-renderer/build/dash_renderer.dev.js",
    "dash/dcc/metadata.json", "sqlalchemy/testing/suite.py", "plotly/package_data/widgetbundle.js",
    "plotly/labextension/static/style.js",
)


@pytest.fixture
def prefix(tmp_path: Path) -> Path:
    for name in (*KEPT, *GONE):
        file = tmp_path / "packages" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("WORD = 1\n")
    (tmp_path / "share/jupyter").mkdir(parents=True)
    return tmp_path


def test_tests_maps_stubs_and_bundles_for_debugging_go_and_what_is_loaded_is_compiled(prefix: Path) -> None:
    packages = prefix / "packages"
    loaded = [packages / "shop/__init__.py", prefix / "elsewhere.py"]
    found = slim(packages, prefix, loaded)
    left = {str(file.relative_to(packages)) for file in packages.rglob("*") if file.is_file()}
    compiled = f"shop/__pycache__/__init__.{sys.implementation.cache_tag}.pyc"
    assert left == {*KEPT, compiled}
    assert not (prefix / "share/jupyter").exists()
    assert found.before == 9 * len((*KEPT, *GONE))
    assert found.after == 9 * len(KEPT) + (packages / compiled).stat().st_size
    assert slim(packages, prefix, loaded).after == found.after, "it may be run again"


def test_what_is_compiled_serves_whatever_time_a_builder_gives_to_the_source(prefix: Path) -> None:
    packages = prefix / "packages"
    module = packages / "shop/__init__.py"
    slim(packages, prefix, [module])
    os.utime(module, (1, 1))
    said = subprocess.run(
        [sys.executable, "-B", "-v", "-c", "import shop"], env={"PYTHONPATH": str(packages)}, capture_output=True,
        text=True, check=True,
    ).stderr
    assert "code object from" in said
    assert f"code object from '{module}'" not in said, "it was compiled again"


def test_a_library_without_what_debuggers_read_loads_as_before(tmp_path: Path) -> None:
    library = next(Path(sysconfig.get_path("platlib")).glob("_brotli*.so"))
    copy = tmp_path / "packages" / library.name
    copy.parent.mkdir()
    copy.write_bytes(library.read_bytes())
    slim(copy.parent, tmp_path, [])
    assert copy.stat().st_size <= library.stat().st_size
    script = "import _brotli, brotli; print(_brotli.__file__, brotli.decompress(brotli.compress(b'abc')) == b'abc')"
    said = subprocess.run(
        [sys.executable, "-c", script], env={"PYTHONPATH": str(copy.parent)}, capture_output=True, text=True, check=True
    ).stdout
    assert said.split() == [str(copy), "True"]


def test_what_is_named_to_go_is_what_the_packages_really_hold() -> None:
    packages = Path(sysconfig.get_path("purelib"))
    assert [name for name in (*BUNDLES, *FOR_TESTS, DEBUGGED) if not (packages / name).exists()] == []
    assert [pattern for pattern in DESCRIBED if not list(packages.glob(pattern))] == []
    assert list((packages / DEBUGGED).glob("react-dom@*[0-9].js")) != []


def test_what_is_compiled_is_what_web_and_worker_load() -> None:
    files = {str(file) for file in loaded_files()}
    for module in ("flask/app.py", "dash/dash.py", "redis/client.py", "sqlalchemy/engine/base.py", "app/worker.py"):
        assert any(file.endswith(f"/{module}") for file in files), module
    assert not any("/pandas/" in file for file in files)


def test_an_environment_that_tests_live_in_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main() == 2
    assert "for images and slugs alone" in capsys.readouterr().err
