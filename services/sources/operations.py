"""Operations: this system's own measurements, read from the broker and fed back in as events.

Headwater watches itself by its own means: what its processes publish becomes an ordinary feed.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

from services.broker import Leader, Station
from services.contract.exclusions import Upstream
from services.declare import Declarations, Lane, is_built_in
from services.freshness import Progress
from services.sources.source import Intake, Source
from services.sources.upstream import source_record
from services.supply import Supply, merged
from services.telemetry import GONE_AFTER_MS, Measurement, stages_of

WORKS: tuple[tuple[Station, str], ...] = (("processor", "backlog"), ("archive", "unarchived"), ("sources", ""))
"""Each work on a lane, and what of its progress tells how far that is behind."""
CONSUMERS_EVERY = 5
"""Rounds between two looks at who leads what."""


class Observed(Protocol):
    """Where the measurements lie: the part of the broker that this source reads."""

    def read_telemetry(self) -> dict[str, bytes]: ...

    def forget_telemetry(self, processes: Sequence[str]) -> None: ...

    def lane_progress(self, lanes: Sequence[Lane]) -> dict[Lane, Progress]: ...

    def rejection_samples(self, lane: Lane, after: str) -> list[tuple[str, dict[str, Any]]]: ...

    def leaders(self, station: Station, lanes: Sequence[Lane]) -> dict[Lane, Leader]: ...


class OperationsSource(Source):
    """Each second a record for each stage, feed, process and slow viewer, and one for each new rejection; each
    five seconds one for each work on a lane."""

    title = "Headwater's own measurements, each second"

    def __init__(self, every_s: float = 1.0) -> None:
        self.every_s = every_s
        self._observed: Observed | None = None
        self._declarations: Declarations | None = None
        self._agreed: Mapping[str, Upstream] = {}

    def observe(self, observed: Observed, declarations: Declarations, agreed: Sequence[Upstream] = ()) -> None:
        """Be told what to watch, and what the contract expects of sources; the worker does it before it runs this."""
        self._observed, self._declarations = observed, declarations
        self._agreed = {one.feed: one for one in agreed}

    def run(self, intake: Intake) -> None:
        if self._observed is None or self._declarations is None:
            raise RuntimeError("operations source: call observe(broker, declarations) before run")
        reader = _Reader(self._observed, self._declarations, self._agreed)
        while not intake.wait(self.every_s):
            now = intake.now_ms()
            records = [{"created_at": now, **record} for record in reader.records(now)]
            intake.accept([{"id": f"{now}-{number}", **record} for number, record in enumerate(records)])


class _Reader:
    def __init__(self, observed: Observed, declarations: Declarations, agreed: Mapping[str, Upstream]) -> None:
        self._observed, self._declarations, self._agreed = observed, declarations, agreed
        self._accepted: dict[str, tuple[float, int]] = {}
        self._sampled = dict.fromkeys(declarations.feeds, "0-0")
        self._round = 0

    def records(self, now: int) -> Iterator[dict[str, Any]]:
        measurements = self._measurements(now)
        for name, sketch in sorted(stages_of(measurements).items()):
            quantiles = {f"p{q}_ms": _milliseconds(sketch.quantile(q / 100)) for q in (50, 95, 99)}
            yield {"kind": "stage", "name": name.replace("_to_", " → "), "count": sketch.count, **quantiles}
        for measurement in measurements:
            yield _process(measurement)
            yield from map(_slow_viewer, measurement.slow)
        yield from self._feeds()
        if self._round % CONSUMERS_EVERY == 0:
            yield from self._consumers()
        self._round += 1
        yield from self._sources(merged(one.supplies for one in measurements), now)
        yield from self._rejections()

    def _measurements(self, now: int) -> list[Measurement]:
        found = [Measurement.decoded(payload) for payload in self._observed.read_telemetry().values()]
        gone = [measurement.process for measurement in found if now - measurement.at > 6 * GONE_AFTER_MS]
        self._observed.forget_telemetry(gone)
        return [measurement for measurement in found if now - measurement.at <= GONE_AFTER_MS]

    def _feeds(self) -> Iterator[dict[str, Any]]:
        for feed in self._declarations.feeds.values():
            if is_built_in(feed.name):
                continue
            lanes = list(self._observed.lane_progress(feed.all_lanes()).values())
            if not lanes:
                continue
            yield {
                "kind": "feed",
                "name": feed.name,
                "source": feed.source.title[:200],
                "rate": self._rate(feed.name, sum(lane.accepted for lane in lanes)),
                "backlog": sum(lane.backlog for lane in lanes),
                "unarchived": sum(lane.unarchived for lane in lanes),
                "accepted": sum(lane.accepted for lane in lanes),
                "duplicates": sum(lane.duplicates for lane in lanes),
                "rejected": lanes[0].rejected,
                "quarantined": sum(lane.quarantined for lane in lanes),
                "too_late": sum(lane.too_late for lane in lanes),
                "filtered": sum(lane.filtered for lane in lanes),
                "shed": sum(lane.shed for lane in lanes),
                "skew_ms": -lanes[0].lag_ms,
            }

    def _consumers(self) -> Iterator[dict[str, Any]]:
        """Who leads each lane for each work, for how long it may be silent yet, and how far it is behind."""
        lanes = [lane for lane in self._declarations.lanes() if not is_built_in(lane.feed)]
        archived = set(self._declarations.archived_lanes())
        told = self._observed.lane_progress(lanes)
        for station, behind in WORKS:
            leaders = self._observed.leaders(station, lanes)
            for lane in lanes:
                leader = leaders.get(lane)
                if station == "sources" and (lane.number or not self._declarations.feeds[lane.feed].source.pulled):
                    continue
                if station == "archive" and lane not in archived:
                    continue
                yield {
                    "kind": "consumer", "name": f"{lane} {station}", "role": station,
                    "worker": "nobody" if leader is None else leader.worker,
                    "lease_ms": 0 if leader is None else leader.left_ms,
                    "taken": 0 if leader is None else leader.token,
                    **({"behind": getattr(told[lane], behind)} if behind and lane in told else {}),
                }  # fmt: skip

    def _sources(self, supplies: Mapping[str, Supply], now: int) -> Iterator[dict[str, Any]]:
        feeds = [feed for feed in self._declarations.feeds.values() if not is_built_in(feed.name)]
        told = self._observed.lane_progress([Lane(feed.name, 0) for feed in feeds])
        for feed in feeds:
            if (progress := told.get(Lane(feed.name, 0))) is not None:
                supply = supplies.get(feed.name, Supply())
                yield source_record(feed, progress, supply, self._agreed.get(feed.name), now)

    def _rate(self, feed: str, accepted: int) -> float:
        now = time.monotonic()
        before_at, before = self._accepted.get(feed, (now, accepted))
        self._accepted[feed] = (now, accepted)
        return round(max(0, accepted - before) / max(0.001, now - before_at), 1)

    def _rejections(self) -> Iterator[dict[str, Any]]:
        for feed, after in self._sampled.items():
            for sample_id, sample in self._observed.rejection_samples(Lane(feed, 0), after):
                self._sampled[feed] = sample_id
                yield {
                    "kind": "rejection",
                    "name": f"{feed} {sample_id}",
                    "feed": feed,
                    "reason": sample["reason"],
                    "detail": sample["detail"][:300],
                }


def _process(measurement: Measurement) -> dict[str, Any]:
    gauges = measurement.gauges
    named = {name: gauges[name] for name in ("viewers", "slow_viewers", "memory_mb") if name in gauges}
    return {"kind": "process", "name": measurement.process, "role": measurement.role, **named}


def _slow_viewer(viewer: Mapping[str, Any]) -> dict[str, Any]:
    named = ("principal", "channels", "rate_hz", "for_s")
    told = {name: viewer[name] for name in named if viewer.get(name) is not None}
    return {"kind": "slow viewer", "name": str(viewer["viewer"]), **told}


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 2)
