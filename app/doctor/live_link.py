"""Live: what the live socket is like from here: upgrade, heartbeats, round trip, how long it may idle."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import median
from typing import Any

import orjson
from websockets.exceptions import ConnectionClosed, InvalidHandshake, InvalidStatus, WebSocketException
from websockets.sync.client import ClientConnection

from app.doctor.finding import Finding, graded
from app.doctor.link import Link, Tell, error_code
from app.doctor.running import clock_finding
from services.clocks import BrokerClock

FIRST_FRAME_WITHIN_S = 4.0
PING_LIMIT_S = 25.0
"""Routers close a socket that is idle for 55 s, some for 30: both ends have to speak before that."""
SLOW_TRIP_MS = 250
TRIPS = 8
PONG_WITHIN_S = 5.0
TELL_EVERY_S = 5.0


class NotLive(Exception):
    """The socket does not speak as it must; the finding says why."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.text)
        self.finding = finding


@dataclass(frozen=True, slots=True)
class Upgrade:
    """Whether a WebSocket gets through proxies and CDN, and how its frames are compressed."""

    link: Link

    def look(self) -> Iterator[Finding]:
        began = time.monotonic()
        try:
            with self.link.live() as live:
                took_ms = 1000 * (time.monotonic() - began)
                deflated = any("deflate" in str(one.name) for one in live.protocol.extensions)
                _hello(live)
        except InvalidStatus as refused:
            yield _refusal(refused, self.link)
            return
        except NotLive as held:
            yield held.finding
            return
        except (WebSocketException, OSError) as error:
            yield _broken(error)
            return
        yield Finding("ok", "upgrade", f"a WebSocket was opened in {took_ms:.0f} ms")
        text = "frames are deflated" if deflated else "frames come uncompressed: about three times the bytes"
        remedy = "let the proxy pass Sec-WebSocket-Extensions on"
        yield graded("frames", text, warn=not deflated, remedy=remedy)


def _refusal(refused: InvalidStatus, link: Link) -> Finding:
    status, code = refused.response.status_code, error_code(refused)
    if code == "upgrade_required":
        text = "the server was asked without the header Upgrade: a proxy on the way takes it out"
        remedy = (
            "pass it on by HTTP/1.1 (nginx: proxy_http_version 1.1; proxy_set_header Upgrade $http_upgrade; "
            "proxy_set_header Connection upgrade)"
        )
        return Finding("fail", "upgrade", text, remedy)
    if code == "forbidden_origin":
        text = f"the server lets no page of {link.origin} in"
        return Finding("fail", "upgrade", text, f"add {link.origin} to HEADWATER_ORIGINS")
    if code == "forbidden_host":
        text = "the server does not know the host that it was asked by"
        remedy = f"let the proxy pass Host on, or add {link.origin} to HEADWATER_ORIGINS"
        return Finding("fail", "upgrade", text, remedy)
    if code == "not_signed_in":
        text = "the upgrade reached the server, which asks to sign in first: the live socket itself was not seen"
        return Finding("warn", "upgrade", text, "give a session: --cookie")
    server = refused.response.headers.get("Server", "something on the way")
    text = f"answered {status} by {server}, not by Headwater"
    return Finding("fail", "upgrade", text, "let it pass WebSockets to /live; until then pages take the long poll")


def _broken(error: Exception) -> Finding:
    kind = "the handshake was broken" if isinstance(error, InvalidHandshake) else "no WebSocket"
    remedy = "let what lies between pass WebSockets to /live; until then pages take the long poll"
    return Finding("fail", "upgrade", f"{kind}: {type(error).__name__}: {error}"[:160], remedy)


def _hello(live: ClientConnection) -> dict[str, Any]:
    """The greeting. Raises NotLive where it does not come in time."""
    until = time.monotonic() + FIRST_FRAME_WITHIN_S
    try:
        while True:
            said: dict[str, Any] = orjson.loads(live.recv(timeout=max(0.01, until - time.monotonic())))
            if said.get("op") == "hello":
                return said
    except TimeoutError:
        text = f"opened, but no frame came within {FIRST_FRAME_WITHIN_S:g} s: something holds them back"
        remedy = "let no proxy buffer /live (nginx: proxy_buffering off)"
        raise NotLive(Finding("fail", "upgrade", text, remedy)) from None


