"""The suite itself: a bug of each kind, planted in the running processes, is found by it."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from pathlib import Path

import psutil
import pytest

from tests.chaos.arena import Arena
from tests.chaos.faults import TAKEOVER_LIMIT_S, Fault, cut_viewers, empty_broker, slow_viewers
from tests.chaos.truth import settle
from tests.chaos.viewers import now_ms
from tests.project.planted import BUGS, ENVIRONMENT
from tests.waiting import wait_until


def _oversleep(arena: Arena) -> None:
    """Wake the writer that fell asleep once another leads and has written."""

    def asleep() -> str:
        processes = {name: psutil.Process(arena.system.pid(name)) for name in arena.workers}
        return next((name for name, one in processes.items() if one.status() == psutil.STATUS_STOPPED), "")

    sleeper = wait_until(asleep, 15, "a writer that sleeps")
    arena.wait_takeover("the writer's sleep", now_ms(), TAKEOVER_LIMIT_S)
    arena.let_run(1.0)
    arena.system.signal_tree(sleeper, signal.SIGCONT)
    arena.let_run(1.5)


NEEDS: dict[str, Sequence[Fault]] = {
    "lost_event": [],
    "double_apply": [],
    "skipped_delta": [],
    "stale_writer": [_oversleep] * 3,
    "wrong_merge": [cut_viewers, slow_viewers],
    "reused_epoch": [empty_broker],
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
SHORT = {"lost_event", "skipped_delta", "stale_writer"}
"""One of ingest, one of the gateway, one of the worker; the others are planted by `make chaos`."""


@pytest.mark.parametrize("bug", [bug if bug in SHORT else pytest.param(bug, marks=pytest.mark.long) for bug in BUGS])
def test_a_planted_bug_is_found(tmp_path: Path, bug: str) -> None:
    workers = 2 if bug == "stale_writer" else 1
    size = {"viewers": 4, "producers": 2, "workers": workers, "webs": 1, "tick_ms": 300}
    with Arena(tmp_path, seed=3, **size, more={ENVIRONMENT: bug}) as arena:
        arena.recovery_limit_s = 3.0
        arena.let_run(1.5)
        for fault in NEEDS[bug]:
            fault(arena)
        settle(arena, within_s=3.0)
    assert FOUND_AS[bug] in arena.record.kinds, arena.record.violations
