"""Overload: a burst is refused where it must be, bounded everywhere, told to viewers, and over by itself."""

from __future__ import annotations

from pathlib import Path

from tests.chaos.arena import Arena
from tests.chaos.overload import BACKLOG, calm, flood
from tests.chaos.truth import settle
from tests.waiting import wait_until

BROKER_MB = 32
"""The least that the settings allow."""
NOTE = "x" * 3_000
"""Makes ten thousand events more than the broker's share for events, four fifths of its memory."""
DELTAS_MB = 16
"""What commits, which go on beyond the limit, may add to it: four megabytes of deltas for each of four channels."""
COMMIT_MB = 2 * 16
"""What a commit in flight is at most: five thousand of these events, as arguments and as the script's own strings."""
GROWTH_MB = 250
"""What a process with its children may grow by in a burst of this size, some of them still starting."""


def test_a_burst_of_ten_thousand_is_bounded_told_and_drains_to_the_right_state(tmp_path: Path) -> None:
    with Arena(tmp_path, seed=5, viewers=12, producers=3, tick_ms=16, every_s=0.02, slow_s=0.06) as arena:
        arena.server.config_set("maxmemory", BROKER_MB * 1_000_000)
        found = flood(arena, 10_000, per_request=200, note=NOTE, within_s=25)
        wait_until(lambda: arena.record.rates_hz, 30, "a slow viewer told of its reduced rate")
        calm(arena, 45)
        settle(arena)
    assert arena.record.violations == []
    assert found.refused > 0, found.text()
    assert max(found.backlogs) > BACKLOG
    assert found.backlogs[-1] == 0
    assert found.most_mb["broker's data"] < BROKER_MB + DELTAS_MB + COMMIT_MB
    assert {name: mb for name, mb in found.growth_mb.items() if mb > GROWTH_MB} == {}
