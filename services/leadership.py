"""Leadership: which lanes this worker works for, by leases that it renews together.

Processors lead lanes to write them; source runners lead feeds, by their first lane, to read them. A worker
takes free lanes up to its share, all lanes divided by living workers, and gives one back at a time while it
holds more: lanes spread over workers that come, and over those that are left when one dies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.broker import Broker, Station
from services.declare import Lane

RELEASE = 2
"""Raised when what the broker holds changes in shape: a worker of an older release then hands its lanes over."""


@dataclass(frozen=True, slots=True)
class Renewal:
    """What one round changed: lanes taken (with their lease), lanes lost, and one to be handed over."""

    taken: dict[Lane, str] = field(default_factory=dict)
    lost: list[Lane] = field(default_factory=list)
    excess: Lane | None = None


class Leadership:
    """The leases of one worker for one station's work."""

    def __init__(
        self, broker: Broker, station: Station, lanes: Sequence[Lane], worker: str, release: int = RELEASE
    ) -> None:
        self._broker, self._station, self._lanes = broker, station, lanes
        self._worker, self._release = worker, release
        self._held: dict[Lane, str] = {}

    @property
    def held(self) -> frozenset[Lane]:
        """The lanes held, as far as is known since the last renewal."""
        return frozenset(self._held)

    def renew(self) -> Renewal:
        """Renew what is held, take what is free and due. Raises BrokerDown; call it twice a second."""
        peers = self._broker.present(self._station, self._worker, self._release)
        share = math.ceil(len(self._lanes) / peers) if peers else 0
        free_to_take = max(0, share - len(self._held))
        before = dict(self._held)
        self._held = self._broker.lease(self._station, before, self._worker) if before else {}
        lost = [lane for lane in before if not self._held.get(lane)]
        self._held = {lane: lease for lane, lease in self._held.items() if lease}
        taken = self._take(free_to_take)
        excess = next(reversed(self._held), None) if len(self._held) > share else None
        return Renewal(taken, lost, excess)

    def _take(self, at_most: int) -> dict[Lane, str]:
        """Ask for lanes one round trip at a time, until the share is full or none is free."""
        candidates = [lane for lane in self._lanes if lane not in self._held]
        taken: dict[Lane, str] = {}
        while at_most > len(taken) and candidates:
            asked, candidates = candidates[: at_most - len(taken)], candidates[at_most - len(taken) :]
            answers = self._broker.lease(self._station, dict.fromkeys(asked, ""), self._worker)
            taken |= {lane: lease for lane, lease in answers.items() if lease}
        self._held |= taken
        return taken

    def give_back(self, lane: Lane) -> None:
        """Let another worker take the lane at once."""
        lease = self._held.pop(lane, None)
        if lease is not None:
            self._broker.release(self._station, lane, lease)

    def drop(self, lane: Lane) -> None:
        """Hold the lane no more; its lease runs out by itself."""
        self._held.pop(lane, None)

    def drop_all(self) -> None:
        """After trouble with the broker: nothing held can be trusted."""
        self._held.clear()

    def leave(self) -> None:
        """Give everything back, in order, and be gone."""
        for lane in list(self._held):
            self.give_back(lane)
        self._broker.present(self._station, self._worker, self._release, leaving=True)
