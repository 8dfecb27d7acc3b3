"""Probing: takes the whole path from outside, lane by lane: HTTP ingest, the lane's worker, gateway, WebSocket.

What is measured is what a client has: the time from sending a probe to its answer at a viewer's socket. Nothing here
knows the broker; the same code runs in the contract station and on somebody else's machine.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson
import requests
from websockets.exceptions import WebSocketException
from websockets.protocol import State
from websockets.sync.client import ClientConnection, connect

from services.declare import PROBE_FEED
from services.measurement.raw import ProbeSample
from services.positions import Clock, wall_clock

if TYPE_CHECKING:  # a probe from elsewhere needs no database
    from services.measurement.kept import Kept

ANSWERS = f"{PROBE_FEED}.answers"
ANSWER_WITHIN_S = 8.0
"""A probe that took longer did not arrive: the next round begins ten seconds after this one."""
CONNECT_WITHIN_S = 4.0
SAMPLES_HELD = 10_000
"""Samples that wait while the database is away; then the oldest go, and their minutes count as bad."""


class Prober:
    """Sends a probe through each lane and waits for the answers; keeps its two connections between rounds."""

    def __init__(
        self,
        url: str,
        key: str,
        place: str,
        *,
        clock: Clock = wall_clock,
        monotonic: Callable[[], float] = time.monotonic,
        within_s: float = ANSWER_WITHIN_S,
    ) -> None:
        self._url, self._place, self._within_s = url.rstrip("/"), place, within_s
        self._clock, self._monotonic = clock, monotonic
        self._http = requests.Session()
        self._http.headers["Authorization"] = f"Bearer {key}"
        self._socket: ClientConnection | None = None
        self._opened = ExitStack()

    def round(self, lanes: Sequence[str]) -> list[ProbeSample]:
        """One sample for each lane; where the path is cut before any lane, each tells why."""
        at = self._clock()
        try:
            viewer = self._viewer()
            sent = self._monotonic()
            tokens = self._send(lanes)
            found = self._answers(viewer, tokens, sent)
        except (requests.RequestException, WebSocketException, OSError, _Refused) as fault:
            self.close()
            return [ProbeSample(at, self._place, lane, "", None, _in_words(fault)) for lane in lanes]
        missing = f"no answer within {self._within_s:g} s"
        return [
            ProbeSample(at, self._place, lane, *(found.get(lane) or ("", None)), fault="" if lane in found else missing)
            for lane in lanes
        ]

    def lanes(self) -> list[str]:
        """The lanes that the server has. Raises requests.RequestException."""
        answer = self._http.get(f"{self._url}/api/channels", timeout=CONNECT_WITHIN_S)
        answer.raise_for_status()
        return [str(lane) for lane in answer.json()["lanes"]]

    def close(self) -> None:
        """Give the socket up; the next round makes a new one."""
        self._socket = None
        self._opened.close()

    def _viewer(self) -> ClientConnection:
        if self._socket is not None and self._socket.protocol.state is not State.OPEN:
            self.close()  # the server restarted between two rounds: a viewer would be back by now
        if self._socket is None:
            parts = urlsplit(self._url)
            scheme = "wss" if parts.scheme == "https" else "ws"
            address = f"{scheme}://{parts.netloc}{parts.path}/live?protocols=1"
            # The gateway sends heartbeats and pings: one of our own would only log an error when a web process goes.
            opening = connect(
                address, open_timeout=CONNECT_WITHIN_S, close_timeout=1, proxy=None, ping_interval=None
            )
            self._socket = self._opened.enter_context(opening)
            self._socket.send(orjson.dumps({"op": "subscribe", "channels": {ANSWERS: None}}).decode())
        return self._socket

    def _send(self, lanes: Sequence[str]) -> dict[str, str]:
        """Post one probe for each lane: the lanes by token."""
        tokens = {uuid4().hex: lane for lane in lanes}
        records = [
            {"name": f"{lane} {self._place}", "lane": lane, "place": self._place, "token": token}
            for token, lane in tokens.items()
        ]
        answer = self._http.post(f"{self._url}/api/ingest/{PROBE_FEED}", json=records, timeout=CONNECT_WITHIN_S)
        if answer.status_code != 202:
            raise _Refused(f"ingest answered {answer.status_code}: {answer.text[:200]}")
        return tokens

    def _answers(
        self, viewer: ClientConnection, tokens: Mapping[str, str], sent: float
    ) -> dict[str, tuple[str, float | None]]:
        """Worker and time by lane, for those that answered in time."""
        found: dict[str, tuple[str, float | None]] = {}
        while len(found) < len(tokens):
            left = sent + self._within_s - self._monotonic()
            if left <= 0:
                break
            try:
                frame = orjson.loads(viewer.recv(timeout=left))
            except TimeoutError:
                break
            took_s = self._monotonic() - sent
            for row in _rows(frame):
                lane = tokens.get(str(row.get("token")))
                if lane is not None and lane not in found:
                    found[lane] = (str(row.get("worker") or ""), round(took_s, 6))
        return found


class ProbeRounds:
    """The contract station's probe: a round each time, its samples kept with the time at which they were known."""

    def __init__(self, prober: Prober, lanes: Sequence[str], kept: Kept, clock: Clock) -> None:
        self._prober, self._lanes, self._kept, self._clock = prober, lanes, kept, clock
        self._waiting: list[ProbeSample] = []

    def step(self) -> None:
        """One round. Raises DatabaseDown, and the samples then wait for the next one."""
        self._waiting = [*self._waiting, *self._prober.round(self._lanes)][-SAMPLES_HELD:]
        self._kept.add_probes(self._waiting, self._clock())
        self._waiting = []


class _Refused(Exception):
    """The server answered something else than it must."""


def _rows(frame: Any) -> list[Mapping[str, Any]]:
    """The rows that a frame brings; none for one that is not about the answers."""
    if not isinstance(frame, dict) or frame.get("channel") != ANSWERS:
        return []
    data = frame.get("data") or {}
    return list((data.get("set") or data.get("rows") or {}).values())


def _in_words(fault: Exception) -> str:
    return f"{type(fault).__name__}: {fault}"[:200]
