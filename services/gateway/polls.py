"""Polls: long polls, parked on the loop for viewers whose network lets no WebSocket through.

A poll is a viewer with positions that is answered once, with a plain HTTP/1.1 response; then it is gone.
"""

from __future__ import annotations

import gzip
import time
from email.utils import formatdate
from typing import NamedTuple

import orjson

from services.gateway.delivery import Delivery
from services.gateway.heartbeats import Heartbeats
from services.gateway.sockets import Sockets
from services.gateway.viewers import Poll, Viewer
from services.messages import Changes, Close, changes

ANSWERS_PER_S = 400
"""An answer brings the next request: many polls are held a little, so that HTTP has room for others."""
AT_ONCE = 25
"""So many polls are answered as soon as there is something."""
PATIENCE_S = 1.0
TAKEN_WITHIN_S = 30.0
_GZIP_FROM_BYTES = 1_024
_STATUS = {
    Close.RESTART: "503 Service Unavailable", Close.FULL: "503 Service Unavailable",
    Close.TOO_MANY: "429 Too Many Requests", Close.SIGNED_OUT: "401 Unauthorized", Close.FORBIDDEN: "403 Forbidden",
}


class Wish(NamedTuple):
    """What a long poll asks for, and whether its client takes gzip."""

    asked: Changes
    gzip: bool


class Polls:
    """The parked polls of this process; called in the loop's thread only."""

    def __init__(self, delivery: Delivery, sockets: Sockets, heartbeats: Heartbeats) -> None:
        self._delivery, self._sockets, self._heartbeats = delivery, sockets, heartbeats
        self._parked: dict[Viewer, Poll] = {}

    def __len__(self) -> int:
        return len(self._parked)

    def new_poll(self, wish: Wish) -> Poll:
        """When and how it will be answered. One that asks for a snapshot is not held."""
        now, asked = time.monotonic(), wish.asked
        due = now + asked.wait_s
        held_s = len(self._parked) / ANSWERS_PER_S if len(self._parked) > AT_ONCE else 0.0
        if None in asked.channels.values():
            held_s = 0.0
        return Poll(
            due, not_before=min(now + held_s, due), patient_until=now + held_s + PATIENCE_S,
            gzip=wish.gzip, told=asked.heartbeat,
        )

    def park(self, viewer: Viewer, poll: Poll) -> None:
        """Keep it until it is answered, or gone."""
        self._parked[viewer] = poll

    def leave(self, viewer: Viewer) -> None:
        """It is answered or gone."""
        self._parked.pop(viewer, None)

    def answer(self, viewer: Viewer) -> None:
        """Write what came, and where the viewer stands; an empty list where nothing did."""
        poll = self._parked.get(viewer)
        if poll is None:
            return
        frames = [*poll.refusals, *(frame.payload for frame in poll.frames)]
        if frames or poll.told:
            frames.append(self._heartbeats.heartbeat(viewer))
        self._sockets.finish(viewer.link, _response("200 OK", changes(frames), squeeze=poll.gzip), TAKEN_WITHIN_S)

    def tick(self) -> None:
        """Answer those whose time is up, and serve those that were held until now."""
        now = time.monotonic()
        for viewer, poll in list(self._parked.items()):
            if now >= poll.due:
                self._end(viewer, poll, now)
            elif poll.waiting and (now >= poll.not_before):
                poll.waiting = False
                self._delivery.serve_soon(viewer)

    def _end(self, viewer: Viewer, poll: Poll, now: float) -> None:
        """Its time is up; what is being read from the broker just now is worth a moment more."""
        if now < poll.due + PATIENCE_S and self._delivery.is_reading_for(viewer):
            return
        poll.patient_until = 0.0
        self._delivery.serve(viewer)
        self.answer(viewer)


def farewell(close: Close, detail: str) -> bytes:
    """What a poll is answered that cannot be served: the HTTP status that stands for the close code."""
    status = _STATUS.get(close, "500 Internal Server Error")
    body = orjson.dumps({"error": close.name.lower(), "detail": detail or close.reason})
    again = f"Retry-After: {1 if close is Close.RESTART else 5}\r\n" if status[0:3] in ("429", "503") else ""
    return _response(status, body, again)


def _response(status: str, body: bytes, headers: str = "", *, squeeze: bool = False) -> bytes:
    if squeeze and len(body) >= _GZIP_FROM_BYTES:
        body, headers = gzip.compress(body, 1), headers + "Content-Encoding: gzip\r\n"
    head = (
        f"HTTP/1.1 {status}\r\nDate: {formatdate(usegmt=True)}\r\nContent-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\nCache-Control: no-store\r\nVary: Accept-Encoding\r\n"
        f"X-Content-Type-Options: nosniff\r\nContent-Security-Policy: default-src 'none'\r\n{headers}"
        "Connection: close\r\n\r\n"
    )
    return head.encode("ascii") + body
