"""Freshness: whether a channel is live, quiet, late or stale, since when, and why.

One pure rule, so that every process that judges the same progress at the same time says the same.
`since` is the computed moment at which the limit was crossed, never the moment at which it was noticed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import orjson

from services.declare import Freshness

StateName = Literal["live", "quiet", "late", "stale"]
Cause = Literal["backlog", "source_silent", "source_late", "source_error", "rejecting", "worker_down", "broker_down"]

WORKER_LIMIT_MS = 3_000
"""A lane whose progress is older than this has no worker: the lease lives 1.6 s, progress comes each second."""


@dataclass(frozen=True, slots=True)
class Progress:
    """What the worker of a lane last said of it. Times are milliseconds since the Unix epoch; 0 is never.

    `at` is when it was said; `started_at` when the lane's epoch began; `event_at`, `ingested_at` the
    newest processed event's; `filtered` events that the feed's enrichment left out;
    `backlog` events accepted and not processed, `backlog_since` the ingest time
    of the oldest of them; `unarchived`, `unarchived_since` the same of what the archive does not have yet; `shed`
    events dropped for a group that lagged too far; `alive_at` the source's
    last sign of life; `error`, `error_at`, `error_cause` its last trouble; `rejected`, `rejected_at`, `rejection` the
    count, time and text of refusals, `refused_run`, `refused_from` how many and since when without an
    accepted event between; `lag_ms` the least time between stamp and arrival of late, below 0 where the
    source's clock is ahead.
    """

    epoch: str
    at: int
    started_at: int
    event_at: int = 0
    ingested_at: int = 0
    accepted: int = 0
    duplicates: int = 0
    processed: int = 0
    quarantined: int = 0
    too_late: int = 0
    filtered: int = 0
    shed: int = 0
    backlog: int = 0
    backlog_since: int = 0
    unarchived: int = 0
    unarchived_since: int = 0
    alive_at: int = 0
    error: str = ""
    error_at: int = 0
    error_cause: str = ""
    rejected: int = 0
    rejected_at: int = 0
    rejection: str = ""
    refused_run: int = 0
    refused_from: int = 0
    lag_ms: int = 0

    def encoded(self) -> bytes:
        return orjson.dumps(self)

    @classmethod
    def decoded(cls, raw: bytes) -> Progress:
        """Read what `encoded` wrote; fields of a newer release are passed over."""
        known = cls.__dataclass_fields__
        found: dict[str, Any] = {name: v for name, v in orjson.loads(raw).items() if name in known}
        return cls(**found)


@dataclass(frozen=True, slots=True)
class Verdict:
    """A channel's freshness. `since` is 0 where the state is live or has always been so."""

    state: StateName
    cause: Cause | None = None
    detail: str = ""
    since: int = 0


LIVE = Verdict("live")


def judge(
    rule: Freshness, progress: Progress | None, *, event_at: int, now: int, broker_down_since: int = 0
) -> Verdict:
    """The state of a channel at `now`.

    `event_at` is the newest event's time of the channel itself (0: none yet); `progress` that of its lane,
    None where no worker ever spoke. Causes in fixed precedence: broker_down, worker_down, source_error,
    source_silent, backlog, source_late, rejecting.
    """
    late_ms, stale_ms = int(rule.late_after_s * 1000), int(rule.stale_after_s * 1000)
    if broker_down_since:
        return _cut_off("broker_down", broker_down_since, now, stale_ms)
    if progress is None:
        return Verdict("stale", "worker_down", "no worker has run yet")
    if now - progress.at > WORKER_LIMIT_MS:
        return _cut_off("worker_down", progress.at + WORKER_LIMIT_MS, now, stale_ms)
    return _judge_source(rule, progress, event_at, now, late_ms, stale_ms)


def _cut_off(cause: Cause, since: int, now: int, stale_ms: int) -> Verdict:
    return Verdict("stale" if now - since > stale_ms else "late", cause, "", since)


def _judge_source(rule: Freshness, progress: Progress, event_at: int, now: int, late_ms: int, stale_ms: int) -> Verdict:
    newest_feed_event = max(progress.event_at, event_at)
    life = max(progress.ingested_at, progress.started_at, progress.alive_at if rule.may_be_quiet else 0)
    silent, aged = now - life > stale_ms, now - (newest_feed_event or progress.started_at) > late_ms
    if progress.error_at > life and (silent or aged):
        since = life + stale_ms if silent else progress.error_at
        return Verdict("stale" if silent else "late", _trouble(progress), progress.error, since)
    if silent:
        if progress.rejected_at + stale_ms > now:
            return Verdict("stale", "rejecting", _refusals(progress), life + stale_ms)
        return Verdict("stale", "source_silent", "", life + stale_ms)
    if progress.backlog and now - progress.backlog_since > late_ms:
        detail = f"{progress.backlog:,} events behind"
        return Verdict("late", "backlog", detail, progress.backlog_since + late_ms)
    if aged:
        return _aged(rule, progress, newest_feed_event or progress.started_at, life, now, late_ms)
    return _flowing(rule, event_at, now)


def _trouble(progress: Progress) -> Cause:
    """What the source says of its own trouble: it answers with an error, not at all, or with what is old."""
    match progress.error_cause:
        case "source_silent" | "source_late" as cause:
            return cause
        case _:
            return "source_error"


def _aged(rule: Freshness, progress: Progress, event_at: int, life: int, now: int, late_ms: int) -> Verdict:
    """No event young enough: told apart are a source that sends old ones, one that is refused, and a quiet one."""
    if now - progress.ingested_at <= late_ms:
        return Verdict("late", "source_late", "events arrive with old times", event_at + late_ms)
    if progress.rejected_at + late_ms > now:
        return Verdict("late", "rejecting", _refusals(progress), event_at + late_ms)
    if rule.may_be_quiet:
        return Verdict("quiet", None, "no events; the source is alive", event_at + late_ms)
    return Verdict("late", "source_late", "the source is behind its interval", event_at + late_ms)


def _refusals(progress: Progress) -> str:
    return f"{progress.refused_run:,} refused, the last: {progress.rejection}"


def _flowing(rule: Freshness, event_at: int, now: int) -> Verdict:
    """The feed flows; a channel of its own that has had nothing for a while is quiet."""
    quiet_ms = int(rule.late_after_s * 1000)
    if event_at == 0 or now - event_at > quiet_ms:
        return Verdict("quiet", None, "no events here; the feed flows", (event_at + quiet_ms) if event_at else 0)
    return LIVE
