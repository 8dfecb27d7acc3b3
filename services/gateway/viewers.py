"""Viewers: one browser tab each, and audiences, the viewers with the same subscription.

A viewer at head holds no position at all: all of them have been written the same bytes.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from typing import Any

from services.accounts import Principal
from services.gateway.frames import Frame
from services.gateway.links import Link
from services.gateway.publications import Publication
from services.positions import Position


class Lag:
    """Where a viewer stands that is not at head of all its channels; None: nothing was written yet.

    `fresh` are newly subscribed channels that nothing was written for yet, `asked` those of which the broker
    is being asked (older deltas, or whether there is a newer epoch), `forced` those that get a snapshot
    whatever the position. `heard`: the subscription was answered by a heartbeat.
    """

    __slots__ = ("asked", "forced", "fresh", "heard", "positions", "since")

    def __init__(self, positions: dict[Publication, Position | None], fresh: Iterable[Publication] = ()) -> None:
        self.positions = positions
        self.fresh = set(fresh)
        self.asked: set[Publication] = set()
        self.forced: set[Publication] = set()
        self.heard = True
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


class Poll:
    """What a parked long poll is answered with, and when: by `due`, with the frames that came by then.

    It is answered `not_before` (0: at once), so that many of them do not take all of the process, and waits
    until `patient_until` for channels that are still being read. `due` is moved up when it is to be answered
    now; `told` asks for a heartbeat in the answer even if there is nothing else. `waiting`: it would have been
    served already.
    """

    __slots__ = ("due", "frames", "gzip", "not_before", "patient_until", "refusals", "told", "waiting")

    def __init__(self, due: float, *, not_before: float, patient_until: float, gzip: bool, told: bool) -> None:
        self.due, self.not_before, self.patient_until = due, not_before, patient_until
        self.gzip, self.told = gzip, told
        self.frames: list[Frame] = []
        self.refusals: list[bytes] = []
        self.waiting = False


class Viewer:
    """One connected tab. `lag` is None at head, `pace` None where it keeps up, `poll` None where it has a socket.

    A viewer that polls is never at head: it holds positions until it is answered, once.
    """

    __slots__ = ("address", "audience", "id", "lag", "link", "pace", "poll", "principal")

    def __init__(
        self, viewer_id: str, link: Link, principal: Principal, address: str = "", poll: Poll | None = None
    ) -> None:
        self.id, self.link, self.principal, self.address, self.poll = viewer_id, link, principal, address, poll
        self.audience: Audience | None = None
        self.lag: Lag | None = None
        self.pace: Pace | None = None

    def slowness(self, now: float) -> dict[str, Any]:
        """For who looks after the system: who it is, how often it is really written to, and since when it is held."""
        pace = self.pace
        return {
            "viewer": self.id, "principal": self.principal.name, "channels": len(self.positions()),
            "rate_hz": None if pace is None else pace.rate_hz,
            "for_s": 0.0 if pace is None else round(now - pace.held_at, 1),
        }

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


def owner_of(link: Link) -> Viewer:
    """The viewer of a link."""
    viewer = link.owner
    if not isinstance(viewer, Viewer):
        raise TypeError(f"a link of the gateway belongs to a viewer, not to {viewer!r}")
    return viewer