@dataclass(frozen=True, slots=True)
class Heartbeats:
    """Whether both ends speak more often than routers wait (55 s, some 30)."""

    link: Link
    limit_s: float = PING_LIMIT_S

    def look(self) -> Iterator[Finding]:
        with self.link.live() as live:
            every_s = float(_hello(live)["heartbeat_s"])
            gap_s = _longest_gap(live, every_s) if every_s <= self.limit_s else 0.0
        if every_s > self.limit_s:
            text = f"one every {every_s:g} s: a router that closes what is idle for 30 or 55 s would cut in between"
            yield Finding("fail", "heartbeats", text, f"let the server beat at least every {self.limit_s:g} s")
            return
        late = gap_s > 2 * every_s + 1
        text = f"promised every {every_s:g} s, and something came every {gap_s:.1f} s at most"
        yield graded("heartbeats", text, fail=late, remedy="frames are held up on the way: let no proxy buffer /live")


def _longest_gap(live: ClientConnection, every_s: float) -> float:
    """The longest time without a frame, over two heartbeats."""
    longest, last = 0.0, time.monotonic()
    until = last + 2 * every_s + 0.5
    while (now := time.monotonic()) < until:
        try:
            live.recv(timeout=until - now)
        except TimeoutError:
            break
        now = time.monotonic()
        longest, last = max(longest, now - last), now
    return max(longest, time.monotonic() - last)


@dataclass(frozen=True, slots=True)
class RoundTrip:
    """How long an answer takes on the open socket, and how this machine's clock stands to the server's."""

    link: Link
    slow_ms: float = SLOW_TRIP_MS

    def look(self) -> Iterator[Finding]:
        clock, trips = BrokerClock(), []
        with self.link.live() as live:
            _hello(live)
            for _ in range(TRIPS):
                sent = time.time()
                server_ms = _pong(live, sent)
                came = time.time()
                trips.append(1000 * (came - sent))
                clock.sample(1000 * sent, 1000 * came, server_ms)
        text = f"{median(trips):.0f} ms in the middle of {TRIPS}, {max(trips):.0f} ms at most"
        yield graded(
            "round trip", text, warn=median(trips) > self.slow_ms,
            remedy="serve nearer to the viewers: half of it is added to every latency",
        )
        yield clock_finding("clock", clock.offset_ms, clock.error_ms or 0.0, "the server's")


def _pong(live: ClientConnection, t: float) -> float:
    """Ask, and give the server's time, in ms, of the answer. Raises TimeoutError."""
    live.send(orjson.dumps({"op": "ping", "t": t}).decode())
    until = time.monotonic() + PONG_WITHIN_S
    while True:
        said = orjson.loads(live.recv(timeout=max(0.01, until - time.monotonic())))
        if said.get("op") == "pong" and said.get("t") == t:
            return float(said["server_time"])


@dataclass(frozen=True, slots=True)
class Idle:
    """After how long without a byte either way the link is cut: found by asking the server to be silent, and waiting.

    Waits `for_s` at most, and says every few seconds that it does.
    """

    link: Link
    for_s: float
    tell: Tell = print

    def look(self) -> Iterator[Finding]:
        with self.link.live() as live:
            every_s = float(_hello(live)["heartbeat_s"])
            live.send(orjson.dumps({"op": "hush", "for_s": self.for_s + PONG_WITHIN_S}).decode())
            try:
                cut_s = self._wait(live)
            except TimeoutError:
                dead = f"after {self.for_s:g} s without a byte it was dead without a word"
                yield self._judged(self.for_s, dead, every_s)
                return
        if cut_s is None:
            yield Finding("ok", "idle", f"a link without a byte either way held for {self.for_s:g} s")
        else:
            yield self._judged(cut_s, f"a link without a byte is cut after {cut_s:.0f} s", every_s)

    def _judged(self, cut_s: float, how: str, every_s: float) -> Finding:
        remedy = "raise the idle timeout on the way to 60 s or more (nginx: proxy_read_timeout and proxy_send_timeout)"
        text = f"{how}; both ends speak every {every_s:g} s"
        return graded("idle", text, fail=cut_s <= 2 * every_s, warn=cut_s <= 4 * every_s, remedy=remedy)

    def _wait(self, live: ClientConnection) -> float | None:
        """When it was cut, in seconds; None where it held. Raises TimeoutError where it was dead without a word."""
        began = time.monotonic()
        while (left := began + self.for_s - time.monotonic()) > 0:
            try:
                said = orjson.loads(live.recv(timeout=min(left, TELL_EVERY_S)))
                if said.get("op") == "error":
                    text = "the server does not know how to be silent: it is of an older release"
                    raise NotLive(Finding("warn", "idle", text, "deploy the release that this doctor is of"))
            except TimeoutError:
                if time.monotonic() - began >= self.for_s:
                    break
                self.tell(f"idle: {time.monotonic() - began:.0f} of {self.for_s:g} s without a byte, and still open")
            except ConnectionClosed:
                return time.monotonic() - began
        try:
            _pong(live, began)
        except ConnectionClosed:
            return self.for_s
        return None
