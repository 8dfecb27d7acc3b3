"""Sight: what was seen under load, second by second, as sketches; and whether an objective held in it."""

from __future__ import annotations

import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from services.contract.document import Objective
from services.sketch import Sketch

LOST_S = 1e9
"""What was never answered took so long."""
TOTAL_MIN = 20
"""Fewer say nothing of a share."""
LOOKED_MIN_S = 5
"""So long somebody has to look at a channel before it says something that none of its events was seen."""
_OF_EVENTS = ("sent", "processed", "received", "interval")
_LATENCY = {"gateway": "sent", "broker": "processed", "browser": "received", "probe": "received"}
_KINDS = {
    "update_interval": "interval", "freshness": "age", "reconnect": "reconnect", "first_value": "first_value",
    "backlog": "backlog",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Found:
    """How one objective did in a stage. `held` is None where too little was seen of it, or nothing can be from outside;
    `gave_way_after_s` is when more was bad than the whole stage allowed."""

    objective: str
    total: int
    share: float | None
    held: bool | None
    said: str
    gave_way_after_s: float | None = None


class Sight:
    """Safe from several threads; a second holds one sketch for each kind and channel, however much is seen."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic, self._lock = monotonic, threading.Lock()
        self._seconds: dict[tuple[str, str], dict[int, Sketch]] = defaultdict(dict)
        self.rows = 0
        """Of the largest table."""
        self.counts: dict[str, int] = defaultdict(int)

    def now(self) -> float:
        return self._monotonic()

    def note(self, kind: str, value: float, channel: str = "", times: int = 1) -> None:
        """Something took so many seconds (for a backlog: had so many events)."""
        with self._lock:
            held = self._seconds[kind, channel].setdefault(int(self._monotonic()), Sketch())
            held.add(max(0.0, value), times)

    def tally(self, what: str, number: int = 1) -> None:
        with self._lock:
            self.counts[what] += number

    def judge(self, objective: Objective, since: float, until: float) -> Found:
        """How the objective did from `since` to `until`, monotonic seconds."""
        kind = _kind(objective)
        if kind is None:
            return Found(objective.name, 0, None, None, "is seen in a real browser alone")
        limit = 0.5 if kind == "unfresh" else objective.limit
        seconds = sorted(self._of(kind, objective.channel, int(since), int(until)), key=lambda one: one[0])
        counted = [(at, held.count, held.count - held.within(limit)) for at, held in seconds]
        total, bad = sum(one for _, one, _ in counted), sum(one for _, _, one in counted)
        if not total and kind in _OF_EVENTS and self._looked_s(objective.channel, since, until) >= LOOKED_MIN_S:
            return Found(objective.name, 0, 0.0, False, "events were accepted and none of them was seen", 0.0)
        if total < TOTAL_MIN:
            return Found(objective.name, total, None, None, f"only {total} seen, {TOTAL_MIN} are needed")
        share, allowed = 1 - bad / total, (1 - objective.share) * total
        held_so = share >= objective.share
        said = f"{100 * share:.1f} % of {total:,} within the limit, {100 * objective.share:g} % promised"
        return Found(objective.name, total, share, held_so, said, None if held_so else _when(counted, allowed) - since)

    def _looked_s(self, channel: str | None, since: float, until: float) -> int:
        """In how many seconds somebody looked at that channel, or at the one looked at longest, of a fed feed."""
        with self._lock:
            within = {of: sum(since <= at < until for at in seconds) for of, seconds in self._seconds.items()}
        fed = {feed for (kind, feed), seconds in within.items() if kind == "accepted" and seconds}
        looked = (
            seconds for (kind, name), seconds in within.items()
            if kind == "looked" and channel in (None, name) and name.partition(".")[0] in fed
        )
        return max(looked, default=0)

    def _of(self, kind: str, channel: str | None, since: int, until: int) -> Iterator[tuple[int, Sketch]]:
        with self._lock:
            for (of_kind, of_channel), seconds in self._seconds.items():
                if of_kind == kind and (channel is None or not of_channel or of_channel == channel):
                    yield from ((at, held) for at, held in seconds.items() if since <= at < until)


def _kind(objective: Objective) -> str | None:
    if objective.kind == "latency":
        return _LATENCY[objective.point]
    if objective.kind == "availability":
        return "unfresh" if objective.point == "browser" else "request"
    return _KINDS.get(objective.kind)


def _when(counted: list[tuple[int, int, int]], allowed: float) -> float:
    """The second after which more was bad than the whole stage allowed."""
    bad = 0
    for at, _, one in counted:
        bad += one
        if bad > allowed:
            return float(at + 1)
    return float(counted[-1][0] + 1)
