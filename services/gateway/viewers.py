"""Viewers: one browser tab each, and audiences, the viewers with the same subscription.

A viewer at head holds no position at all: all of them have been written the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping

from services.accounts import Principal
from services.gateway.publications import Publication
from services.gateway.sockets import Link
from services.positions import Position


class Lag:
    """Where a viewer stands that is not at head of all its channels; None: nothing was written yet.

    `fresh` are newly subscribed channels that nothing was written for yet, `asked` those whose older
    deltas are being fetched, `forced` those that get a snapshot whatever the position.
    """

    __slots__ = ("asked", "forced", "fresh", "positions", "since")

    def __init__(self, positions: dict[Publication, Position | None], fresh: Iterable[Publication] = ()) -> None:
        self.positions = positions
        self.fresh = set(fresh)
        self.asked: set[Publication] = set()
        self.forced: set[Publication] = set()
        self.since = time.monotonic()

    @property
    def at_head(self) -> bool:
        """Nothing is owed on any channel."""
        if self.forced:
            return False
        return all(position is not None and position == p.position for p, position in self.positions.items())


class Pace:
    """How often a viewer that could not keep up is really written to; kept until it keeps up for a while.

    `skipped` counts what came while its socket was full. `rate_hz` is None unless it misses more than it gets.
    """

    __slots__ = ("beat_at", "held_at", "rate_hz", "since", "skipped", "writes")

    def __init__(self, now: float) -> None:
        self.since = self.held_at = now
        self.beat_at = 0.0
        self.writes, self.skipped = 0, 0
        self.rate_hz: float | None = None

    def measure(self, now: float) -> None:
        """Settle the rate of the time since the last call, once that was a second or more."""
        if now - self.since >= 1.0:
            self.rate_hz = round(self.writes / (now - self.since), 1) if self.skipped > self.writes else None
            self.since, self.writes, self.skipped = now, 0, 0


class Viewer:
    """One connected tab. `lag` is None at head, `pace` None where it keeps up."""

    __slots__ = ("audience", "id", "lag", "link", "pace", "principal")

    def __init__(self, viewer_id: str, link: Link, principal: Principal) -> None:
        self.id, self.link, self.principal = viewer_id, link, principal
        self.audience: Audience | None = None
        self.lag: Lag | None = None
        self.pace: Pace | None = None

    def positions(self) -> Mapping[Publication, Position | None]:
        """What was last written to it, by channel."""
        if self.lag is not None:
            return self.lag.positions
        channels = self.audience.channels if self.audience is not None else ()
        return {publication: publication.written for publication in channels}


class Audience:
    """All viewers of one subscription set: `ready` links at head, `lagging` viewers, served one by one."""

    __slots__ = ("channels", "lagging", "ready")

    def __init__(self, channels: frozenset[Publication]) -> None:
        self.channels = channels
        self.ready: dict[Link, None] = {}
        self.lagging: set[Viewer] = set()

    @property
    def empty(self) -> bool:
        return not self.ready and not self.lagging
