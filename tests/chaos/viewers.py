"""Viewers: browser tabs as the protocol describes them, that record what they see and prove it.

Each subscribes, folds, comes back by position after every loss, and drops what it has already. Nothing here
imports the product; the rules are those of docs/protocol.md.
"""

from __future__ import annotations

import asyncio
import random
import socket
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import orjson
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from tests.chaos.fold import Folded, Frame
from tests.chaos.record import Held, Position, Record
from tests.waiting import slowness

SILENCE_S = 5.0
"""Two and a half heartbeats: a viewer that hears nothing for so long comes back anew."""
BACK_S = (0.05, 0.5)
SMALL_WINDOW_BYTES = 4096


class Viewer:
    """One tab. `slow_s`: how long it takes over each frame."""

    def __init__(
        self, number: int, port: int, channels: Sequence[str], record: Record, *, deflate: bool, slow_s: float,
        seed: int,
    ) -> None:
        self.name = f"viewer-{number}" + ("z" if deflate else "") + ("-slow" if slow_s else "")
        self.channels, self.slow_s, self.slow = list(channels), slow_s, slow_s > 0
        self.held: dict[str, Held] = {}
        self.told: dict[str, Any] = {}
        self.processed_ms = 0
        self._port, self._record, self._deflate = port, record, deflate
        self.headers: Mapping[str, str] = {}
        """What it sends with its handshake, as who is signed in does."""
        self._chance = random.Random(seed)
        self._left: set[tuple[str, str]] = set()
        self._cursors: dict[str, Position | None] = {}
        self._stopping = False
        self._socket: ClientConnection | None = None

    async def run(self) -> None:
        """Watch until stopped, whatever happens to the connection."""
        while not self._stopping:
            with suppress(OSError, WebSocketException, TimeoutError, EOFError):
                await self._connection()
            self._record.counts["connections ended"] += 1
            await slowness(self._chance.uniform(*BACK_S))

    def holding(self) -> dict[str, Held]:
        """What it holds now, by channel; from any thread."""
        return dict(self.held)

    async def stop(self) -> None:
        self._stopping = True
        if self._socket is not None:
            await self._socket.close()

    async def _connection(self) -> None:
        async with connect(
            f"ws://127.0.0.1:{self._port}/live?protocols=1", sock=await self._dial(), proxy=None, ping_interval=None,
            compression="deflate" if self._deflate else None, max_size=None, open_timeout=SILENCE_S,
            close_timeout=1, max_queue=1 if self.slow else 16, additional_headers=self.headers,
        ) as self._socket:
            await self._watch(self._socket)

    async def _dial(self) -> socket.socket:
        opened = socket.socket()
        if self.slow:
            opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW_BYTES)
        opened.setblocking(False)
        try:
            await asyncio.wait_for(
                asyncio.get_running_loop().sock_connect(opened, ("127.0.0.1", self._port)), SILENCE_S
            )
        except BaseException:
            opened.close()
            raise
        return opened

    async def _watch(self, live: ClientConnection) -> None:
        known = {name: self.held[name].at if name in self.held else None for name in self.channels}
        self._cursors = dict(known)
        wanted = {name: at and {"epoch": at.epoch, "seq": at.seq} for name, at in known.items()}
        await live.send(orjson.dumps({"op": "subscribe", "channels": wanted}).decode())
        while not self._stopping:
            frame: Frame = orjson.loads(await asyncio.wait_for(live.recv(), SILENCE_S))
            self._record.counts[frame["op"]] += 1
            match frame["op"]:
                case "snapshot":
                    self._snapshot(frame)
                case "delta":
                    self._delta(frame)
                case "heartbeat":
                    self._heartbeat(frame)
                case "error":
                    self._record.violation("refused", f"{self.name}: {frame}")
            if any(name not in self.held for name in known if self._cursors.get(name) is not None):
                return  # what was held cannot be continued: come back for a snapshot
            if self.slow_s:
                await slowness(self.slow_s)

    def _snapshot(self, frame: Frame) -> None:
        name, at = frame["channel"], Position(frame["epoch"], frame["seq"])
        self._cursors[name] = at
        held = self.held.get(name)
        if held is not None and held.at.epoch == at.epoch and at.seq < held.at.seq:
            self._record.counts["older snapshots dropped"] += 1
            return
        self._hold(name, Held(at, Folded(frame)), frame)

    def _delta(self, frame: Frame) -> None:
        name, after = frame["channel"], Position(frame["epoch"], frame["after"])
        at, cursor, held = Position(frame["epoch"], frame["seq"]), self._cursors.get(name), self.held.get(name)
        self._cursors[name] = at
        if cursor != after or at.seq <= after.seq:
            kind = "gap" if cursor is None or after.seq > cursor.seq else "duplicate"
            self._record.violation(kind, f"{self.name} {name}: stood at {cursor}, got a delta {after} to {at.seq}")
        self._record.counts["merged"] += frame.get("merged", 1) > 1
        if held is not None and held.at == after:
            held.state.apply(frame["data"])
            self._hold(name, Held(at, held.state), frame)
        elif held is not None and held.at.epoch == at.epoch and at.seq <= held.at.seq:
            self._record.counts["known deltas dropped"] += 1
        else:
            self._record.counts["continued anew"] += 1
            self.held.pop(name, None)

    def _hold(self, name: str, now: Held, frame: Frame) -> None:
        before = self.held.get(name)
        if before is not None and before.at.epoch != now.at.epoch:
            self._left.add((name, before.at.epoch))
            self._record.counts["epoch changes seen"] += 1
        if (name, now.at.epoch) in self._left:
            self._record.violation("epoch back", f"{self.name} {name}: was in {now.at.epoch} before and had left it")
            self._left.discard((name, now.at.epoch))  # told once
        self.held[name] = now
        self._record.epoch(name, now.at.epoch)
        self._record.value(self.name, name, now.at, now.state.mark)
        processed = (frame.get("times") or {}).get("processed", 0)
        self.processed_ms = max(self.processed_ms, processed)
        self._record.processed_ms = max(self._record.processed_ms, processed)

    def _heartbeat(self, frame: Frame) -> None:
        self.told = frame["channels"]
        for name, told in frame["channels"].items():
            if told["cause"]:
                self._record.causes.add(told["cause"])
            if told.get("rate_hz") is not None:
                self._record.rates_hz.append(told["rate_hz"])
            cursor = self._cursors.get(name)
            if cursor is not None and told["epoch"] == cursor.epoch and told["seq"] > cursor.seq:
                self._record.violation("gap", f"{self.name} {name}: stands at {cursor}, {told['seq']} was written")


def now_ms() -> int:
    """The clock by which frames are stamped on this machine."""
    return int(time.time() * 1000)
