"""Clocks: this process's time on the broker's clock, so that stages of several machines can be subtracted."""

from __future__ import annotations

import threading
from collections import deque

from services.positions import Clock, wall_clock

SAMPLES = 8


class BrokerClock:
    """Milliseconds since the Unix epoch as the broker counts them.

    The offset comes from the answer with the least round trip of the last eight, and its error is half of that
    trip (Cristian, "Probabilistic clock synchronization", 1989). An offset within its error is no offset: on the
    broker's own machine the two clocks are one. Safe to use from several threads.
    """

    def __init__(self, wall: Clock = wall_clock) -> None:
        self._wall, self._lock = wall, threading.Lock()
        self._samples: deque[tuple[float, float]] = deque(maxlen=SAMPLES)
        self.offset_ms = 0.0
        self.error_ms: float | None = None
        self._shift_ms = 0

    def __call__(self) -> int:
        return self._wall() + self._shift_ms

    def sample(self, sent_ms: float, received_ms: float, told_ms: float) -> None:
        """The broker said `told_ms` to a question sent and answered at these times of the own clock."""
        with self._lock:
            self._samples.append((received_ms - sent_ms, told_ms - (sent_ms + received_ms) / 2))
            trip, offset = min(self._samples)
            self.error_ms = trip / 2
            self.offset_ms = offset if abs(offset) > self.error_ms + 1 else 0.0
            self._shift_ms = round(self.offset_ms)
