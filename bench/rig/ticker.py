"""Ticker: commits ticks to one channel at fixed times, through the broker's own commit, as a processor does.

Each tick is a row for each of `rows` names, about 72 bytes each; row i's value is `seq * 31 % 100000 + i`, so that a
viewer can tell a wrong value from the seq alone.
"""

from __future__ import annotations

import time

import orjson

from services.broker import Broker, ChannelCommit, LaneCommit
from services.broker.connection import key_of
from services.declare import Lane
from services.positions import Times, new_epoch, wall_clock

RENEW_S = 0.5
KEPT_TICKS = 2_000


class Ticker:
    """Writes a lane's channels. `channels` need not be declared: a peer's own channel is not."""

    def __init__(self, broker: Broker, lane: Lane, channels: tuple[str, ...], rows: int = 18) -> None:
        self._broker, self._lane, self._rows = broker, lane, rows
        self._seqs = dict.fromkeys(channels, 0)
        self._lease, self._epoch, self._renew_at = "", "", 0.0
        self._entry = 0

    def stream(self, channel: str) -> str:
        """The Redis key of a channel's deltas."""
        return f"{key_of(self._lane)}c:{channel}:deltas"

    def open(self) -> None:
        """Take the lane anew: its lease runs out between two runs."""
        self._lease = self._broker.lease("processor", {self._lane: self._lease}, "bench")[self._lane] or (
            self._broker.lease("processor", {self._lane: ""}, "bench")[self._lane]
        )
        signatures = dict.fromkeys(self._seqs, "bench")
        opened = self._broker.open_lane(self._lane, self._lease, "bench", signatures, "bench", new_epoch())
        self._epoch, self._renew_at = opened.epoch, time.monotonic() + RENEW_S

    def run(self, channel: str, rate: float, seconds: float) -> dict[int, int]:
        """Tick open loop: each at its due time, late ones at once. Returns when, by seq, in ns before the commit."""
        self.open()
        start, ticked = time.monotonic(), dict[int, int]()
        for number in range(int(rate * seconds)):
            due = start + number / rate
            time.sleep(max(0.0, due - time.monotonic()))
            at = time.monotonic_ns()
            ticked[self.tick(channel)] = at
            self._renew()
        return ticked

    def _renew(self) -> None:
        if time.monotonic() >= self._renew_at:
            self._renew_at = time.monotonic() + RENEW_S
            self._lease = self._broker.lease("processor", {self._lane: self._lease}, "bench")[self._lane]

    def tick(self, channel: str) -> int:
        """One commit of one channel; returns its seq."""
        before = self._seqs[channel]
        self._seqs[channel] = seq = before + 1
        rows = {f"signal {i:02d}": self._row(i, seq) for i in range(self._rows)}
        now = wall_clock()
        times = Times((now, now), (now, now), now, self._rows)
        cells = {name: orjson.dumps([0, row]) for name, row in rows.items()}
        commit = ChannelCommit(
            channel, "bench", before, orjson.dumps({"set": rows, "del": []}), times, times,
            max(0, seq - KEPT_TICKS), cells, (),
        )
        checkpoint = f"{self._entry}-0"
        self._entry += 1
        self._broker.commit(
            self._lane,
            LaneCommit(self._lease, self._epoch, checkpoint, f"{self._entry}-0", self._rows, 0, 0, (), (commit,)),
        )
        return seq

    def _row(self, i: int, seq: int) -> dict[str, object]:
        return {"name": f"signal {i:02d}", "value": seq * 31 % 100_000 + i, "text": f"as it came {seq}"}
