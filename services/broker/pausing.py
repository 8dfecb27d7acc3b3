"""Pausing: which feeds are paused for everybody, by whom and since when."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

import orjson

from services.broker.connection import Connection, surfacing

PAUSE_LASTS_S = 3_600
"""A pause that nobody ends is over by then: what stands still must not be forgotten."""


@dataclass(frozen=True, slots=True)
class Paused:
    """A feed that is paused for everybody: the name of who did it, and when (ms)."""

    by: str
    since: int


class Pausing(Connection):
    """What pausing for everybody asks of the broker. Only what is shown stands still: events go on to be processed."""

    @surfacing
    def pause(self, feed: str, paused: Paused) -> bool:
        """Pause a feed; False where it is paused already."""
        return bool(self._redis.set(_key(feed), orjson.dumps(asdict(paused)), ex=PAUSE_LASTS_S, nx=True))

    @surfacing
    def resume(self, feed: str) -> bool:
        """End it; False where there was none."""
        return bool(self._redis.delete(_key(feed)))

    @surfacing
    def paused(self, feeds: Iterable[str]) -> dict[str, Paused]:
        """Those of the feeds that are paused."""
        names = list(feeds)
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.get(_key(name))
            found: list[Any] = pipe.execute()
        return {name: Paused(**orjson.loads(raw)) for name, raw in zip(names, found, strict=True) if raw}


def _key(feed: str) -> str:
    return f"hw:paused:{feed}"
