"""Delivery: brings what the broker says to the viewers; who gets which frame, and when.

Viewers at head share one write for all channels of a read. The others hold positions and are brought
up one by one, in turn, when their socket takes more, so no queue can grow.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping, Sequence

from services.accounts import can
from services.broker import StoredChannel, StoredDelta
from services.declare import ChannelRef, Lane
from services.freshness import Progress
from services.gateway.audiences import Audiences
from services.gateway.frames import Frame, Writable, join
from services.gateway.observing import Observer
from services.gateway.publications import UNWRITTEN, Outcome, Publication, Step
from services.gateway.reading import BrokerAsker, DeltaReader
from services.gateway.sockets import Sockets
from services.gateway.turns import Turns
from services.gateway.viewers import Audience, Lag, Pace, Poll, Viewer, owner_of
from services.messages import unknown_channel
from services.positions import Clock, Position
from services.telemetry import Telemetry

KEEP_IDLE_S = 30.0
"""A channel without viewers is read on for this long: whoever changes page and returns finds it ready."""
AHEAD_PATIENCE_S = 1.0
"""How long a viewer that is ahead of this process waits for it; then it gets a snapshot."""
PACE_KEPT_S = 5.0

ToOne = Callable[[Viewer], None]


class Delivery:
    """Publications and audiences of this process; called in the loop's thread only."""

    def __init__(self, sockets: Sockets, clock: Clock, telemetry: Telemetry) -> None:
        self._sockets, self._clock, self._telemetry = sockets, clock, telemetry
        self.publications: dict[ChannelRef, Publication] = {}
        self.audiences = Audiences()
        self.progress: Mapping[Lane, Progress] = {}
        self._asked: set[ChannelRef] = set()
        self._turns = Turns()
        self._away: dict[str, int] = {}
        self._observer = Observer(telemetry, clock)
        self._slow: set[Viewer] = set()

    def connect(
        self, reader: DeltaReader, asker: BrokerAsker, *, beat: ToOne, answer_poll: ToOne, review: Callable[[], None]
    ) -> None:
        """Give it what needs it to be made first. `review` is called before anything is fanned out."""
        self._reader, self._asker = reader, asker
        self._beat, self._answer_poll, self._review = beat, answer_poll, review

    @property
    def broker_down_since(self) -> int:
        """Since when the broker does not answer, 0 where it does."""
        return min(self._away.values(), default=0)

    @property
    def slow_viewers(self) -> Collection[Viewer]:
        """Who could not take something within the last seconds."""
        return self._slow

    # Subscriptions -------------------------------------------------------------------------------

    def want(self, ref: ChannelRef) -> Publication:
        """The channel's publication; the first to want it makes it be read."""
        publication = self.publications.get(ref)
        if publication is None:
            publication = self.publications[ref] = Publication(ref, self._clock)
            self.audiences.know(publication)
            self._ask(ref)
        return publication

    def measure_always(self, refs: Collection[ChannelRef]) -> None:
        """Channels with an objective are read also while nobody watches them: what is not measured counts as bad."""
        self._observer.always = frozenset(refs)
        for ref in refs:
            self.want(ref)

    def subscribe(self, viewer: Viewer, wanted: Mapping[Publication, Position | None]) -> None:
        """Replace what a viewer gets. A position counts only for a channel that it did not have."""
        had = viewer.positions()
        positions: dict[Publication, Position | None] = {}
        for publication, asked in wanted.items():
            positions[publication] = had.get(publication, asked)
        lag = Lag(positions, [publication for publication in wanted if publication not in had])
        lag.forced.update(publication for publication, asked in wanted.items() if asked is None and publication in had)
        lag.heard = False
        for publication in (fresh for fresh in lag.fresh if fresh.may_be_overtaken(positions[fresh])):
            lag.asked.add(publication)
            self._ask(publication.ref)
        self.audiences.leave(viewer)
        self.audiences.join(viewer, lag)
        self._turns.add(viewer)

    def welcome(self, viewer: Viewer) -> None:
        """A viewer without a subscription yet: it gets heartbeats."""
        self.audiences.join(viewer, Lag({}))
        self._catch_up(viewer)

    def depart(self, viewer: Viewer) -> None:
        """A viewer is gone."""
        self.audiences.leave(viewer)
        self._turns.discard(viewer)
        self._forget_pace(viewer)

    # One viewer at a time ------------------------------------------------------------------------

    def is_reading_for(self, viewer: Viewer) -> bool:
        """Whether something that the viewer asked for is being read from the broker."""
        lag = viewer.lag
        return lag is not None and (bool(lag.asked) or any(p.position is None for p in lag.positions))

    def serve_soon(self, viewer: Viewer) -> None:
        """Serve it in its turn, after those who came before and with what there is by then."""
        self._turns.add(viewer)

    def take_turns(self) -> bool:
        """Serve those whose turn it is, for a bounded while; True where others have to wait for the next round."""
        return self._turns.take(self._serve_in_turn)

    def _serve_in_turn(self, viewer: Viewer) -> None:
        if self.serve(viewer) and viewer.audience is not None and viewer.poll is None:
            self._beat(viewer)

    def serve(self, viewer: Viewer) -> bool:
        """Write what a lagging viewer is owed, as far as its socket takes it; True where a heartbeat has to follow."""
        lag = viewer.lag
        if lag is None or viewer.link.busy:
            return False
        if viewer.poll is not None and self._poll_waits(viewer.poll, lag):
            viewer.poll.waiting = True
            return False
        nothing_to_replay, written = not lag.heard, 0
        lag.heard = True
        for publication in list(lag.positions):
            wrote = self._bring_up(viewer, lag, publication)
            written += wrote
            if viewer.link.busy or viewer.lag is not lag:
                break
            if publication in lag.fresh and publication.position is not None and publication not in lag.asked:
                lag.fresh.discard(publication)
                nothing_to_replay |= not wrote
        if viewer.poll is not None:
            if viewer.poll.frames or viewer.poll.refusals:
                self._answer_poll(viewer)
        elif viewer.pace is not None:
            viewer.pace.writes += written > 0
        elif viewer.lag is lag and lag.at_head:
            self._catch_up(viewer)
        return nothing_to_replay

    def _poll_waits(self, poll: Poll, lag: Lag) -> bool:
        """Whether it is not answered yet: for the sake of all, or, a moment, for what is still being read."""
        now = time.monotonic()
        if now < poll.not_before:
            return True
        pending = [p for p in lag.positions if p.position is None or self._fetches_range(lag, p)]
        return now < poll.patient_until and (bool(pending) or bool(poll.refusals))

    def _bring_up(self, viewer: Viewer, lag: Lag, publication: Publication) -> bool:
        """Write one channel's frames; True where there were any."""
        wrote = False
        if publication in lag.fresh and self._fetches_range(lag, publication):
            return False
        while (step := self._next_step(lag, publication)) is not None:
            if step.is_snapshot and not can(viewer.principal, "view", publication.name):
                self.turn_away(viewer, publication)
                return False
            del lag.positions[publication]  # to the end: next time the other channels come first
            lag.positions[publication] = step.position
            wrote = True
            self._count(step)
            if viewer.poll is not None:
                viewer.poll.frames.append(step.frame)
            elif not self._sockets.send(viewer.link, step.frame):
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
        if publication in lag.forced:
            return False  # the broker does not have them any more
        position = lag.positions[publication]
        if position is None or not publication.lacks_range(position):
            return False
        lag.asked.add(publication)
        self._asker.ask_range(publication.ref, position.seq)
        return True

    def turn_away(self, viewer: Viewer, publication: Publication) -> None:
        """A viewer that may not see the channel any more: it is told the same as of one that does not exist."""
        remaining = {p: position for p, position in viewer.positions().items() if p is not publication}
        lag = Lag(remaining, viewer.lag.fresh - {publication} if viewer.lag is not None else ())
        self.audiences.leave(viewer)
        self.audiences.join(viewer, lag)
        self.refuse(viewer, unknown_channel(publication.name))
        self._turns.add(viewer)

    def refuse(self, viewer: Viewer, refusal: bytes) -> None:
        """Tell a viewer what it does not get."""
        if viewer.poll is not None:
            viewer.poll.refusals.append(refusal)
        else:
            self._sockets.send_beside(viewer.link, Frame(refusal).plain)

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
        self._review()
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
        sent = ((self.publications.get(one.ref), one) for one in deltas)
        always, watching = self._observer.always, self.audiences.watching
        self._observer.sent((p, one) for p, one in sent if p in before and (p.ref in always or watching(p)))

    def _publish(self, before: Mapping[Publication, Position]) -> None:
        frames: dict[Publication, Frame] = {}
        for publication, position in before.items():
            step = publication.next_step(position)
            if step is not None and step.is_snapshot:
                self._resync(publication, before)
            elif step is not None:
                frames[publication] = step.frame
        joined: dict[tuple[Publication, ...], Writable] = {}
        for audience in self.audiences.of(before):
            touched = tuple(publication for publication in frames if publication in audience.channels)
            if touched and audience.ready:
                if touched not in joined:
                    joined[touched] = join([frames[publication] for publication in touched])
                self._telemetry.count("frames", len(touched) * len(audience.ready))
                self._sockets.send_all(list(audience.ready), joined[touched])
            self._serve_lagging(audience)

    def _serve_lagging(self, audience: Audience) -> None:
        for viewer in list(audience.lagging):
            if viewer.link.busy and viewer.pace is not None:
                viewer.pace.skipped += 1
            else:
                self._turns.add(viewer)

    def _resync(self, publication: Publication, stand: Mapping[Publication, Position]) -> None:
        """Viewers at head are served one by one; on the channels in `stand` they are not at head any more."""
        for audience in list(self.audiences.watching(publication)):
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
        """Take over a channel that is new here, or has another epoch; who came with an unknown one waited for it."""
        self._asked.discard(ref)
        publication = self.publications.get(ref)
        if publication is None:
            return
        here, before = publication.position, publication.written
        if stored.position is None and before != UNWRITTEN:
            return  # an empty broker without a worker yet: the last values stay
        if here is None or stored.position is None or stored.position.epoch != here.epoch:
            publication.load(stored)
            self._reader.follow(ref, publication.written.seq)
            self._asker.wake_reader()
            if before != publication.written:
                self._resync(publication, {publication: before})
        for audience in self.audiences.of([publication]):
            for lag in (viewer.lag for viewer in audience.lagging if viewer.lag is not None):
                publication.note_former(lag.positions[publication])
                lag.asked.discard(publication)
            self._serve_lagging(audience)

    def range_came(self, ref: ChannelRef, deltas: Sequence[StoredDelta]) -> None:
        """Older deltas: whoever asked goes on from them, or gets a snapshot where they do not reach."""
        publication = self.publications.get(ref)
        if publication is None:
            return
        publication.extend_back(deltas)
        for audience in self.audiences.of([publication]):
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
        """Fold what came; let go of channels that nobody watches, of patience with those ahead, of paces long past."""
        now = time.monotonic()
        for ref, publication in list(self.publications.items()):
            publication.fold()
            self._telemetry.count("snapshots_encoded", publication.take_encoded())
            idle = not self.audiences.watching(publication) and now - publication.idle_since > KEEP_IDLE_S
            if idle and ref not in self._observer.always:
                self._reader.forget(ref)
                self.audiences.forget(publication)
                del self.publications[ref]
        for audience in self.audiences:
            for viewer in list(audience.lagging):
                self._lose_patience(viewer, now)
        for viewer in list(self._slow):
            if not viewer.link.busy and viewer.pace is not None and now - viewer.pace.held_at > PACE_KEPT_S:
                self._forget_pace(viewer)
                self._turns.add(viewer)

    def _lose_patience(self, viewer: Viewer, now: float) -> None:
        lag = viewer.lag
        if lag is None or viewer.link.busy or now - lag.since < AHEAD_PATIENCE_S:
            return
        for publication, position in lag.positions.items():
            here = publication.position
            if here is not None and position is not None and position.epoch == here.epoch and position.seq > here.seq:
                lag.forced.add(publication)
        self._turns.add(viewer)

    def _count(self, step: Step) -> None:
        self._telemetry.count("frames")
        if step.deltas != 1:
            self._telemetry.count("snapshots" if step.is_snapshot else "merged")
