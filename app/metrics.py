"""Metrics: what all processes measured, in Prometheus's text format (version 0.0.4).

The figures come from the broker, so that any web process answers for the whole system.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from services.declare import Lane
from services.freshness import Progress
from services.telemetry import Measurement, stages_of

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
QUANTILES = (0.5, 0.95, 0.99)
Labels = Mapping[str, str]

COUNTERS = {
    "accepted": "events accepted",
    "duplicates": "events that were known by their id",
    "rejected": "records refused",
    "throttled": "requests told to wait, as their ingest key posted more than it may",
    "processed": "events folded into channels",
    "lanes_lost": "lanes that went to another worker",
    "commits_refused": "commits refused because the lane had gone",
    "shed": "processed events dropped before a group that lags had read them",
    "archived": "events written to the archive",
    "archived_deltas": "deltas written to the archive",
    "archive_gaps": "gaps that the archive recorded",
    "frames": "frames written to viewers",
    "snapshots": "frames that were snapshots",
    "snapshots_encoded": "snapshots encoded, each for all who stand at the same position",
    "merged": "frames that merged several deltas for a slow viewer",
    "sent_bytes": "bytes written to viewers",
    "resyncs": "channels read anew from the broker after a gap",
    "refused_viewers": "viewers refused because there are too many",
    "polls": "long polls parked",
    "viewer_reports": "reports of viewers",
    "viewer_reports_refused": "reports of viewers that report too often",
    "lines_dropped": "measurements dropped because a minute's sheet was full",
    "viewer_gaps": "gaps that viewers noticed",
    "viewer_duplicates": "frames that viewers had already",
    "viewer_reconnects": "reconnects that viewers reported",
}
"""What each process counts, as `headwater_<name>_total`."""
GAUGES = {
    "viewers": "connected viewers",
    "parked_polls": "long polls that wait for an answer",
    "slow_viewers": "viewers that take less than they are given",
    "volleys": "1 where a frame goes to all viewers in one system call (io_uring), 0 where each takes one",
    "memory_mb": "resident memory in megabytes",
    "threads": "running threads",
    "cpu_seconds": "processor time used, in seconds",
}
"""What each process has now, as `headwater_<name>`."""
LANE_COUNTERS = {
    "accepted": "events accepted",
    "duplicates": "events that were known by their id",
    "processed": "events folded into channels",
    "rejected": "records refused",
    "quarantined": "events that no channel could fold",
    "too_late": "events too late for their window",
    "filtered": "events left out by the feed's enrichment",
    "shed": "processed events dropped before a group that lags had read them",
}
"""What was counted of each lane since the broker has it, as `headwater_lane_<name>_total`."""


class Family:
    """One metric with all its samples."""

    def __init__(self, name: str, kind: Literal["counter", "gauge", "summary"], meaning: str) -> None:
        self._name, self._kind, self._meaning = f"headwater_{name}", kind, meaning
        self._samples: list[str] = []

    def add(self, value: float, labels: Labels, suffix: str = "") -> None:
        inside = ",".join(f'{name}="{_escaped(text)}"' for name, text in labels.items())
        self._samples.append(f"{self._name}{suffix}{{{inside}}} {_number(value)}")

    def lines(self) -> Iterator[str]:
        if self._samples:
            yield f"# HELP {self._name} {self._meaning}"
            yield f"# TYPE {self._name} {self._kind}"
            yield from self._samples


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else repr(value)


def exposition(
    measurements: Iterable[Measurement], lanes: Mapping[Lane, Progress], memory_share: float, now_ms: int
) -> str:
    """The whole page; `memory_share` is the used share of the broker's memory."""
    living = list(measurements)
    memory = Family("broker_memory_share", "gauge", "used share of the broker's maxmemory, 0 where it has none")
    memory.add(memory_share, {})
    families = [*_of_processes(living), _of_stages(living), memory, *_of_lanes(lanes, now_ms)]
    return "\n".join(line for family in families for line in family.lines()) + "\n"


def _of_processes(measurements: Iterable[Measurement]) -> list[Family]:
    families: dict[str, Family] = {}
    for one in measurements:
        labels = {"process": one.process, "role": one.role}
        for name, count in sorted(one.counts.items()):
            family = Family(f"{name}_total", "counter", COUNTERS.get(name, name))
            families.setdefault(f"{name}_total", family).add(count, labels)
        for name, value in sorted(one.gauges.items()):
            families.setdefault(name, Family(name, "gauge", GAUGES.get(name, name))).add(value, labels)
    return list(families.values())


def _of_stages(measurements: Iterable[Measurement]) -> Family:
    family = Family("stage_seconds", "summary", "time between two stages of an event over the last minute, in seconds")
    for stage, sketch in sorted(stages_of(measurements).items()):
        for q in QUANTILES:
            value = sketch.quantile(q)
            if value is not None:
                family.add(value, {"stage": stage, "quantile": f"{q:g}"})
        family.add(sketch.count, {"stage": stage}, "_count")
    return family


def _of_lanes(lanes: Mapping[Lane, Progress], now_ms: int) -> Iterator[Family]:
    for name, meaning in LANE_COUNTERS.items():
        family = Family(f"lane_{name}_total", "counter", meaning)
        for lane, progress in lanes.items():
            family.add(getattr(progress, name), {"lane": str(lane)})
        yield family
    unarchived = Family("lane_unarchived_events", "gauge", "events accepted and not yet in the archive")
    backlog = Family("lane_backlog_events", "gauge", "events accepted and not yet processed")
    age = Family("lane_progress_age_seconds", "gauge", "time since the lane's worker last reported, in seconds")
    for lane, progress in lanes.items():
        backlog.add(progress.backlog, {"lane": str(lane)})
        unarchived.add(progress.unarchived, {"lane": str(lane)})
        age.add(max(0, now_ms - progress.at) / 1000, {"lane": str(lane)})
    yield from (backlog, unarchived, age)
