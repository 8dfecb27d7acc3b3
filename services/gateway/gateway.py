"""Gateway: the server end of every viewer's socket; who it is, what it asks, and how much it may.

The public face. `start`, `adopt`, `snapshot`, `standings` and `stop` may be called from any thread; all
else happens in the loop's thread. Frames and descriptors are `sockets`, channels `delivery`.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from typing import Any, NamedTuple, TypeVar

import structlog
from simple_websocket import Server

from services.accounts import SETTLED, Grants, Principal, can
from services.broker import Broker, BrokerDown
from services.declare import ChannelRef, Declarations
from services.freshness import Verdict
from services.gateway.admission import Admission, GatewayLimits
from services.gateway.delivery import Delivery
from services.gateway.frames import Frame
from services.gateway.handover import (
    SOCK_SERVER_OPTIONS,
    CannotHandOver,
    HandedOver,
    NoThread,
    hand_over,
    settle_deflate,
    take_request,
)
from services.gateway.heartbeats import Heartbeats
from services.gateway.inbound import Received
from services.gateway.links import Link
from services.gateway.polls import Polls, Wish, farewell
from services.gateway.publications import Publication
from services.gateway.reading import BrokerAsker, DeltaReader
from services.gateway.review import Review
from services.gateway.sockets import Sockets
from services.gateway.viewers import Viewer, owner_of
from services.messages import (
    BadMessage,
    Close,
    Hush,
    Ping,
    Report,
    Subscribe,
    error,
    hello,
    pong,
    read_viewer_message,
    unknown_channel,
)
from services.positions import Clock, Position, wall_clock
from services.telemetry import Telemetry

__all__ = [
    "SOCK_SERVER_OPTIONS", "CannotHandOver", "Gateway", "GatewayLimits", "NoThread", "Standing", "Wish",
    "settle_deflate",
]

ANSWER_WITHIN_S = 2.0
SLOW_NAMED = 20
READS_END_WITHIN_S = 0.6
T = TypeVar("T")

log = structlog.get_logger("gateway")


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a channel stands in this process; `position` is None for one that nobody here watches."""

    verdict: Verdict
    position: Position | None
    event_at: int
    backlog: int


class Arrival(NamedTuple):
    """Who comes, from where, and what it polls for if it does."""

    principal: Principal
    address: str
    wish: Wish | None = None


OnReport = Callable[[str, Principal, Mapping[str, Any]], None]
"""Takes a viewer's id, its principal and its report; called in the loop's thread, so it must be quick."""


