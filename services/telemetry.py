"""Telemetry: what one process measures of the stages that events pass through it.

Latencies go into sketches over the last minute, so that figures of many processes merge without averaging
percentiles. The owner of the process publishes `payload()` each second. The same figures by channel and page go
into one sheet a minute, which the contract is measured by; the owner publishes those of `take_sheets()`.
"""

from __future__ import annotations

import secrets
import threading
from collections import defaultdict, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import orjson

from services.clocks import BrokerClock
from services.positions import Clock, wall_clock
from services.sheets import LINES_MAX, MINUTE_MS, Key, OpenLine, Sheet, Stage, Transport
from services.sketch import Sketch
from services.supply import Supplies, Supply

PANE_MS = 10_000
PANES = 6
SAMPLES_A_SECOND = 20
"""So many frames that viewers painted are told of, of those that they report."""
GONE_AFTER_MS = 10_000
"""A process that has published nothing for so long is gone."""
SHEETS_KEPT = 180
"""Minutes that a process keeps while the broker is away; what is older is lost, and a lost minute is a bad one."""


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
        self._book = _Book(process, role, clock)
        self._painted: list[Sequence[Any]] = []
        self._slow: Sequence[Mapping[str, Any]] = ()
        self.supplies = Supplies(clock)

    def observe(self, stage: str, seconds: float, times: int = 1) -> None:
        """One stage took so long, for so many events. A negative latency (clocks) counts as none."""
        with self._lock:
            self._pane().stages[stage].add(max(0.0, seconds), times)

    def note(self, stage: Stage, value: float, times: int = 1, channel: str = "") -> None:
        """The same of one channel, or of a feed where a stage comes before channels, for the minute's sheet."""
        with self._lock:
            line = self._book.line(Key(stage, channel), self._counts)
            if line is not None:
                line.own.add(max(0.0, value), times)

    def absorb(self, stage: str, sketch: Sketch) -> None:
        """Take in what a viewer measured, for the last minute's figures."""
        with self._lock:
            self._pane().stages[stage].merge(sketch)

    def absorb_line(
        self, stage: Stage, sketch: Sketch, *, viewer: str, channel: str, page: str, transport: Transport
    ) -> None:
        """Take in what a viewer measured of a channel on a page, for the minute's sheet."""
        with self._lock:
            line = self._book.line(Key(stage, channel, page, transport), self._counts)
            if line is not None:
                line.absorb(self._book.number_of(viewer), sketch)

    def count(self, name: str, times: int = 1) -> None:
        """Add to a counter that only grows."""
        with self._lock:
            self._counts[name] += times

    def gauge(self, name: str, value: float) -> None:
        """Set a value that goes up and down."""
        with self._lock:
            self._gauges[name] = value

    def name_slow(self, viewers: Sequence[Mapping[str, Any]]) -> None:
        """Who of this process's viewers is slow now: `viewer`, `principal`, `channels`, `rate_hz`, `for_s`."""
        with self._lock:
            self._slow = viewers

    def sample(self, painted: Sequence[Any]) -> None:
        """Keep one frame that a viewer painted, as `services.tracing` reads it; those of a busy second are dropped."""
        with self._lock:
            if len(self._painted) < SAMPLES_A_SECOND:
                self._painted.append(painted)

    def take_samples(self) -> bytes:
        """The samples since the last call, to be published; empty where there are none."""
        with self._lock:
            taken, self._painted = self._painted, []
        return orjson.dumps(taken) if taken else b""

    def _pane(self) -> _Pane:
        now = self._clock()
        if now - self._panes[-1].started_at >= PANE_MS:
            self._panes = [*self._panes[-(PANES - 1) :], _Pane(now)]
        return self._panes[-1]

    def take_sheets(self, *, all_of_it: bool = False) -> list[Sheet]:
        """The sheets of minutes that are over, oldest first; with `all_of_it` that of the present minute too."""
        with self._lock:
            return self._book.take(self._counts, self._gauges, all_of_it=all_of_it)

    def return_sheets(self, sheets: Iterable[Sheet]) -> None:
        """Sheets that could not be published: they are given out again."""
        with self._lock:
            self._book.take_back(sheets)

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
                    "slow": self._slow,
                    "supplies": {feed: one.as_json() for feed, one in self.supplies.recent().items()},
                }
            )


