"""A viewer for tests: an independent client that takes frames exactly as the protocol says, or fails."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Any, Self

from websockets.sync.client import connect

from services.declare import Keep
from services.positions import Position
from services.state import State, state_of
from tests.waiting import PATIENCE_S

Frame = dict[str, Any]


class Tab:
    """One browser tab: `frames` as they came, `position` and `data` of each channel as folded."""

    def __init__(self, url: str, *, deflate: bool = True, read_ahead: int = 16) -> None:
        compression = "deflate" if deflate else None
        self._connecting = connect(url, compression=compression, max_queue=read_ahead, max_size=None, proxy=None)
        self.frames: list[Frame] = []
        self.positions: dict[str, Position] = {}
        self._states: dict[str, State] = {}

    def __enter__(self) -> Self:
        self.socket = self._connecting.__enter__()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connecting.__exit__(kind, error, trace)

    def say(self, message: Mapping[str, Any]) -> None:
        self.socket.send(json.dumps(message))

    def subscribe(self, *fresh: str, **positions: Position | None) -> None:
        """Ask for channels from nothing, and for others (dots written as `__`) from a position."""
        wanted: dict[str, Any] = dict.fromkeys(fresh)
        for name, position in positions.items():
            wanted[name.replace("__", ".")] = position and {"epoch": position.epoch, "seq": position.seq}
        self.say({"op": "subscribe", "channels": wanted})

    def take(self, timeout_s: float = PATIENCE_S) -> Frame:
        """The next frame, folded in."""
        frame: Frame = json.loads(self.socket.recv(timeout_s))
        self.frames.append(frame)
        if frame["op"] == "snapshot":
            self._load(frame)
        elif frame["op"] == "delta":
            self._apply(frame)
        return frame

    def _load(self, frame: Frame) -> None:
        state = self._states[frame["channel"]] = state_of(frame["kind"], Keep(**frame["keep"]))
        held = {"set": frame["data"]["rows"]} if frame["kind"] == "latest" else frame["data"]
        state.apply(held)
        self.positions[frame["channel"]] = Position(frame["epoch"], frame["seq"])

    def _apply(self, frame: Frame) -> None:
        channel = frame["channel"]
        here, starts = self.positions[channel], Position(frame["epoch"], frame["after"])
        assert here == starts, f"{channel}: stands at {here}, got a delta after {starts}"
        self._states[channel].apply(frame["data"])
        self.positions[channel] = Position(frame["epoch"], frame["seq"])

    def resume(self, other: Tab) -> None:
        """Know what another tab knows, as after a reconnect."""
        self.positions, self._states = dict(other.positions), dict(other._states)

    def seq(self, channel: str) -> int:
        """Where it stands, -1 before the first snapshot."""
        return self.positions[channel].seq if channel in self.positions else -1

    def data(self, channel: str) -> Any:
        return self._states[channel].data()

    def until(
        self, condition: Callable[[Tab], object], timeout_s: float = PATIENCE_S, what: str = "the condition"
    ) -> None:
        """Take frames until the condition holds."""
        deadline = time.monotonic() + timeout_s
        while not condition(self):
            try:
                self.take(deadline - time.monotonic())
            except TimeoutError:
                raise AssertionError(f"{what}: not within {timeout_s:g} s; last: {self.frames[-3:]}") from None

    def until_frame(self, timeout_s: float = PATIENCE_S, /, **wanted: Any) -> Frame:
        """Take frames until one has these fields, and return it."""
        seen = len(self.frames)

        def found(tab: Tab) -> bool:
            return any(frame.items() >= wanted.items() for frame in tab.frames[seen:])

        self.until(found, timeout_s, f"a frame with {wanted}")
        return self.frames[-1]

    def of(self, op: str) -> list[Frame]:
        return [frame for frame in self.frames if frame["op"] == op]
