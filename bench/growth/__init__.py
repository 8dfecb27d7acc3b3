"""`growth`: how processor time and memory of each process grow with one size while the others stay.

Broker, worker and web of a project of its own share one core; viewers in C and the readings that are posted have the
other. Viewers from 100 to 5,000, channels, readings a second, rows of a table, points of a course, archived events;
viewers check every sequence, and after each size the table must show what was posted last. Gives plots.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from bench.figures import Finding
from bench.growth.over_load import over_archive, over_channels, over_points, over_rate, over_rows
from bench.growth.over_viewers import over_viewers

SIZES: dict[str, Callable[[int], list[Finding]]] = {
    "viewers": over_viewers, "channels": over_channels, "rate": over_rate, "rows": over_rows, "points": over_points,
    "archive": over_archive,
}


def run(runs: int) -> Sequence[Finding]:
    """All curves, one size after the other."""
    found: list[Finding] = []
    for name, grow in SIZES.items():
        print(f" over {name}", flush=True)
        found += grow(runs)
    return found