class _Book:
    """The sheet of the present minute, and those that are over; used under the telemetry's lock."""

    def __init__(self, process: str, role: str, clock: Clock) -> None:
        self._process, self._role, self._clock = process, role, clock
        self._token, self._number = secrets.token_hex(6), 0
        self._minute = clock() // MINUTE_MS * MINUTE_MS
        self._lines: dict[Key, OpenLine] = {}
        self._viewers: dict[str, int] = {}
        self._before: dict[str, int] = {}
        self._gauges: dict[str, float] = {}
        self._over: deque[Sheet] = deque(maxlen=SHEETS_KEPT)

    def line(self, key: Key, counts: dict[str, int]) -> OpenLine | None:
        """The present minute's line of the key; None where there are too many."""
        self._turn(counts)
        found = self._lines.get(key)
        if found is None:
            if len(self._lines) >= LINES_MAX:
                counts["lines_dropped"] += 1
                return None
            found = self._lines[key] = OpenLine()
        return found

    def number_of(self, viewer: str) -> int:
        """What stands for the viewer in this minute's sheet."""
        return self._viewers.setdefault(viewer, len(self._viewers))

    def take(self, counts: dict[str, int], gauges: dict[str, float], *, all_of_it: bool) -> list[Sheet]:
        self._gauges = dict(gauges)
        self._turn(counts)
        if all_of_it:
            self._close(counts)
        taken = list(self._over)
        self._over.clear()
        return taken

    def take_back(self, sheets: Iterable[Sheet]) -> None:
        self._over = deque([*sheets, *self._over], maxlen=SHEETS_KEPT)

    def _turn(self, counts: dict[str, int]) -> None:
        """A clock that was set back adds to the minute that is open."""
        minute = self._clock() // MINUTE_MS * MINUTE_MS
        if minute > self._minute:
            self._close(counts)
            self._minute = minute

    def _close(self, counts: dict[str, int]) -> None:
        grown = {name: count - self._before.get(name, 0) for name, count in counts.items()}
        offset, error = (0.0, None)
        if isinstance(self._clock, BrokerClock):
            offset, error = self._clock.offset_ms, self._clock.error_ms
        self._number += 1
        self._over.append(
            Sheet(
                id=f"{self._token}-{self._number}",
                process=self._process,
                role=self._role,
                minute=self._minute,
                clock_offset_ms=round(offset, 3),
                clock_error_ms=None if error is None else round(error, 3),
                counts={name: by for name, by in sorted(grown.items()) if by},
                gauges=dict(sorted(self._gauges.items())),
                lines={key: line.closed() for key, line in self._lines.items()},
            )
        )
        self._before, self._lines, self._viewers = dict(counts), {}, {}


@dataclass(frozen=True, slots=True)
class Measurement:
    """What one process published. `at` in milliseconds since the Unix epoch; stages in seconds."""

    process: str
    role: str
    at: int
    counts: Mapping[str, int]
    gauges: Mapping[str, float]
    stages: Mapping[str, Sketch]
    supplies: Mapping[str, Supply] = field(default_factory=dict)
    slow: Sequence[Mapping[str, Any]] = ()

    @classmethod
    def decoded(cls, payload: bytes) -> Measurement:
        raw: dict[str, Any] = orjson.loads(payload)
        stages = {name: Sketch.from_json(sketch) for name, sketch in raw["stages"].items()}
        supplies = {feed: Supply.from_json(supply) for feed, supply in raw.get("supplies", {}).items()}
        slow = raw.get("slow", ())
        return cls(raw["process"], raw["role"], raw["at"], raw["counts"], raw["gauges"], stages, supplies, slow)


def stages_of(measurements: Iterable[Measurement]) -> dict[str, Sketch]:
    """The stages of several processes as one."""
    return _merged(measurement.stages for measurement in measurements)


def _merged(parts: Iterable[Mapping[str, Sketch]]) -> dict[str, Sketch]:
    whole: dict[str, Sketch] = defaultdict(Sketch)
    for part in parts:
        for name, sketch in part.items():
            whole[name].merge(sketch)
    return dict(whole)
