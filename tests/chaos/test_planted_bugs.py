"""The suite itself: a bug of each kind, planted in the running processes, is found by it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.arena import Arena
from tests.chaos.faults import play
from tests.chaos.truth import settle
from tests.project.planted import BUGS, ENVIRONMENT

NEEDS = {
    "lost_event": [],
    "double_apply": [],
    "skipped_delta": [],
    "stale_writer": ["pause_worker", "pause_worker"],
    "wrong_merge": ["cut_viewers", "slow_viewers"],
    "reused_epoch": ["empty_broker"],
    "forgotten_row": [],
}
"""The faults under which each shows."""
FOUND_AS = {
    "lost_event": "count",
    "double_apply": "count",
    "skipped_delta": "gap",
    "stale_writer": "wrong value",
    "wrong_merge": "divergence",
    "reused_epoch": "silent loss",
    "forgotten_row": "archive",
}
"""The violation by which each is found, others may come with it."""


@pytest.mark.parametrize("bug", list(BUGS))
def test_a_planted_bug_is_found(tmp_path: Path, bug: str) -> None:
    workers = 2 if "pause_worker" in NEEDS[bug] else 1
    size = {"viewers": 4, "producers": 2, "workers": workers, "webs": 1, "tick_ms": 300}
    with Arena(tmp_path, seed=3, **size, more={ENVIRONMENT: bug}) as arena:
        arena.recovery_limit_s = 3.0
        arena.let_run(1.5)
        play(arena, NEEDS[bug], fair=True)
        settle(arena, within_s=3.0)
    assert FOUND_AS[bug] in arena.record.kinds, arena.record.violations
