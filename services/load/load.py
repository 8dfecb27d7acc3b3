"""Load: stages up to the envelope, what was seen in each, and which objective gave way first."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from services.contract.document import Objective
from services.contract.scope import Envelope
from services.load.crowd import Crowd, Shown
from services.load.producer import Producer
from services.load.shape import Shape
from services.load.sight import Found, Sight

STAGES = (0.25, 0.5, 0.75, 1.0)
COMING = 0.3
"""The share of a stage in which viewers come."""
OWN_LAG_MAX_S = 1.0
"""When the machine that loads is itself this late, its figures say nothing of the deployment."""
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Stage:
    """What was asked of the deployment in a part of the load, and how each objective did."""

    share: float
    events_per_s: float
    accepted_per_s: float
    viewers: int
    found: tuple[Found, ...]

    @property
    def broken(self) -> list[Found]:
        """Those that did not hold, the one that gave way first before the others."""
        return sorted((one for one in self.found if one.held is False), key=lambda one: one.gave_way_after_s or 0.0)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The whole load. `own_lag_s` is how late the loading machine itself was at most; `counts` what was done."""

    url: str
    began_at: str
    envelope: Envelope
    stages: tuple[Stage, ...]
    rows: int
    own_lag_s: float
    counts: dict[str, int]

    @property
    def usable(self) -> bool:
        return self.own_lag_s <= OWN_LAG_MAX_S

    @property
    def gave_way(self) -> tuple[Stage, Found] | None:
        """The objective that gave way first, and in which stage."""
        return next(((stage, stage.broken[0]) for stage in self.stages if stage.broken), None)

    @property
    def held(self) -> bool:
        return self.usable and self.gave_way is None and self.stages[-1].share == STAGES[-1]

    @property
    def reached(self) -> Stage | None:
        """The furthest stage in which everything held."""
        before = [stage for stage in self.stages if not stage.broken]
        return before[-1] if before and self.usable else None

    def as_json(self) -> dict[str, Any]:
        """As it is kept beside the contract."""
        gave_way, reached = self.gave_way, self.reached
        return {
            "url": self.url, "began_at": self.began_at, "envelope": {
                "events_per_s": self.envelope.events_per_s, "viewers": self.envelope.viewers,
                "rows": self.envelope.rows,
            },
            "held": self.held, "usable": self.usable, "own_lag_s": round(self.own_lag_s, 3), "rows": self.rows,
            "reached": None if reached is None else {
                "events_per_s": reached.events_per_s, "viewers": reached.viewers
            },
            "gave_way": None if gave_way is None else {
                "objective": gave_way[1].objective, "events_per_s": gave_way[0].events_per_s,
                "viewers": gave_way[0].viewers, "said": gave_way[1].said,
            },
            "stages": [asdict(one) for one in self.stages], "counts": self.counts,
        }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Load:
    """What is to be done: `key` is a staging key, `seconds` the whole time, `envelope` the most that is asked."""

    url: str
    key: str
    cookie: str
    shapes: tuple[Shape, ...]
    pages: tuple[Shown, ...]
    objectives: tuple[Objective, ...]
    envelope: Envelope
    seconds: float
    tell: Tell

    def run(self, began_at: str) -> Loaded:
        """Stage by stage; ends after the first in which an objective gave way."""
        return asyncio.run(self._run(began_at))

    async def _run(self, began_at: str) -> Loaded:
        sight = Sight()
        producers = [Producer(self.url, self.key, shape, sight) for shape in self.shapes]
        crowd, lag = Crowd(self.url, self.cookie, self.pages, sight), _Lag()
        watching = asyncio.create_task(lag.watch())
        stages: list[Stage] = []
        for producer in producers:
            producer.start()
        try:
            for share in STAGES:
                stages.append(await self._stage(share, sight, producers, crowd))
                if stages[-1].broken:
                    break
        finally:
            for producer in producers:
                producer.peak = 0.0
            await crowd.leave()
            watching.cancel()
            await asyncio.gather(*(asyncio.to_thread(one.stop) for one in producers))
        counts = dict(sorted(sight.counts.items()))
        return Loaded(self.url, began_at, self.envelope, tuple(stages), sight.rows, lag.most_s, counts)

    async def _stage(self, share: float, sight: Sight, producers: Sequence[Producer], crowd: Crowd) -> Stage:
        lasts, viewers = self.seconds / len(STAGES), max(1, round(share * self.envelope.viewers))
        asked = share * self.envelope.events_per_s
        for producer in producers:
            producer.peak = asked / len(producers)
        since, accepted = sight.now(), sight.counts["accepted"]
        ends = since + lasts
        await crowd.grow(viewers, COMING * lasts)
        while (left := ends - sight.now()) > 0:
            await asyncio.sleep(min(1.0, left))
            rate = (sight.counts["accepted"] - accepted) / max(0.1, sight.now() - since)
            self.tell(
                f"{100 * share:.0f} % of the envelope: {rate:,.0f} events/s of a peak of {asked:,.0f}, "
                f"{crowd.open} of {viewers} viewers, {sight.counts['refused']} refused"
            )
        until = sight.now()
        rate = (sight.counts["accepted"] - accepted) / max(0.1, until - since)
        found = tuple(sight.judge(one, since, until) for one in self.objectives)
        return Stage(share, asked, round(rate, 1), viewers, found)


class _Lag:
    """How late the own loop is: a timer that comes late was kept waiting by this machine, not by the deployment."""

    def __init__(self) -> None:
        self.most_s = 0.0

    async def watch(self) -> None:
        while True:
            began = time.monotonic()
            await asyncio.sleep(0.1)
            self.most_s = max(self.most_s, time.monotonic() - began - 0.1)
