"""Sight: what the system looks like at one moment, as rules need it: lanes, viewers, broker, archive."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from services.alerts.finding import Stage
from services.alerts.wording import counted, moment, seconds
from services.declare import Lane
from services.freshness import WORKER_LIMIT_MS, Progress

BACKLOG_LIMIT_MS = 30_000
"""An event that waits for so long is trouble, as `/readyz` has it."""
NOTICED_MS = 1_000
"""A delay below this is none that a viewer would notice."""


@dataclass(frozen=True, slots=True)
class Sight:
    """One look at everything. Times are milliseconds since the Unix epoch.

    `lanes` holds what the worker of each declared lane last said, None where none ever spoke. `viewers` are None where
    no web process says. `delay_ms` is how old values are when painted: the p95 of the last minute. `memory_share` is
    the broker's. `unwatched_since` is since when no worker evaluates alerts, 0 where one does. `looking_since` is when
    this observer began, `started` whether it has seen every lane led since then.
    """

    at: int
    zone: ZoneInfo
    lanes: Mapping[Lane, Progress | None] = field(default_factory=dict)
    viewers: int | None = None
    delay_ms: float | None = None
    memory_share: float = 0.0
    unwatched_since: int = 0
    looking_since: int = 0
    started: bool = False
    broker_down_since: int = 0
    broker_trouble: str = ""
    database_down_since: int = 0
    database_trouble: str = ""

    def lanes_of(self, channel: str | None) -> Iterator[tuple[Lane, Progress | None]]:
        """The lanes that a channel may live in; all of them for None."""
        feed = None if channel is None else channel.partition(".")[0]
        return ((lane, said) for lane, said in self.lanes.items() if feed in (None, lane.feed))

    def is_led(self, said: Progress | None) -> bool:
        """Whether a worker leads the lane."""
        return said is not None and self.at - said.at <= WORKER_LIMIT_MS

    def trouble(self, channel: str | None) -> Stage | None:
        """The first station on a channel's path that is in trouble, or None."""
        if self.broker_down_since:
            return "broker"
        lanes = list(self.lanes_of(channel))
        if any(not self.is_led(said) for _, said in lanes):
            return "worker"
        spoken = [said for _, said in lanes if said is not None]
        if any(said.error_at > max(said.ingested_at, said.alive_at) for said in spoken):
            return "source"
        return "worker" if any(self._waits(said) > BACKLOG_LIMIT_MS for said in spoken) else None

    def _waits(self, said: Progress) -> int:
        return self.at - said.backlog_since if said.backlog else 0

    def delay_of(self, channel: str | None) -> float:
        """How old a channel's values are when painted, in ms: as measured, or for how long the oldest event waits."""
        spoken = [said for _, said in self.lanes_of(channel) if said is not None]
        silent = [self.at - said.at for said in spoken if not self.is_led(said)]
        return max([self.delay_ms or 0.0, *map(self._waits, spoken), *silent])

    def effect(self, channel: str | None, since: int, says: str = "") -> str:
        """What viewers have of it, and since when: `live tiles delayed by 3.1 s for 42 viewers since 14:03`."""
        delay, when = self.delay_of(channel), f"since {moment(since, self)}"
        if self.viewers == 0:
            return f"{when}; no viewer is connected"
        if not says and delay < NOTICED_MS:
            return f"{when}; live tiles not delayed, {self.audience()}"
        what = (says or "live tiles delayed by {delay}").replace("{delay}", seconds(delay))
        if self.viewers is None:
            return f"{what} {when}; {self.audience()}"
        return f"{what} for {counted(self.viewers, 'viewer', 'viewers')} {when}"

    def audience(self) -> str:
        """How many look on: `42 viewers are connected`."""
        if self.viewers is None:
            return "how many viewers are connected is not known"
        if self.viewers == 0:
            return "no viewer is connected"
        return f"{counted(self.viewers, 'viewer is', 'viewers are')} connected"
