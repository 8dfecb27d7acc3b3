"""Telemetry: what one process measures of the stages that events pass through it.

Latencies go into sketches over the last minute, so that figures of many processes merge without averaging
percentiles. The owner of the process publishes `payload()` each second.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.positions import Clock, wall_clock
from services.sketch import Sketch

PANE_MS = 10_000
PANES = 6
GONE_AFTER_MS = 10_000
"""A process that has published nothing for so long is gone."""


@dataclass(slots=True)
class _Pane:
    started_at: int
    stages: dict[str, Sketch] = field(default_factory=lambda: defaultdict(Sketch))


class Telemetry:
    """Counters, gauges and stage latencies of one process; safe to use from several threads."""

    def __init__(self, process: str, role: str, clock: Clock = wall_clock) -> None:
        self.process, self.role = process, role
        self._clock, self._lock = clock, threading.Lock()
        self._panes = [_Pane(clock())]
        self._counts: dict[str, int] = defaultdict(int)
        self._gauges: dict[str, float] = {}

    def observe(self, stage: str, seconds: float, times: int = 1) -> None:
        """One stage took so long, for so many events. A negative latency (clocks) counts as none."""
        with self._lock:
            self._pane().stages[stage].add(max(0.0, seconds), times)

    def absorb(self, stage: str, sketch: Sketch) -> None:
        """Take in what a viewer measured."""
        with self._lock:
            self._pane().stages[stage].merge(sketch)

    def count(self, name: str, times: int = 1) -> None:
        """Add to a counter that only grows."""
        with self._lock:
            self._counts[name] += times

    def gauge(self, name: str, value: float) -> None:
        """Set a value that goes up and down."""
        with self._lock:
            self._gauges[name] = value

    def _pane(self) -> _Pane:
        now = self._clock()
        if now - self._panes[-1].started_at >= PANE_MS:
            self._panes = [*self._panes[-(PANES - 1) :], _Pane(now)]
        return self._panes[-1]

    def payload(self) -> bytes:
        """Everything measured, as `Measurement.decoded` reads it."""
        with self._lock:
            now = self._clock()
            self._pane()
            recent = [pane for pane in self._panes if now - pane.started_at < PANE_MS * PANES]
            stages = _merged(pane.stages for pane in recent)
            return orjson.dumps(
                {
                    "process": self.process,
                    "role": self.role,
                    "at": now,
                    "counts": dict(self._counts),
                    "gauges": dict(self._gauges),
                    "stages": {name: s.as_json() for name, s in stages.items()},
                }
            )


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one process published. `at` in milliseconds since the Unix epoch; stages in seconds."""

    process: str
    role: str
    at: int
    counts: Mapping[str, int]
    gauges: Mapping[str, float]
    stages: Mapping[str, Sketch]

    @classmethod
    def decoded(cls, payload: bytes) -> Measurement:
        raw: dict[str, Any] = orjson.loads(payload)
        stages = {name: Sketch.from_json(sketch) for name, sketch in raw["stages"].items()}
        return cls(raw["process"], raw["role"], raw["at"], raw["counts"], raw["gauges"], stages)


def stages_of(measurements: Iterable[Measurement]) -> dict[str, Sketch]:
    """The stages of several processes as one."""
    return _merged(measurement.stages for measurement in measurements)


def _merged(parts: Iterable[Mapping[str, Sketch]]) -> dict[str, Sketch]:
    whole: dict[str, Sketch] = defaultdict(Sketch)
    for part in parts:
        for name, sketch in part.items():
            whole[name].merge(sketch)
    return dict(whole)
