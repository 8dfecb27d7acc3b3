"""Leadership: which lanes this worker may write, by leases that it renews together.

A worker takes free lanes up to its share, all lanes divided by living workers, and gives one back at a time
while it holds more: lanes spread over workers that come, and over those that are left when one dies.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from services.broker import Broker
from services.declare import Lane


@dataclass(frozen=True, slots=True)
class Renewal:
    """What one round changed: lanes taken (with their lease), lanes lost, and one to be handed over."""

    taken: dict[Lane, str] = field(default_factory=dict)
    lost: list[Lane] = field(default_factory=list)
    excess: Lane | None = None


class Leadership:
    """The leases of one worker."""

    def __init__(self, broker: Broker, lanes: Sequence[Lane], worker: str) -> None:
        self._broker, self._lanes, self._worker = broker, lanes, worker
        self._held: dict[Lane, str] = {}

    def renew(self) -> Renewal:
        """Renew what is held, take what is free and due. Raises BrokerDown; call it twice a second."""
        workers = self._broker.present(self._worker)
        share = math.ceil(len(self._lanes) / max(1, workers))
        free_to_take = max(0, share - len(self._held))
        before = dict(self._held)
        self._held = self._broker.lease(before, self._worker) if before else {}
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
            answers = self._broker.lease(dict.fromkeys(asked, ""), self._worker)
            taken |= {lane: lease for lane, lease in answers.items() if lease}
        self._held |= taken
        return taken

    def give_back(self, lane: Lane) -> None:
        """Let another worker take the lane at once."""
        lease = self._held.pop(lane, None)
        if lease is not None:
            self._broker.release(lane, lease)

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
        self._broker.present(self._worker, leaving=True)
