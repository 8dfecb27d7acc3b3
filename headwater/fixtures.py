"""Fixtures: what pytest finds where Headwater is installed.

Everything is loaded when a test first asks for the fixture: who tests something else pays nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from app.rehearsal import Rehearsal


@pytest.fixture
def headwater(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Rehearsal]:
    """The project whose folder the test lies in, or that of HEADWATER_PROJECT, running without a browser.

    It begins empty in each test. Broker, ingestion and processor are real.
    """
    from app.loading import Project
    from app.rehearsal import Rehearsal

    running = Rehearsal(Project.at(_project_around(request.path)), tmp_path / "headwater")
    try:
        yield running
    finally:
        running.close()


def _project_around(test: Path) -> Path:
    if named := os.environ.get("HEADWATER_PROJECT"):
        return Path(named)
    for folder in test.parents:
        if (folder / "feeds").is_dir() and (folder / "pages").is_dir():
            return folder
    raise LookupError(
        f"{test}: no folder around it has feeds/ and pages/; put the test into the project's folder, "
        "or name that by HEADWATER_PROJECT"
    )
