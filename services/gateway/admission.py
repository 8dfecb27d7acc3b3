"""Admission: who is here, and whether one more is too many: in all, for one principal, from one address."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

from services.accounts import OPEN
from services.gateway.links import SocketLimits
from services.gateway.viewers import Viewer
from services.messages import Close


@dataclass(frozen=True, slots=True)
class GatewayLimits:
    """How many viewers a process serves, in all, for one principal and from one address (0: no limit).

    The principal of open mode is everybody, so it has no limit of its own. `channels_max` bounds the channels
    that are followed at once: a viewer may name any partition. `heartbeat_s` is how often the gateway beats.
    """

    viewers_max: int = 10_000
    viewers_per_principal: int = 0
    viewers_per_address: int = 0
    channels_max: int = 5_000
    heartbeat_s: float = 2.0
    sockets: SocketLimits = field(default_factory=SocketLimits)


class Admission:
    """Counts viewers; a refused one counts until its socket is closed."""

    def __init__(self, limits: GatewayLimits) -> None:
        self._limits = limits
        self._here: dict[Viewer, tuple[str, str]] = {}
        self._principals: Counter[str] = Counter()
        self._addresses: Counter[str] = Counter()

    def __len__(self) -> int:
        return len(self._here)

    def viewers(self) -> list[Viewer]:
        """All that are here."""
        return list(self._here)

    def enter(self, viewer: Viewer) -> Close | None:
        """Count a viewer; the reason to refuse it, or None."""
        principal, address = self._here[viewer] = (viewer.principal.name, viewer.address)
        self._principals[principal] += 1
        self._addresses[address] += 1
        limits = self._limits
        if viewer.principal is not OPEN and 0 < limits.viewers_per_principal < self._principals[principal]:
            return Close.TOO_MANY
        if address and 0 < limits.viewers_per_address < self._addresses[address]:
            return Close.TOO_MANY
        return Close.FULL if len(self._here) > limits.viewers_max else None

    def leave(self, viewer: Viewer) -> None:
        """It is gone."""
        for counter, name in zip((self._principals, self._addresses), self._here.pop(viewer), strict=True):
            counter[name] -= 1
            if not counter[name]:
                del counter[name]
