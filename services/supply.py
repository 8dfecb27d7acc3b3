"""Supply: what each source brought in the last minute: how late, how regular, how clean; as one process saw it."""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from operator import lt
from typing import Any, Self

from services.positions import Clock
from services.sketch import Sketch

PANE_MS = 10_000
PANES = 6
SPAN_S = PANE_MS * PANES / 1000


@dataclass(slots=True)
class Supply:
    """One feed's records of a span of time. `lateness` in seconds from creation to ingestion, of a delivery's oldest.

    `deliveries` counts calls that brought new events; `out_of_order` new events older than one before them in their
    lane.
    """

    lateness: Sketch = field(default_factory=Sketch)
    deliveries: int = 0
    accepted: int = 0
    duplicates: int = 0
    rejected: int = 0
    out_of_order: int = 0

    def merge(self, other: Supply) -> None:
        """Take in what another process, or another span, saw."""
        self.lateness.merge(other.lateness)
        for name in _COUNTS:
            setattr(self, name, getattr(self, name) + getattr(other, name))

    @property
    def records(self) -> int:
        return self.accepted + self.duplicates + self.rejected

    def percent(self, count: int) -> float | None:
        """A count's share of all records; None where there were none."""
        return 100 * count / self.records if self.records else None

    def as_json(self) -> list[Any]:
        return [self.lateness.as_json(), *(getattr(self, name) for name in _COUNTS)]

    @classmethod
    def from_json(cls, raw: list[Any]) -> Self:
        return cls(Sketch.from_json(raw[0]), *raw[1:])


_COUNTS = ("deliveries", "accepted", "duplicates", "rejected", "out_of_order")


class Supplies:
    """What this process saw of each feed in the last minute; safe to use from several threads."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._lock = clock, threading.Lock()
        self._panes: list[tuple[int, dict[str, Supply]]] = []
        self._newest: dict[object, int] = {}

    def delivered(self, feed: str, lane: object, stamps: Sequence[int], now: int, *, new: int, known: int) -> None:
        """Events of one call and lane, in the order in which they came; `known` of them were duplicates."""
        with self._lock:
            so_far = list(accumulate(stamps, max, initial=self._newest.get(lane, 0)))
            behind = sum(map(lt, stamps, so_far))
            self._newest[lane] = so_far[-1]
            supply = self._pane()[feed]
            supply.deliveries += new > 0
            supply.accepted, supply.duplicates = supply.accepted + new, supply.duplicates + known
            supply.out_of_order += min(behind, new)
            if stamps and new:
                supply.lateness.add(max(0, now - min(stamps)) / 1000, new)

    def refused(self, feed: str, count: int) -> None:
        """Records that did not become events."""
        with self._lock:
            self._pane()[feed].rejected += count

    def recent(self) -> dict[str, Supply]:
        """The last minute by feed."""
        with self._lock:
            self._pane()
            return merged(pane for _, pane in self._panes)

    def _pane(self) -> dict[str, Supply]:
        now = self._clock()
        self._panes = [pane for pane in self._panes if now - pane[0] < PANE_MS * PANES]
        if not self._panes or now - self._panes[-1][0] >= PANE_MS:
            self._panes.append((now, defaultdict(Supply)))
        return self._panes[-1][1]


def merged(parts: Iterable[Mapping[str, Supply]]) -> dict[str, Supply]:
    """What several processes, or several spans, saw, as one."""
    whole: dict[str, Supply] = defaultdict(Supply)
    for part in parts:
        for feed, supply in part.items():
            whole[feed].merge(supply)
    return dict(whole)
