"""Under faults: no viewer sees a gap, a duplicate or a value that differs, and all ends at the truth."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import tests.chaos as suite
from tests.chaos.arena import Arena
from tests.chaos.faults import FAULTS, play, schedule_of
from tests.chaos.truth import settle

pytestmark = pytest.mark.alone

SHORT = ("kill_worker", "cut_viewers", "lose_commit_reply", "pause_web", "empty_broker", "kill_web", "pause_worker")
REFUSAL_TRIES = 4
"""A worker that wakes is refused at its commit, unless it happens to ask for its lease first."""


def test_nothing_shown_is_ever_wrong_while_processes_die_and_links_break(tmp_path: Path) -> None:
    with Arena(tmp_path, seed=1, tick_ms=200) as arena:
        play(arena, SHORT)
        for _ in range(REFUSAL_TRIES):
            if arena.counted("commits_refused"):
                break
            play(arena, ["pause_worker"])
        refused = arena.counted("commits_refused")
        settle(arena)
    assert refused > 0, "no commit of a worker that slept was refused"
    assert len(arena.takeovers_s) >= 2
    assert arena.record.violations == []
    assert arena.record.counts["values"] > 2_000
    assert arena.record.counts["epoch changes seen"] > 0
    assert arena.counts["batches lost"] > 0


def test_as_many_seeds_as_there_are_faults_do_every_one() -> None:
    assert {schedule_of(seed)[0] for seed in range(len(FAULTS))} == set(FAULTS)


def test_a_seed_is_always_the_same_schedule() -> None:
    assert schedule_of(7) == schedule_of(7) != schedule_of(8)


@pytest.mark.parametrize("name", ["fold", "link", "memory", "producers", "record", "viewers", "world"])
def test_what_judges_the_product_imports_nothing_of_it(name: str) -> None:
    folder = Path(suite.__path__[0])
    oracle = folder.parent / "services/oracle.py"
    for path in (folder / f"{name}.py", oracle, folder.parent / "waiting.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            named = [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            named += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            assert not {one.split(".")[0] for one in named} & {"services", "app", "components", "headwater"}, path
