"""Running: whether workers lead every lane, events get through, and all of them mean the same by a time."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from app.doctor.finding import Finding, graded
from services.broker import Broker
from services.clocks import BrokerClock
from services.declare import Lane
from services.freshness import WORKER_LIMIT_MS, Progress
from services.positions import Clock
from services.telemetry import GONE_AFTER_MS, Measurement

BACKLOG_LIMIT_MS = 30_000
"""The oldest event that waits may be this old, as readiness has it."""
CLOCK_WARN_MS, CLOCK_FAIL_MS = 1_000, 60_000
"""An event stamped more than the second of these ahead is refused."""
NAMED_MAX = 5


@dataclass(frozen=True, slots=True)
class Workers:
    """Whether every lane is led, and by whom it would be taken over."""

    broker: Broker
    lanes: Sequence[Lane]
    clock: Clock

    def look(self) -> Iterator[Finding]:
        now = self.clock()
        found = map(Measurement.decoded, self.broker.read_telemetry().values())
        living = [one for one in found if now - one.at <= GONE_AFTER_MS]
        workers = self.broker.workers("processor")
        progress = self.broker.lane_progress(self.lanes)
        left = [lane for lane in self.lanes if lane not in progress or now - progress[lane].at > WORKER_LIMIT_MS]
        if not workers:
            text = f"none runs, and {len(living)} other processes do" if living else "none runs here yet"
            yield graded("workers", text, fail=bool(living), warn=True, remedy="start one: headwater worker")
        elif left:
            text = f"nobody leads {_named(left)} of {len(self.lanes)} lanes; {workers} workers live"
            yield Finding("fail", "workers", text, "look at the workers' logs, and whether all are of one release")
        else:
            takeover = "another takes over within 2 s" if workers > 1 else "no standby: a crash costs a restart"
            yield Finding("ok", "workers", f"{workers} lead {len(self.lanes)} lanes; {takeover}")
        if workers:
            yield from self._waiting(progress, now)

    def _waiting(self, progress: dict[Lane, Progress], now: int) -> Iterator[Finding]:
        waits = {
            lane: found for lane, found in progress.items()
            if found.backlog and now - found.backlog_since > BACKLOG_LIMIT_MS
        }
        if waits:
            events = sum(found.backlog for found in waits.values())
            oldest_s = max(now - found.backlog_since for found in waits.values()) / 1000
            text = f"{events:,} events wait in {_named(list(waits))}, the oldest for {oldest_s:.0f} s"
            yield Finding("fail", "backlog", text, "give the feed more lanes and workers, or see why they stand")


def _named(lanes: Sequence[Lane]) -> str:
    names = ", ".join(map(str, lanes[:NAMED_MAX]))
    return names if len(lanes) <= NAMED_MAX else f"{names} and {len(lanes) - NAMED_MAX} more"


@dataclass(frozen=True, slots=True)
class ClockOffset:
    """How far this machine's clock is from the broker's, by which every stage is measured."""

    broker: Broker
    now: Callable[[], float] = time.time

    def look(self) -> Iterator[Finding]:
        clock = BrokerClock()
        for _ in range(4):
            self.broker.ask_time(clock, self.now)
        yield clock_finding("clock", clock.offset_ms, clock.error_ms or 0.0, "the broker's")


def clock_finding(subject: str, offset_ms: float, error_ms: float, whose: str) -> Finding:
    """How the own clock stands to another; `offset_ms` above 0 is behind it."""
    away = abs(offset_ms)
    apart = f"{away / 1000:.1f} s {'behind' if offset_ms > 0 else 'ahead of'} {whose}"
    text = f"within {max(error_ms, 1.0):.0f} ms of {whose}" if away <= CLOCK_WARN_MS else apart
    remedy = "let it be set by NTP; events stamped over 60 s ahead are refused"
    return graded(subject, text, fail=away > CLOCK_FAIL_MS, warn=away > CLOCK_WARN_MS, remedy=remedy)


