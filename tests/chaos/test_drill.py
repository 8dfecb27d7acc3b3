"""The drill of `make drill` in a minute: one deployment on small dynos, under five hundred viewers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.drill import run_drill
from tests.chaos.summary import tell

VIEWERS = 500


@pytest.mark.alone
def test_a_deployment_on_small_dynos_keeps_its_seconds_and_no_viewer_misses_anything(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with capsys.disabled():  # its figures are told, whether or not it passes
        (deployment,), wrong, sizes = run_drill(tmp_path, viewers=VIEWERS, seconds=60, every_s=60)
        tell(f"at most: {sizes}")
    assert wrong == [], f"{deployment.text()}; logs in {tmp_path}"
    assert len(deployment.away_s) >= VIEWERS, "every viewer was moved"
