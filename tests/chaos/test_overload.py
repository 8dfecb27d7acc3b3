"""Overload: a burst is refused where it must be, bounded everywhere, told to viewers, and over by itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chaos.arena import Arena
from tests.chaos.overload import BACKLOG, calm, flood
from tests.chaos.truth import settle
from tests.waiting import wait_until

pytestmark = pytest.mark.alone

BROKER_MB = 32
"""The least that the settings allow."""
NOTE = "x" * 3_000
"""Makes ten thousand events more than the broker's share for events, four fifths of its memory."""
DELTAS_MB = 8
"""What commits, which go on beyond the limit, keep: four megabytes of deltas for each of two channels with notes."""
COMMIT_MB = 8
"""A commit of two megabytes: as it arrives, as arguments, as the script's own, and in the append-only buffer."""
REPLIES_MB = 4
"""What readers of the backlog are sent: 1.6 MB for the processor, as much for the archive."""
GROWTH_MB = 100
"""What a process with its children may grow by in a burst of this size, whatever its part in it."""


def test_a_burst_of_ten_thousand_is_bounded_told_and_drains_to_the_right_state(tmp_path: Path) -> None:
    with Arena(tmp_path, seed=5, viewers=12, producers=3, tick_ms=16, every_s=0.02, slow_s=0.02) as arena:
        arena.server.config_set("maxmemory", BROKER_MB * 1_000_000)
        found = flood(arena, 10_000, per_request=200, note=NOTE, within_s=25)
        wait_until(lambda: arena.record.rates_hz, 15, "a slow viewer told of its reduced rate")
        calm(arena, 20)
        settle(arena)
    assert arena.record.violations == []
    assert found.refused > 0, found.text()
    assert max(found.backlogs) > BACKLOG
    assert found.most_mb["broker"] < BROKER_MB + DELTAS_MB + COMMIT_MB + REPLIES_MB, found.text()
    assert {name: mb for name, mb in found.growth_mb.items() if mb > GROWTH_MB} == {}
