"""Over viewers: one web process, and more and more of them on five channels."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import nullcontext

from bench.figures import Curve, Figure, Finding, Line
from bench.growth.growing import Point, measured, slope
from bench.growth.posting import Poster
from bench.growth.project.feeds.load import CHANNELS
from bench.growth.sizes import Sizes
from bench.growth.stand import Cost, stand
from bench.rig.viewers import Viewers

COUNTS = (100, 500, 1_000, 2_000, 3_500, 5_000)
READINGS_A_TICK = 18
"""About 1.5 KB of rows."""
WATCHED = {
    "five channels, 5 ticks/s": (CHANNELS, 5.0), "one channel, 10 ticks/s": (CHANNELS[:1], 10.0),
    "five channels, idle": (CHANNELS, 0.0),
}


def over_viewers(runs: int) -> list[Finding]:
    """Processor time and memory of the web process, and what one more viewer costs it."""
    found = {name: _grow(channels, hz, runs) for name, (channels, hz) in WATCHED.items()}
    cpu, memory = _lines(found, lambda cost: cost.cpu_percent), _lines(found, lambda cost: cost.memory_mb)
    note = f"One web process; a tick is {READINGS_A_TICK} rows of one channel, 1.5 KB, or of five channels together."
    return [
        Curve("CPU of a web process over viewers", "viewers", "% of a core", cpu, note),
        Curve("Memory of a web process over viewers", "viewers", "MB resident", memory),
        *(figure for name, points in found.items() for figure in _figures(name, WATCHED[name][1], points)),
    ]


def _lines(found: dict[str, list[Point]], of: Callable[[Cost], float]) -> tuple[Line, ...]:
    web = {name: tuple((one.size, of(one.costs["web"])) for one in points) for name, points in found.items()}
    return tuple(Line(name, points) for name, points in web.items())


def _grow(channels: Sequence[str], hz: float, runs: int) -> list[Point]:
    sizes, points = Sizes(rows=READINGS_A_TICK), []
    with stand(sizes, web_alone=True) as running:
        poster = Poster(running.port, sizes)
        poster.fill_rows()
        for count in COUNTS:
            flow = poster.flow(READINGS_A_TICK * hz, hz) if hz else nullcontext()
            with Viewers(running.port, count, channels) as viewers, flow:
                viewers.tally()
                points.append(measured(running, count, runs))
                viewers.tally().sound()
            poster.check()
    return points


def _figures(name: str, hz: float, points: Sequence[Point]) -> list[Figure]:
    """What one more viewer costs, from the line through all sizes."""
    cpu = slope([(one.size, one.costs["web"].cpu_percent) for one in points]) * 1e4 / (hz or 1)
    memory = slope([(one.size, one.costs["web"].memory_mb) for one in points]) * 1e3
    each = "a viewer and tick" if hz else "a viewer and second"
    return [
        Figure("growth over viewers", f"web CPU {each}, {name}", None, (cpu,), "µs", "less"),
        Figure("growth over viewers", f"web memory a viewer, {name}", None, (memory,), "KB", "less"),
    ]
