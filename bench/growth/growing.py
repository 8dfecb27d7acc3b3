"""Growing: what each process takes at each size, and the curves of it."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bench.figures import Curve, Line
from bench.growth.stand import Cost, Stand

WINDOW_S = 3.0


@dataclass(frozen=True, slots=True)
class Point:
    """One size and what each process took at it: the median of the runs."""

    size: float
    costs: Mapping[str, Cost]

    @property
    def together_percent(self) -> float:
        return sum(cost.cpu_percent for cost in self.costs.values())


def measured(stand: Stand, size: float, runs: int) -> Point:
    """Windows one after the other under whatever load there is; says on the way what they gave."""
    windows = [stand.costs(WINDOW_S) for _ in range(runs)]
    costs = {
        name: Cost(
            statistics.median(one[name].cpu_percent for one in windows),
            statistics.median(one[name].memory_mb for one in windows),
        )
        for name in stand.processes
    }
    said = ", ".join(f"{name} {cost.cpu_percent:.1f} % {cost.memory_mb:.0f} MB" for name, cost in costs.items())
    print(f"  {size:>6g}: {said}", flush=True)
    return Point(size, costs)


def curves(over: str, x_label: str, note: str, points: Sequence[Point]) -> list[Curve]:
    """Processor time and memory of each process over one size; they share one core, so it is full at 100 together."""
    names = list(points[0].costs)
    cpu = [Line(name, tuple((one.size, one.costs[name].cpu_percent) for one in points)) for name in names]
    cpu.append(Line("together", tuple((one.size, one.together_percent) for one in points)))
    memory = [Line(name, tuple((one.size, one.costs[name].memory_mb) for one in points)) for name in names]
    return [
        Curve(f"CPU over {over}", x_label, "% of a core", tuple(cpu), note),
        Curve(f"Memory over {over}", x_label, "MB resident", tuple(memory)),
    ]


def slope(points: Sequence[tuple[float, float]]) -> float:
    """Growth for each unit of size, by least squares."""
    fitted: float = statistics.linear_regression([x for x, _ in points], [y for _, y in points]).slope
    return fitted
