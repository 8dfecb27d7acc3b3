"""Observer: takes the sight that rules look at, from what the broker holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol
from zoneinfo import ZoneInfo

from services.alerts.sight import Sight
from services.broker import BrokerDown, memory_share
from services.broker.leading import Station
from services.declare import Declarations, Lane
from services.freshness import Progress
from services.positions import Clock
from services.telemetry import GONE_AFTER_MS, Measurement, stages_of

PAINTED = "created_to_painted"


class Observed(Protocol):
    """The part of the broker that is looked at."""

    def server(self) -> dict[str, Any]: ...

    def lane_progress(self, lanes: Sequence[Lane]) -> dict[Lane, Progress]: ...

    def read_telemetry(self) -> dict[str, bytes]: ...

    def workers(self, station: Station) -> int: ...


class Observer:
    """One process's eyes; remembers since when it looks, and since when the broker is away."""

    def __init__(self, observed: Observed, declarations: Declarations, zone: ZoneInfo, clock: Clock) -> None:
        self._observed, self._lanes, self._zone, self._clock = observed, declarations.lanes(), zone, clock
        self._looking_since = self._broker_down_since = self._unwatched_since = 0
        self._started = False

    def look(self, database_down_since: int = 0, database_trouble: str = "") -> Sight:
        """What there is to see; never raises, since a broker that is down is also something to see."""
        at = self._clock()
        self._looking_since = self._looking_since or at
        known: dict[str, Any] = {
            "at": at, "zone": self._zone, "database_down_since": database_down_since,
            "database_trouble": database_trouble,
        }  # fmt: skip
        try:
            found = self._found(at)
        except BrokerDown as error:
            self._broker_down_since = self._broker_down_since or at
            # Lanes that were handed over while nobody could look are no trouble either.
            self._looking_since, self._started = at, False
            return Sight(**known, broker_down_since=self._broker_down_since, broker_trouble=str(error))
        self._broker_down_since = 0
        sight = Sight(**known, **found, looking_since=self._looking_since, started=self._started)
        self._started = self._started or all(sight.is_led(said) for said in sight.lanes.values())
        return sight

    def _found(self, at: int) -> Mapping[str, Any]:
        said = self._observed.lane_progress(self._lanes)
        measured = [Measurement.decoded(payload) for payload in self._observed.read_telemetry().values()]
        self._unwatched_since = 0 if self._observed.workers("contract") else self._unwatched_since or at
        living = [one for one in measured if at - one.at <= GONE_AFTER_MS]
        webs = [one for one in living if "viewers" in one.gauges]
        viewers = [int(one.gauges["viewers"] + one.gauges.get("parked_polls", 0)) for one in webs]
        painted = stages_of(living).get(PAINTED)
        p95_s = None if painted is None else painted.quantile(0.95)
        return {
            "lanes": {lane: said.get(lane) for lane in self._lanes},
            "viewers": sum(viewers) if viewers else None,
            "delay_ms": None if p95_s is None else 1_000 * p95_s,
            "memory_share": memory_share(self._observed.server()),
            "unwatched_since": self._unwatched_since,
        }  # fmt: skip
