"""Sockets: the one owner of descriptors. One thread a process writes, reads and closes all of them.

Knows nothing of channels: it tells a `Listener` what happened, and writes what it is given. Everything
here is called in the loop's thread, save `start`, `call`, `adopt` and `stop`; so there are no locks.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Any

import structlog

from services.gateway import tuning
from services.gateway.frames import PING, Opcode, Writable, encode
from services.gateway.handover import HandedOver
from services.gateway.inbound import Fault, Inbound, Received
from services.gateway.links import Farewell, Link, Listener, SocketLimits
from services.gateway.receive import make_receive
from services.gateway.transmit import make_transmit
from services.messages import Close

TICK_S = 0.25
ROUND_LINKS = 256
"""Links served in one round at most: then those at head get what came meanwhile, before the others go on."""
FAN_LINKS = 256
"""Links written to without a pause for other threads: about 2 ms. A fan-out is not cut into slices of the interpreter's
switch interval, each of which it would wait for again; HTTP waits no longer than that."""
PINGS_MIN, PINGS_SHARE = 16, 6
"""Silent links pinged in one tick: a sixth of all, so that everybody has had one within two seconds."""
_CHUNK_BYTES = 262_144
_TAIL_LIMIT_BYTES = 4_096

log = structlog.get_logger(__name__)


class Sockets:
    """The loop and its sockets; `start` it in the process that serves, after any fork."""

    def __init__(self, listener: Listener, limits: SocketLimits) -> None:
        self._listener, self.limits = listener, limits
        self._receive = make_receive()
        self._links: dict[int, Link] = {}
        self._calls: deque[Callable[[], None]] = deque()
        self._pid, self._starting = 0, threading.Lock()
        self._waker: socket.socket | None = None
        self._thread: threading.Thread | None = None
        self._stop_by = 0.0
        self.sent_bytes = 0

    def __len__(self) -> int:
        return len(self._links)

    @property
    def in_volleys(self) -> bool:
        """Whether a fan-out is one system call; settled by `start`."""
        return self._transmit.way == "io_uring"

    # Called from any thread ----------------------------------------------------------------------

    def start(self) -> None:
        """Start the loop's thread; again in the same process it does nothing."""
        with self._starting:
            if self._pid == os.getpid():
                return
            self._pid = os.getpid()
            self._transmit = make_transmit(volleys=self.limits.volleys)
            self._selector = selectors.DefaultSelector()
            self._woken, self._waker = socket.socketpair()
            self._woken.setblocking(False)
            self._waker.setblocking(False)
            self._selector.register(self._woken, selectors.EVENT_READ, None)
            self._thread = threading.Thread(target=self._run, name="gateway-sockets", daemon=True)
            self._thread.start()

    def call(self, act: Callable[[], None]) -> None:
        """Run `act` in the loop's thread, soon and in order."""
        self._calls.append(act)
        if self._waker is not None:
            # Would block: wake-ups enough are under way. Closed: the loop has ended, nobody waits for the call.
            with contextlib.suppress(OSError):
                self._waker.send(b"\0")

    def adopt(self, taken: HandedOver, owner: Any, farewell: Farewell | None = None) -> None:
        """Own a socket from now on. With a `farewell` it is a parked HTTP request, which is only answered."""
        self.call(lambda: self._open(taken, owner, farewell))

    def begin_stop(self, close: Close = Close.RESTART, within_s: float = 1.5) -> None:
        """Close every socket with the code, and let the thread end; does not wait, so that a signal may call it."""
        if self._pid == os.getpid():
            self.call(lambda: self._stop(close, within_s))

    def stop(self, close: Close = Close.RESTART, within_s: float = 1.5) -> None:
        """Close every socket with the code, and end the thread; waits at most about `within_s`."""
        if self._pid != os.getpid() or self._thread is None:
            return
        self.begin_stop(close, within_s)
        if self._thread is not threading.current_thread():
            self._thread.join(within_s + 0.5)

    # Writing -------------------------------------------------------------------------------------

    def send(self, link: Link, frame: Writable) -> bool:
        """Write a frame on a link that is not busy; False where it is busy or gone afterwards."""
        self._sent(link, frame.deflated if link.deflate else frame.plain)
        return link.pending is None and link.fd >= 0

    def send_all(self, links: Sequence[Link], frame: Writable) -> None:
        """Write one frame to many links that are not busy. What does not fit is pending, and `held` is told."""
        for at in range(0, len(links), FAN_LINKS):
            some = links[at : at + FAN_LINKS]
            deflating = [link for link in some if link.deflate]
            if deflating:
                self._send_same(deflating, frame.deflated)
                some = [link for link in some if not link.deflate]
            if some:
                self._send_same(some, frame.plain)

    def _send_same(self, links: Sequence[Link], data: bytes) -> None:
        sent, size = self._transmit.many([link.fd for link in links], data), len(data)
        whole = sent.count(size)
        self.sent_bytes += size * whole
        if whole < len(links):
            for link, taken in zip(links, sent, strict=True):
                if taken != size:
                    self._hold(link, data, taken)

    def _sent(self, link: Link, data: bytes) -> None:
        """Write to one link; what does not fit is pending."""
        sent = self._transmit.one(link.fd, data)
        if sent == len(data):
            self.sent_bytes += sent
        else:
            self._hold(link, data, sent)

    def _hold(self, link: Link, data: bytes, sent: int) -> None:
        """Keep what did not fit. A view on the shared bytes: many slow viewers hold one copy."""
        if sent < 0:
            self._drop(link)
            return
        self.sent_bytes += sent
        link.pending, link.moved = memoryview(data)[sent:], time.monotonic()
        self._selector.modify(link.fd, selectors.EVENT_READ | selectors.EVENT_WRITE, link)
        if link.owner is not None:
            self._listener.held(link)

    def send_beside(self, link: Link, data: bytes) -> None:
        """Write frames that may be left out under pressure (pong, ping, error): behind what is pending, if little."""
        if link.closing:
            return
        if link.pending is None:
            self._sent(link, data)
        elif len(link.tail) + len(data) <= _TAIL_LIMIT_BYTES:
            link.tail += data

    def close(self, link: Link, close: Close, detail: str = "") -> None:
        """Send a close frame and wait a moment for the viewer's, so that the code arrives."""
        if not link.closing:
            self.finish(link, link.farewell(close, detail), self.limits.linger_s)

    def finish(self, link: Link, last: bytes, within_s: float) -> None:
        """Write the last bytes of a link; it has `within_s` to take them and everything that is pending."""
        link.tail = link.tail[:_TAIL_LIMIT_BYTES]
        link.close_by = time.monotonic() + within_s
        self._tell_closed(link)
        if link.pending is not None:
            link.tail += last
            return
        sent = self._transmit.one(link.fd, last)
        if sent == len(last):
            self.sent_bytes += sent
            self._half_close(link)
        else:
            self._hold(link, last, sent)

    def _half_close(self, link: Link) -> None:
        """Everything is said; the viewer answers and ends the connection, or `linger_s` does.

        What it still sends is read until then: closing on unread bytes would reset the connection, and the
        last frame with it.
        """
        link.close_by = time.monotonic() + self.limits.linger_s
        tuning.shut_for_writing(link.fd)

    def _tell_closed(self, link: Link) -> None:
        if link.owner is not None:
            self._listener.closed(link)
            link.owner = None

    def _drop(self, link: Link) -> None:
        if link.fd < 0:
            return
        fd, link.fd = link.fd, -1
        del self._links[fd]
        self._selector.unregister(fd)
        os.close(fd)
        link.pending = None
        self._tell_closed(link)

    # The loop ------------------------------------------------------------------------------------

    def _run(self) -> None:
        next_tick, more = time.monotonic(), False
        self._run_calls()
        while not (self._stop_by and (not self._links or time.monotonic() > self._stop_by)):
            ready = self._selector.select(0.0 if more else max(0.0, next_tick - time.monotonic()))
            if self._calls:
                self._run_calls()  # what the broker said goes before what single viewers ask
            for key, mask in ready[:ROUND_LINKS]:
                if key.data is not None:
                    self._guard(self._serve, key.data, mask)
                if key.data is None or self._calls:
                    self._run_calls()
            if time.monotonic() >= next_tick:
                next_tick = time.monotonic() + TICK_S
                self._sweep()
                self._guard_call(self._listener.ticked)
            more = self._work() or len(ready) > ROUND_LINKS
        self._end()

    def _work(self) -> bool:
        try:
            return self._listener.rested()
        except Exception:
            log.exception("gateway work failed")
            return False

    def _run_calls(self) -> None:
        self._receive(self._woken.fileno())
        while self._calls:
            self._guard_call(self._calls.popleft())

    def _guard_call(self, act: Callable[[], None]) -> None:
        """A fault in one call must not end every viewer's loop."""
        try:
            act()
        except Exception:
            log.exception("gateway call failed")

    def _guard(self, act: Callable[[Link, int], None], link: Link, mask: int) -> None:
        try:
            act(link, mask)
        except Exception:
            log.exception("gateway socket failed")
            self.close(link, Close.INTERNAL)

    def _serve(self, link: Link, mask: int) -> None:
        if mask & selectors.EVENT_WRITE and link.fd >= 0:
            self._flush(link)
        if mask & selectors.EVENT_READ and link.fd >= 0:
            self._read(link)

    def _flush(self, link: Link) -> None:
        while link.pending is not None:
            chunk = bytes(link.pending[:_CHUNK_BYTES])
            sent = self._transmit.one(link.fd, chunk)
            if sent < 0:
                self._drop(link)
                return
            if sent:
                link.seen = link.moved = time.monotonic()
                self.sent_bytes += sent
            rest = link.pending[sent:]
            if not rest and link.tail:
                rest, link.tail = memoryview(link.tail), b""
            link.pending = rest if rest else None
            if sent < len(chunk):
                return
        self._selector.modify(link.fd, selectors.EVENT_READ, link)
        if link.close_by:
            self._half_close(link)
        else:
            self._listener.drained(link)

    def _read(self, link: Link) -> None:
        data = self._receive(link.fd)
        if data is None:
            return
        if not data:
            self._drop(link)
            return
        link.seen, link.pinged_at = time.monotonic(), 0.0
        if link.close_by or link.inbound is None:
            return  # what comes after our close frame, or after a parked request, is not read any more
        try:
            for message in () if link.inbound.is_pong(data) else link.inbound.feed(data):
                self._take(link, message)
                if link.closing:
                    return
            self._charge(link, link.inbound)
        except Fault as fault:
            self.close(link, fault.close, fault.detail)

    def _charge(self, link: Link, inbound: Inbound) -> None:
        """Take the frames read from the viewer's allowance, which refills with time. Raises Fault."""
        now, limits = time.monotonic(), self.limits
        refilled = link.allowance + (now - link.allowance_at) * limits.frames_per_s
        link.allowance = min(refilled, limits.frames_burst) - inbound.frames
        link.allowance_at, inbound.frames = now, 0
        if link.allowance < 0:
            raise Fault(Close.BAD_MESSAGE, f"more than {limits.frames_per_s:g} frames a second")

    def _take(self, link: Link, message: Received) -> None:
        match message.opcode:
            case Opcode.PING:
                self.send_beside(link, encode(Opcode.PONG, message.payload))
            case Opcode.CLOSE:
                self.finish(link, encode(Opcode.CLOSE, message.payload[:2]), self.limits.linger_s)
            case Opcode.TEXT | Opcode.BINARY:
                self._listener.received(link, message)

    # Opening, sweeping, ending -------------------------------------------------------------------

    def _open(self, taken: HandedOver, owner: Any, farewell: Farewell | None) -> None:
        limits = self.limits
        tuning.tune(taken.fd, limits.send_buffer_bytes, limits.stalled_s)
        inbound = None if farewell is not None else Inbound(
            limits.message_bytes, deflate=taken.deflate, keeps_window=taken.keeps_window, binary=limits.binary
        )
        link = Link(taken, inbound, owner, time.monotonic(), limits.frames_burst, farewell)
        self._links[link.fd] = link
        self._selector.register(link.fd, selectors.EVENT_READ, link)
        if self._stop_by:
            link.owner = None  # the listener never knew of it
            self.close(link, Close.RESTART)
        else:
            self._listener.opened(link)

    def _sweep(self) -> None:
        """Free what is gone: closed and not answered, stalled, or half-open; ping what is silent.

        Those that came together are not pinged together: their pongs would come as one herd.
        """
        now, silent = time.monotonic(), list[Link]()
        pings = max(PINGS_MIN, len(self._links) // PINGS_SHARE)
        for link in list(self._links.values()):
            idle_s = now - link.seen
            if link.close_by:
                if now > link.close_by:
                    self._drop(link)
            elif link.pending is not None:
                if now - link.moved > self.limits.stalled_s:
                    log.info("viewer too slow", close_code=Close.TOO_SLOW.code, stalled_s=round(now - link.moved))
                    self._drop(link)
            elif link.inbound is None or now < link.quiet_until:
                continue  # a parked request is answered in time by its owner
            elif link.pinged_at:
                if self._is_half_open(link, now):
                    self._guard(self._serve, link, selectors.EVENT_READ)  # its answer may wait here, behind others
                    if link.pinged_at:
                        self.close(link, Close.TOO_SLOW, "no sign of life")
            elif idle_s > self.limits.ping_after_s and len(silent) < pings:
                link.pinged_at = now
                silent.append(link)
        if silent:
            self._send_same(silent, PING)

    def _is_half_open(self, link: Link, now: float) -> bool:
        """Silent, and a ping had its time to be answered (this process may have been held up itself)."""
        limits = self.limits
        if now - link.seen <= limits.silent_s or now - link.pinged_at <= limits.silent_s - limits.ping_after_s:
            return False
        return not tuning.still_acknowledging(link.fd, limits.silent_s)

    def _stop(self, close: Close, within_s: float) -> None:
        self._stop_by = time.monotonic() + within_s
        for link in list(self._links.values()):
            self.close(link, close)

    def _end(self) -> None:
        for link in list(self._links.values()):
            self._drop(link)
        self._transmit.close()
        self._selector.close()
        self._woken.close()
        if self._waker is not None:
            self._waker.close()
