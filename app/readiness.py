"""Readiness: whether events can flow from end to end, lane by lane, as `/readyz` tells it."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from services.broker import MEMORY_LIMIT, memory_share
from services.declare import Lane
from services.freshness import WORKER_LIMIT_MS, Progress

BACKLOG_AGE_LIMIT_MS = 30_000
"""The oldest event that waits, for the processor or for the archive, may be this old."""
CHECKS = ("broker", "worker", "backlog", "archive")
UNDECIDING = frozenset({"archive"})
"""What is told and does not decide: events flow all the same."""


@dataclass(frozen=True, slots=True)
class LaneStanding:
    """What is wrong with a lane by check, in words; `led` is whether a worker reported within the limit."""

    lane: Lane
    led: bool
    backlog: str = ""
    archive: str = ""

    @property
    def state(self) -> str:
        """`ok`, or all that is wrong."""
        return "; ".join(filter(None, ["" if self.led else "no worker leads it", self.backlog, self.archive])) or "ok"


def standings(lanes: Iterable[Lane], progress: Mapping[Lane, Progress], now: int) -> list[LaneStanding]:
    """How each lane stands at `now`, in ms."""
    return [_standing(lane, progress.get(lane), now) for lane in lanes]


def _standing(lane: Lane, found: Progress | None, now: int) -> LaneStanding:
    if found is None:
        return LaneStanding(lane, led=False)
    return LaneStanding(
        lane, led=now - found.at <= WORKER_LIMIT_MS,
        backlog=_waiting(found.backlog, now - found.backlog_since, "wait"),
        archive=_waiting(found.unarchived, now - found.unarchived_since, "are not archived"),
    )


def _waiting(events: int, age_ms: int, how: str) -> str:
    late = events and age_ms > BACKLOG_AGE_LIMIT_MS
    return f"{events:,} events {how}, the oldest for {age_ms / 1000:.0f} s" if late else ""


def checks(server: Mapping[str, Any], found: Iterable[LaneStanding], named: Container[str]) -> dict[str, str]:
    """Each check: `ok`, or what is wrong. `server` is what the broker says of itself; lanes of the feeds `named` are
    told by name, others counted.
    """
    found = list(found)
    return {
        "broker": _broker(server),
        "worker": _told({one.lane: "no worker leads it" for one in found if not one.led}, named, "no worker leads {}"),
        "backlog": _told({one.lane: one.backlog for one in found if one.backlog}, named, "events wait in {}"),
        "archive": _told({one.lane: one.archive for one in found if one.archive}, named, "the archive is behind in {}"),
    }


def _told(wrong: Mapping[Lane, str], named: Container[str], counted: str) -> str:
    known = [f"lane {lane}: {said}" for lane, said in wrong.items() if lane.feed in named]
    others = len(wrong) - len(known)
    return "; ".join([*known, *([counted.format(f"{others} lanes")] if others else [])]) or "ok"


def without_broker(reason: str) -> dict[str, str]:
    """The checks where nobody can be asked."""
    return {name: reason if name == "broker" else "unknown" for name in CHECKS}


def ready(found: Mapping[str, str]) -> bool:
    """Whether all that decides is in order."""
    return all(said == "ok" for name, said in found.items() if name not in UNDECIDING)


def _broker(server: Mapping[str, Any]) -> str:
    """`ok`, or what about the broker endangers what was accepted."""
    policy, share = server.get("maxmemory_policy"), memory_share(server)
    if policy != "noeviction":
        return f"maxmemory-policy {policy} drops data silently; set noeviction"
    return "ok" if share < MEMORY_LIMIT else f"memory {100 * share:.0f} % full; raise maxmemory"
