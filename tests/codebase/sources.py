"""The project's own text files, as a checkout holds them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("app", "assets", "bench", "callbacks", "components", "docs", "headwater", "services", "tests", ".ci")
TOP_LEVEL = (
    ".dockerignore", ".python-version", "CHANGELOG.md", "CONTRIBUTING.md", "Dockerfile", "LICENSE", "Makefile",
    "Procfile", "README.md", "SECURITY.md", "app.json", "compose.yaml", "contract.toml",
    "bin/post_compile", "pyproject.toml", "requirements.txt", "requirements-test.txt",
)
_TEXT = {".py", ".mjs", ".js", ".css", ".md", ".lua", ".json", ".toml", ".txt", ""}


def text_files() -> Iterator[Path]:
    """Every file that somebody wrote."""
    for room in ROOMS:
        for path in sorted((ROOT / room).rglob("*")):
            if path.is_file() and path.suffix in _TEXT and "__pycache__" not in path.parts:
                yield path
    for name in TOP_LEVEL:
        if (ROOT / name).exists():
            yield ROOT / name


def python_files(*rooms: str) -> Iterator[Path]:
    """The Python files of these rooms."""
    return (path for path in text_files() if path.suffix == ".py" and path.relative_to(ROOT).parts[0] in rooms)
