"""Key limits: how much each ingest key may post, over all web processes.

The allowance lies in the broker and fills by the key's rates. A process takes a little ahead, so that small requests
cost no round trip each, and remembers who has to wait, so that a refused one costs none.
"""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

from services.broker import Broker

AHEAD_MS = 50
"""What a process takes ahead, as time: the limit is exceeded by no more than that for each process."""
UNUSED_AFTER_S = 0.5
"""What was taken ahead and not used for so long is not used any more."""


@dataclass(slots=True)
class _Ahead:
    events: int = 0
    bytes: int = 0
    until: float = 0.0
    refused_until: float = 0.0


class KeyLimits:
    """Events and bytes that a key of one name may post in a second; 0 is without limit. Safe from several threads."""

    def __init__(
        self, broker: Broker, events_per_s: int, bytes_per_s: int, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        self._broker, self._rates, self._monotonic = broker, (events_per_s, bytes_per_s), monotonic
        self._ahead: dict[str, _Ahead] = {}
        self._lock = threading.Lock()

    def wait_s(self, name: str) -> int:
        """Whole seconds that the key has been told to wait for, 0 where it may post as far as is known here."""
        held = self._ahead.get(name)
        left = 0.0 if held is None else held.refused_until - self._monotonic()
        return math.ceil(left) if left > 0 else 0

    def spend(self, name: str, events: int, size: int) -> int:
        """Take a request's events and bytes: 0 where it may pass, else whole seconds to wait. Raises BrokerDown."""
        if not any(self._rates):
            return 0
        with self._lock:
            now, held = self._monotonic(), self._ahead.setdefault(name, _Ahead())
            if now >= held.until or not (self._holds(0, held.events, events) and self._holds(1, held.bytes, size)):
                return self._ask(name, held, events, size)
            held.events, held.bytes = held.events - events, held.bytes - size
            return 0

    def _holds(self, which: int, held: int, asked: int) -> bool:
        return self._rates[which] == 0 or held >= asked

    def _ask(self, name: str, held: _Ahead, events: int, size: int) -> int:
        wait_ms, (held.events, held.bytes) = self._broker.spend(name, self._rates, (events, size), AHEAD_MS)
        now = self._monotonic()
        held.until = now + UNUSED_AFTER_S
        if wait_ms:
            held.refused_until = now + wait_ms / 1_000
            return max(1, math.ceil(wait_ms / 1_000))
        return 0
