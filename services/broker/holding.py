"""Holding: sources that a staging deployment keeps back for a while, so that an outage can be looked at."""

from __future__ import annotations

from services.broker.connection import Connection, surfacing


class Holding(Connection):
    """What acceptance asks of the broker."""

    @surfacing
    def hold(self, feed: str, for_ms: int) -> None:
        """Let nothing of the feed's source in for so long; 0 lets it in again."""
        key = f"hw:held:{feed}"
        if for_ms:
            self._redis.set(key, 1, px=for_ms)
        else:
            self._redis.delete(key)

    @surfacing
    def held(self, feed: str) -> bool:
        """Whether the feed's source is kept back now."""
        return bool(self._redis.exists(f"hw:held:{feed}"))
