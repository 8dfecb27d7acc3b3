"""Built in: what is told without being declared: lanes, broker, database, archive. Pure: a sight in, findings out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from services.alerts.finding import Finding
from services.alerts.sight import BACKLOG_LIMIT_MS, Sight
from services.alerts.wording import counted, moment, per_cent
from services.broker import MEMORY_LIMIT
from services.declare import Lane
from services.freshness import WORKER_LIMIT_MS

HANDOVER_MS = 10_000
"""A lane without a worker is told after so long: a deployment hands it over within three seconds."""
STARTING_MS = 30_000
"""While processes start, lanes have no worker yet."""
LOSS_SHOWN_MS = 15 * 60_000
"""What was dropped cannot come back: it stays an alert for so long after the last of it."""


def broker_down(sight: Sight) -> Iterator[Finding]:
    """The broker does not answer: without it nothing else can be known."""
    if sight.broker_down_since:
        yield _broker_down(sight)


def database_down(sight: Sight) -> Iterator[Finding]:
    """The database does not answer."""
    if sight.database_down_since:
        yield _database_down(sight)


def nobody_watches(sight: Sight) -> Iterator[Finding]:
    """No worker evaluates alerts, as web sees it."""
    if sight.unwatched_since:
        yield Finding(
            "watch:none", "worker", "critical", "worker",
            f"no worker evaluates objectives and alerts since {moment(sight.unwatched_since, sight)}: trouble is not "
            f"noticed; {sight.audience()}",
            sight.unwatched_since, for_ms=STARTING_MS,
        )  # fmt: skip


def _broker_down(sight: Sight) -> Finding:
    return Finding(
        "broker:down", "broker", "critical", "broker",
        f"broker does not answer: nothing is accepted or updated, {sight.audience()}, since "
        f"{moment(sight.broker_down_since, sight)} ({sight.broker_trouble})",
        sight.broker_down_since, for_ms=HANDOVER_MS,
    )  # fmt: skip


def _database_down(sight: Sight) -> Finding:
    return Finding(
        "database:down", "database", "major", "database",
        f"database does not answer: history, contract and alerts are not recorded since "
        f"{moment(sight.database_down_since, sight)}; live values go on ({sight.database_trouble})",
        sight.database_down_since, for_ms=HANDOVER_MS,
    )  # fmt: skip


def broker_full(sight: Sight) -> Iterator[Finding]:
    """The broker's memory is so full that no event is taken."""
    if sight.memory_share < MEMORY_LIMIT:
        return
    yield Finding(
        "broker:full", "broker", "critical", "broker",
        f"broker memory {per_cent(sight.memory_share)} full: new events are refused with 429, "
        f"{sight.audience()}; raise maxmemory, or find what does not drain",
        sight.at,
    )  # fmt: skip


def without_worker(sight: Sight) -> Iterator[Finding]:
    """Lanes that nobody leads; silent while everything starts, when that is no trouble."""
    if not sight.started and sight.at - sight.looking_since < STARTING_MS:
        return
    alone = {lane: said for lane, said in sight.lanes.items() if not sight.is_led(said)}
    for lane, said in alone.items():
        since = sight.looking_since if said is None else said.at + WORKER_LIMIT_MS
        if len(alone) == len(sight.lanes) > 1:
            text = f"no lane has a worker: {sight.effect(None, since, 'live tiles stand still')}"
        else:
            effect = sight.effect(f"{lane.feed}.", since, "live tiles of this feed stand still")
            text = f"lane {lane} has no worker: {effect}"
        yield Finding(f"lane:{lane}", "worker", "critical", "worker", text, since, for_ms=HANDOVER_MS)


def backlogs(sight: Sight) -> Iterator[Finding]:
    """Events that wait for too long where there is a worker; where there is none, that is what is told."""
    for lane, said in sight.lanes.items():
        if said is None or not sight.is_led(said) or not said.backlog:
            continue
        if sight.at - said.backlog_since <= BACKLOG_LIMIT_MS:
            continue
        yield Finding(
            f"backlog:{lane}", f"backlog:{lane.feed}", "major", "worker",
            f"backlog of {lane.feed} at {counted(said.backlog, 'event', 'events')}: "
            f"{sight.effect(f'{lane.feed}.', said.backlog_since)}",
            said.backlog_since,
        )  # fmt: skip


@dataclass(slots=True)
class _Loss:
    counted: int
    events: int = 0
    began_at: int = 0
    ended_at: int = 0


class Shedding:
    """Lanes that reached their hard cap, by the count that each worker keeps; remembers what it saw before."""

    def __init__(self) -> None:
        self._losses: dict[Lane, _Loss] = {}

    def look(self, sight: Sight) -> Iterator[Finding]:
        """A finding for each lane that dropped processed events within the last while."""
        for lane, said in sight.lanes.items():
            if said is None:
                continue
            loss = self._losses.setdefault(lane, _Loss(said.shed))
            if said.shed > loss.counted:
                loss.began_at = loss.began_at if loss.events else sight.at
                loss.events, loss.ended_at = loss.events + said.shed - loss.counted, sight.at
            loss.counted = said.shed
            if loss.events and sight.at - loss.ended_at > LOSS_SHOWN_MS:
                loss.events = 0
            if loss.events:
                yield self._finding(lane, loss, sight)

    def _finding(self, lane: Lane, loss: _Loss, sight: Sight) -> Finding:
        return Finding(
            f"shed:{lane}", "archive", "critical", "database",
            f"lane {lane} reached its hard cap: {counted(loss.events, 'processed event', 'processed events')} dropped "
            f"before the archive had read them, since {moment(loss.began_at, sight)}; live values are complete",
            loss.began_at,
        )  # fmt: skip
