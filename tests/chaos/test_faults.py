"""Under faults: no viewer sees a gap, a duplicate or a value that differs, and all ends at the truth."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.arena import Arena
from tests.chaos.faults import FAULTS, play, schedule_of
from tests.chaos.truth import settle

SHORT = ("kill_worker", "cut_viewers", "lose_commit_reply", "pause_web", "empty_broker", "kill_web", "pause_worker")


@pytest.mark.timeout(180)
def test_nothing_shown_is_ever_wrong_while_processes_die_and_links_break(tmp_path: Path) -> None:
    with Arena(tmp_path, seed=1) as arena:
        play(arena, SHORT)
        settle(arena)
    assert arena.record.violations == []
    assert arena.record.counts["values"] > 2_000
    assert arena.record.counts["epoch changes seen"] > 0
    assert arena.counts["batches lost"] > 0


def test_as_many_seeds_as_there_are_faults_do_every_one() -> None:
    assert {schedule_of(seed)[0] for seed in range(len(FAULTS))} == set(FAULTS)


def test_a_seed_is_always_the_same_schedule() -> None:
    assert schedule_of(7) == schedule_of(7) != schedule_of(8)