class Gateway:
    """All viewers of this process. Make it anywhere; `start` it in the process that serves, after a fork."""

    def __init__(
        self, broker: Broker, declarations: Declarations, telemetry: Telemetry, clock: Clock = wall_clock, *,
        limits: GatewayLimits | None = None, on_viewer_report: OnReport | None = None, grants: Grants = SETTLED,
        measured: Collection[ChannelRef] = (),
    ) -> None:
        self._broker, self._declarations, self._telemetry, self._clock = broker, declarations, telemetry, clock
        self.limits = limits or GatewayLimits()
        self._on_report, self._measured = on_viewer_report, measured
        self._sockets = Sockets(self, self.limits.sockets)
        self._delivery = Delivery(self._sockets, clock, telemetry)
        self._heartbeats = Heartbeats(self._delivery, self._sockets, clock, self.limits.heartbeat_s)
        self._reader = DeltaReader(broker, self._sockets.call, self._delivery)
        self._asker = BrokerAsker(
            broker, self._sockets.call, self._delivery, declarations.lanes(), self._reader, self._heartbeats.paused_came
        )
        self._polls = Polls(self._delivery, self._sockets, self._heartbeats)
        self._admission = Admission(self.limits)
        self._grants = grants
        self._review = Review(grants, self._admission, self._delivery, self._sockets)
        self._delivery.connect(
            self._reader, self._asker, beat=self._heartbeats.beat, answer_poll=self._polls.answer,
            review=self._review.run,
        )
        self._counted_bytes = 0
        self._starting, self._pid, self._stopped = threading.Lock(), 0, False

    # From any thread -----------------------------------------------------------------------------

    def start(self) -> None:
        """Start the threads; once a process, again it does nothing."""
        with self._starting:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._sockets.start()
            self._reader.start()
            self._asker.start()
            self._sockets.call(lambda: self._delivery.measure_always(self._measured))

    def adopt(self, ws: Server, principal: Principal, address: str = "") -> None:
        """Take over a socket whose handshake is done: the last statement of the flask-sock handler."""
        self.start()
        if self._stopped:
            ws.close(Close.RESTART.code, Close.RESTART.reason)
            return
        try:
            self._sockets.adopt(hand_over(ws), Arrival(principal, address))
        except CannotHandOver as refusal:
            log.warning("socket refused", reason=str(refusal))
            ws.close(Close.INTERNAL.code, str(refusal))

    def park(self, environ: Mapping[str, Any], principal: Principal, address: str, wish: Wish) -> None:
        """Take over the connection of a long poll, whose request is read; it is answered from the loop.

        Raises CannotHandOver, with nothing taken; nothing may be written to the connection otherwise.
        """
        self.start()
        if self._stopped:
            raise CannotHandOver("restarting; poll again")
        taken = HandedOver(take_request(environ), deflate=False, shared_frames=False, keeps_window=False)
        self._sockets.adopt(taken, Arrival(principal, address, wish), farewell)

    def snapshot(self, ref: ChannelRef) -> bytes:
        """The channel's snapshot frame as JSON. Raises BrokerDown where it is neither here nor to be had."""
        try:
            held = self._in_loop(lambda: self._held_snapshot(ref)) if self._pid == os.getpid() else None
        except TimeoutError:
            held = None
        if held is not None:
            return held
        publication = Publication(ref, self._clock)
        publication.load(self._broker.read_channel(ref))
        return publication.snapshot().frame.payload

    def standings(self) -> dict[str, Standing]:
        """Freshness and position of every declared channel, and of every watched partition, by name."""
        self.start()
        try:
            return self._in_loop(self._standings)
        except TimeoutError as error:
            raise BrokerDown("the gateway's loop does not answer") from error

    def begin_stop(self, close: Close = Close.RESTART) -> None:
        """Close every socket with the code, now and without waiting: a signal's handler may call it."""
        self._stopped = True
        self._sockets.begin_stop(close)

    def stop(self, close: Close = Close.RESTART) -> None:
        """Close every socket with the code and end the threads; returns within about two seconds."""
        self._stopped = True
        if self._pid != os.getpid():
            return
        self._reader.stop()
        self._asker.stop()
        self._sockets.stop(close)
        self._reader.join(READS_END_WITHIN_S)
        self._asker.join(READS_END_WITHIN_S)

    def _in_loop(self, ask: Callable[[], T]) -> T:
        """Run in the loop's thread and wait for the answer. Raises TimeoutError."""
        answer: Future[T] = Future()

        def act() -> None:
            try:
                answer.set_result(ask())
            except Exception as fault:
                answer.set_exception(fault)

        self._sockets.call(act)
        return answer.result(ANSWER_WITHIN_S)

    # In the loop's thread ------------------------------------------------------------------------

    def _held_snapshot(self, ref: ChannelRef) -> bytes | None:
        publication = self._delivery.publications.get(ref)
        if publication is None or publication.position is None:
            return None
        return publication.snapshot().frame.payload

    def _standings(self) -> dict[str, Standing]:
        here = self._delivery.publications
        refs = [ChannelRef(channel) for channel in self._declarations.channels.values() if channel.partition is None]
        return {ref.name: self._standing(ref, here.get(ref)) for ref in {**dict.fromkeys(refs), **here}}

    def _standing(self, ref: ChannelRef, publication: Publication | None) -> Standing:
        progress = self._delivery.progress.get(ref.lane)
        if publication is None:
            publication = Publication(ref, self._clock)
            publication.event_at = progress.event_at if progress is not None else 0
        return Standing(
            self._heartbeats.judge(publication), publication.position, publication.event_at,
            progress.backlog if progress is not None else 0,
        )

    def opened(self, link: Link) -> None:
        """A viewer arrived: greet it or park its poll, unless there are too many already."""
        arrival: Arrival = link.owner
        poll = None if arrival.wish is None else self._polls.new_poll(arrival.wish)
        principal = self._grants.renewed(arrival.principal)  # what changed since its request was let through
        viewer = link.owner = Viewer(os.urandom(6).hex(), link, principal or arrival.principal, arrival.address, poll)
        refusal = self._admission.enter(viewer) if principal is not None else self._turn_away(viewer)
        if refusal is not None:
            self._telemetry.count("refused_viewers")
            self._sockets.close(link, refusal)
        elif poll is not None and arrival.wish is not None:
            self._telemetry.count("polls")
            self._polls.park(viewer, poll)
            self._delivery.subscribe(viewer, self._allowed(viewer, arrival.wish.asked.channels))
        else:
            greeting = hello(server_time=self._clock(), heartbeat_s=self.limits.heartbeat_s, viewer=viewer.id)
            self._sockets.send(link, Frame(greeting))
            self._delivery.welcome(viewer)
            log.info("viewer opened", viewer=viewer.id, principal=viewer.principal.name)

    def _turn_away(self, viewer: Viewer) -> Close:
        self._admission.enter(viewer)
        return Close.SIGNED_OUT

    def received(self, link: Link, message: Received) -> None:
        """A viewer said something."""
        viewer = owner_of(link)
        try:
            said = read_viewer_message(message.payload)
        except BadMessage as fault:
            self._sockets.send_beside(link, Frame(error("bad_message", str(fault))).plain)
            self._sockets.close(link, Close.BAD_MESSAGE, str(fault))
            return
        match said:
            case Ping(t):
                self._sockets.send_beside(link, Frame(pong(t, server_time=self._clock())).plain)
            case Subscribe(channels):
                self._delivery.subscribe(viewer, self._allowed(viewer, channels))
            case Hush(for_s):
                link.quiet_until = time.monotonic() + for_s
                self._delivery.depart(viewer)
            case Report(body):
                if self._on_report is not None:
                    self._on_report(viewer.id, viewer.principal, body)

    def _allowed(
        self, viewer: Viewer, channels: Mapping[str, Position | None]
    ) -> dict[Publication, Position | None]:
        """The channels that exist and that the viewer may see; each of the others is answered by an error."""
        allowed: dict[Publication, Position | None] = {}
        followed, limit = self._delivery.publications, self.limits.channels_max
        for name, position in channels.items():
            ref = self._declarations.resolve(name)
            if ref is None or not can(viewer.principal, "view", ref.name):
                refusal = self._unknown(viewer, name)
            elif ref not in followed and len(followed) >= limit:
                refusal = error("too_many", f"{limit} channels are followed here; try again later", name)
            else:
                allowed[self._delivery.want(ref)] = position
                continue
            self._delivery.refuse(viewer, refusal)
        return allowed

    def _unknown(self, viewer: Viewer, name: str) -> bytes:
        """What is said of a channel that is not there, or not for this viewer; of a retired one what took its place."""
        gone = self._declarations.retirement(name)
        told = gone is not None and can(viewer.principal, "view", name)
        return error("unknown_channel", gone.in_words(), name) if gone is not None and told else unknown_channel(name)

    def held(self, link: Link) -> None:
        """A viewer takes less than it is given."""
        self._delivery.held(owner_of(link))

    def drained(self, link: Link) -> None:
        """A slow viewer takes more again: the heartbeat that it missed, and one merged frame a channel."""
        viewer = owner_of(link)
        self._heartbeats.beat_if_overdue(viewer)
        self._delivery.serve_soon(viewer)

    def closed(self, link: Link) -> None:
        """A viewer is gone."""
        if isinstance(link.owner, Arrival):
            return  # it was not let in yet
        viewer = owner_of(link)
        self._delivery.depart(viewer)
        self._polls.leave(viewer)
        self._admission.leave(viewer)
        if viewer.poll is None:
            log.info("viewer closed", viewer=viewer.id, principal=viewer.principal.name)

    def rested(self) -> bool:
        """After each round of the loop: serve single viewers in turn."""
        return self._delivery.take_turns()

    def ticked(self) -> None:
        """Four times a second."""
        self._review.run()
        self._delivery.tidy()
        self._heartbeats.tick()
        self._polls.tick()
        sent_bytes, self._counted_bytes = self._sockets.sent_bytes - self._counted_bytes, self._sockets.sent_bytes
        self._telemetry.count("sent_bytes", sent_bytes)
        self._telemetry.gauge("viewers", len(self._admission) - len(self._polls))
        self._telemetry.gauge("parked_polls", len(self._polls))
        slow, now = self._delivery.slow_viewers, time.monotonic()
        self._telemetry.gauge("slow_viewers", len(slow))
        self._telemetry.name_slow([viewer.slowness(now) for viewer in islice(slow, SLOW_NAMED)])
        self._telemetry.gauge("volleys", int(self._sockets.in_volleys))
