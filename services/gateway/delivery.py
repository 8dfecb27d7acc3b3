"""Delivery: brings what the broker says to the viewers; who gets which frame, and when.

Viewers at head share one write for all channels of a read. The others hold positions and are brought
up one by one when their socket takes more, so no queue can grow.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from services.accounts import can
from services.broker import StoredChannel, StoredDelta
from services.declare import ChannelRef, Lane
from services.freshness import Progress
from services.gateway.frames import Frame, Writable, join
from services.gateway.publications import UNWRITTEN, Outcome, Publication, Step
from services.gateway.reading import BrokerAsker, DeltaReader
from services.gateway.sockets import Link, Sockets
from services.gateway.viewers import Audience, Lag, Pace, Viewer
from services.messages import error
from services.positions import Clock, Position
from services.telemetry import Telemetry

KEEP_IDLE_S = 30.0
"""A channel without viewers is read on for this long: whoever changes page and returns finds it ready."""
AHEAD_PATIENCE_S = 1.0
"""How long a viewer that is ahead of this process waits for it; then it gets a snapshot."""
PACE_KEPT_S = 5.0


class Answer(Protocol):
    """Sends a heartbeat to one viewer at once."""

    def __call__(self, viewer: Viewer) -> None: ...


class Delivery:
    """Publications and audiences of this process; called in the loop's thread only."""

    def __init__(self, sockets: Sockets, clock: Clock, telemetry: Telemetry) -> None:
        self._sockets, self._clock, self._telemetry = sockets, clock, telemetry
        self.publications: dict[ChannelRef, Publication] = {}
        self.audiences: dict[frozenset[Publication], Audience] = {}
        self.progress: Mapping[Lane, Progress] = {}
        self._watching: dict[Publication, set[Audience]] = {}
        self._asked: set[ChannelRef] = set()
        self._away: dict[str, int] = {}
        self._slow: set[Viewer] = set()

    def connect(self, reader: DeltaReader, asker: BrokerAsker, answer: Answer) -> None:
        """Give it what needs it to be made first."""
        self._reader, self._asker, self._answer = reader, asker, answer

    @property
    def broker_down_since(self) -> int:
        """Since when the broker does not answer, 0 where it does."""
        return min(self._away.values(), default=0)

    @property
    def slow_viewers(self) -> int:
        """How many could not take something within the last seconds."""
        return len(self._slow)

    # Subscriptions -------------------------------------------------------------------------------

    def want(self, ref: ChannelRef) -> Publication:
        """The channel's publication; the first to want it makes it be read."""
        publication = self.publications.get(ref)
        if publication is None:
            publication = self.publications[ref] = Publication(ref, self._clock)
            self._watching[publication] = set()
            self._ask(ref)
        return publication

    def subscribe(self, viewer: Viewer, wanted: Mapping[Publication, Position | None]) -> None:
        """Replace what a viewer gets. A position counts only for a channel that it did not have."""
        had = viewer.positions()
        positions: dict[Publication, Position | None] = {}
        for publication, asked in wanted.items():
            if publication not in had:
                positions[publication] = asked
            else:
                positions[publication] = had[publication]
        lag = Lag(positions, [publication for publication in wanted if publication not in had])
        lag.forced.update(publication for publication, asked in wanted.items() if asked is None and publication in had)
        self.leave(viewer)
        self._join(viewer, lag)
        self.serve(viewer)
        self._answer(viewer)

    def welcome(self, viewer: Viewer) -> None:
        """A viewer without a subscription yet: it gets heartbeats."""
        self._join(viewer, Lag({}))
        self._catch_up(viewer)

    def _join(self, viewer: Viewer, lag: Lag) -> None:
        channels = frozenset(lag.positions)
        audience = self.audiences.get(channels)
        if audience is None:
            audience = self.audiences[channels] = Audience(channels)
            for publication in channels:
                self._watching[publication].add(audience)
        viewer.audience, viewer.lag = audience, lag
        audience.lagging.add(viewer)

    def leave(self, viewer: Viewer) -> None:
        """Take a viewer out; the last one of a subscription set takes the set with it."""
        audience, viewer.audience, viewer.lag = viewer.audience, None, None
        if audience is None:
            return
        audience.ready.pop(viewer.link, None)
        audience.lagging.discard(viewer)
        if audience.empty and self.audiences.get(audience.channels) is audience:
            del self.audiences[audience.channels]
            for publication in audience.channels:
                self._watching[publication].discard(audience)
                publication.idle_since = time.monotonic()

    def depart(self, viewer: Viewer) -> None:
        """A viewer is gone."""
        self.leave(viewer)
        self._forget_pace(viewer)

    # One viewer at a time ------------------------------------------------------------------------

    def serve(self, viewer: Viewer) -> bool:
        """Write what a lagging viewer is owed, as far as its socket takes it; True where a new channel owed nothing."""
        lag = viewer.lag
        if lag is None or viewer.link.busy:
            return False
        nothing_to_replay, written = False, 0
        for publication in list(lag.positions):
            wrote = self._bring_up(viewer, lag, publication)
            written += wrote
            if viewer.link.busy or viewer.lag is not lag:
                break
            if publication in lag.fresh and publication.position is not None and publication not in lag.asked:
                lag.fresh.discard(publication)
                nothing_to_replay |= not wrote
        if viewer.pace is not None:
            viewer.pace.writes += written > 0
        elif viewer.lag is lag and lag.at_head:
            self._catch_up(viewer)
        return nothing_to_replay

    def _bring_up(self, viewer: Viewer, lag: Lag, publication: Publication) -> bool:
        """Write one channel's frames; True where there were any."""
        wrote = False
        if publication in lag.fresh and self._fetches_range(lag, publication):
            return False
        while (step := self._next_step(lag, publication)) is not None:
            if step.is_snapshot and not can(viewer.principal, "view", publication.name):
                self._turn_away(viewer, publication)
                return False
            del lag.positions[publication]  # to the end: next time the other channels come first
            lag.positions[publication] = step.position
            wrote = True
            self._count(step)
            if not self._sockets.send(viewer.link, step.frame):
                break
        return wrote

    def _next_step(self, lag: Lag, publication: Publication) -> Step | None:
        if publication in lag.forced and publication.position is not None:
            lag.forced.discard(publication)
            return publication.snapshot()
        return publication.next_step(lag.positions[publication])

    def _fetches_range(self, lag: Lag, publication: Publication) -> bool:
        """Whether the deltas to recover from are being fetched from the broker, which is asked once."""
        if publication in lag.asked:
            return True
        position = lag.positions[publication]
        if position is None or not publication.lacks_range(position):
            return False
        lag.asked.add(publication)
        self._asker.ask_range(publication.ref, position.seq)
        return True

    def _turn_away(self, viewer: Viewer, publication: Publication) -> None:
        """A viewer that may not see the channel any more: it is told the same as of one that does not exist."""
        remaining = {p: position for p, position in viewer.positions().items() if p is not publication}
        lag = Lag(remaining, viewer.lag.fresh - {publication} if viewer.lag is not None else ())
        self.leave(viewer)
        self._join(viewer, lag)
        self._sockets.send_beside(viewer.link, Frame(unknown_channel(publication.name)).plain)
        self.serve(viewer)

    def _catch_up(self, viewer: Viewer) -> None:
        """At head of everything: it gets the shared writes from now on."""
        audience = viewer.audience
        if audience is not None:
            viewer.lag = None
            audience.lagging.discard(viewer)
            audience.ready[viewer.link] = None

    def held(self, viewer: Viewer) -> None:
        """The socket takes no more: from here the viewer is owed, from where everybody at head stands."""
        now = time.monotonic()
        if viewer.pace is None:
            viewer.pace = Pace(now)
            self._slow.add(viewer)
        viewer.pace.held_at = now
        self._set_apart(viewer, {})

    def _forget_pace(self, viewer: Viewer) -> None:
        self._slow.discard(viewer)
        viewer.pace = None

    def _set_apart(self, viewer: Viewer, stand: Mapping[Publication, Position]) -> None:
        audience = viewer.audience
        if audience is not None and viewer.lag is None:
            viewer.lag = Lag({p: stand.get(p, p.written) for p in audience.channels})
            audience.ready.pop(viewer.link, None)
            audience.lagging.add(viewer)

    # From the broker -----------------------------------------------------------------------------

    def deltas_came(self, deltas: Sequence[StoredDelta]) -> None:
        """Fold, encode once, and write: all channels of one read in one write a viewer."""
        before: dict[Publication, Position] = {}
        for delta in deltas:
            publication = self.publications.get(delta.ref)
            if publication is None or (here := publication.position) is None:
                continue
            outcome = publication.add(delta)
            if outcome is Outcome.ADDED:
                before.setdefault(publication, here)
            elif outcome is Outcome.GAP:
                self._reload(publication, before.pop(publication, publication.written))
        self._publish(before)
        for publication in before:
            publication.fold()
        self._observe([delta for delta in deltas if self._is_sent(delta, before)])

    def _publish(self, before: Mapping[Publication, Position]) -> None:
        frames: dict[Publication, Frame] = {}
        for publication, position in before.items():
            step = publication.next_step(position)
            if step is not None and step.is_snapshot:
                self._resync(publication, before)
            elif step is not None:
                frames[publication] = step.frame
        joined: dict[tuple[Publication, ...], Writable] = {}
        for audience in self._audiences_of(before):
            touched = tuple(publication for publication in frames if publication in audience.channels)
            if touched and audience.ready:
                if touched not in joined:
                    joined[touched] = join([frames[publication] for publication in touched])
                self._telemetry.count("frames", len(touched) * len(audience.ready))
                self._sockets.send_all(list(audience.ready), joined[touched])
            self._serve_lagging(audience)

    def _audiences_of(self, publications: Iterable[Publication]) -> list[Audience]:
        return list({audience: None for p in publications for audience in self._watching.get(p, ())})

    def _serve_lagging(self, audience: Audience) -> None:
        for viewer in list(audience.lagging):
            if viewer.link.busy and viewer.pace is not None:
                viewer.pace.skipped += 1
            elif self.serve(viewer):
                self._answer(viewer)

    def _resync(self, publication: Publication, stand: Mapping[Publication, Position]) -> None:
        """Viewers at head are served one by one; on the channels in `stand` they are not at head any more."""
        for audience in self._watching[publication]:
            for link in list(audience.ready):
                self._set_apart(owner_of(link), stand)

    def _reload(self, publication: Publication, written: Position) -> None:
        """What is here cannot be proven right: read the channel anew, then everybody gets a snapshot."""
        self._telemetry.count("resyncs")
        publication.unload()
        publication.written = written
        self._ask(publication.ref)

    def _ask(self, ref: ChannelRef) -> None:
        if ref not in self._asked:
            self._asked.add(ref)
            self._asker.ask_channel(ref)

    def channel_came(self, ref: ChannelRef, stored: StoredChannel) -> None:
        """Take over a channel that is new here, or has another epoch; else its deltas are on their way."""
        self._asked.discard(ref)
        publication = self.publications.get(ref)
        if publication is None:
            return
        here, before = publication.position, publication.written
        if stored.position is None and before != UNWRITTEN:
            return  # an empty broker without a worker yet: the last values stay
        if here is not None and stored.position is not None and stored.position.epoch == here.epoch:
            return
        publication.load(stored)
        self._reader.follow(ref, publication.written.seq)
        self._asker.wake_reader()
        if before != publication.written:
            self._resync(publication, {publication: before})
        for audience in self._audiences_of([publication]):
            self._serve_lagging(audience)

    def range_came(self, ref: ChannelRef, deltas: Sequence[StoredDelta]) -> None:
        """Older deltas: whoever asked goes on from them, or gets a snapshot where they do not reach."""
        publication = self.publications.get(ref)
        if publication is None:
            return
        publication.extend_back(deltas)
        for audience in self._audiences_of([publication]):
            for viewer in audience.lagging:
                if viewer.lag is not None and publication in viewer.lag.asked:
                    viewer.lag.asked.discard(publication)
                    if publication.lacks_range(viewer.lag.positions[publication]):
                        viewer.lag.forced.add(publication)
            self._serve_lagging(audience)

    def progress_came(self, progress: Mapping[Lane, Progress]) -> None:
        """Keep it for the heartbeats; a lane of another epoch makes its channels be read anew."""
        self.progress = progress
        for ref, publication in self.publications.items():
            lane = progress.get(ref.lane)
            if lane is not None and publication.written.epoch != lane.epoch:
                self._ask(ref)

    def broker_went(self, who: str, detail: str) -> None:
        """Note since when; viewers keep what they have."""
        self._away[who] = self._clock()

    def broker_returned(self, who: str) -> None:
        """It may be another one, or an empty one: compare every channel."""
        self._away.pop(who, None)
        for ref in self.publications:
            self._ask(ref)

    # From time to time ---------------------------------------------------------------------------

    def tidy(self) -> None:
        """Let go of channels that nobody watches, of patience with those ahead, and of paces long past."""
        now = time.monotonic()
        for ref, publication in list(self.publications.items()):
            if not self._watching[publication] and now - publication.idle_since > KEEP_IDLE_S:
                self._reader.forget(ref)
                del self.publications[ref], self._watching[publication]
        for audience in list(self.audiences.values()):
            for viewer in list(audience.lagging):
                self._lose_patience(viewer, now)
        for viewer in list(self._slow):
            if not viewer.link.busy and viewer.pace is not None and now - viewer.pace.held_at > PACE_KEPT_S:
                self._forget_pace(viewer)
                self.serve(viewer)

    def _lose_patience(self, viewer: Viewer, now: float) -> None:
        lag = viewer.lag
        if lag is None or viewer.link.busy or now - lag.since < AHEAD_PATIENCE_S:
            return
        for publication, position in lag.positions.items():
            here = publication.position
            if here is not None and position is not None and position.epoch == here.epoch and position.seq > here.seq:
                lag.forced.add(publication)
        self.serve(viewer)

    def _count(self, step: Step) -> None:
        self._telemetry.count("frames")
        if step.deltas != 1:
            self._telemetry.count("snapshots" if step.is_snapshot else "merged")

    def _is_sent(self, delta: StoredDelta, before: Mapping[Publication, Position]) -> bool:
        publication = self.publications.get(delta.ref)
        return publication is not None and publication in before and bool(self._watching[publication])

    def _observe(self, deltas: Sequence[StoredDelta]) -> None:
        sent = self._clock()
        for delta in deltas:
            waited_s = max(0, sent - delta.times.processed) / 1000
            self._telemetry.observe("processed_to_sent", waited_s, delta.times.events)


def unknown_channel(name: str) -> bytes:
    """The answer for a channel that does not exist, and for one that this viewer may not know."""
    return error("unknown_channel", f"there is no channel {name!r}", name)


def owner_of(link: Link) -> Viewer:
    """The viewer of a link."""
    viewer = link.owner
    if not isinstance(viewer, Viewer):
        raise TypeError(f"a link of the gateway belongs to a viewer, not to {viewer!r}")
    return viewer
