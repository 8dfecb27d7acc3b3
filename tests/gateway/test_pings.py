"""Pings: who says nothing is asked for a sign of life, and not everybody at once."""

from __future__ import annotations

import contextlib
import socket
from collections import Counter

import pytest

from services.gateway.frames import PING
from services.gateway.links import SocketLimits
from services.gateway.sockets import PINGS_MIN, PINGS_SHARE, TICK_S
from tests.gateway.raw import PONG, masked
from tests.gateway.spread import Spread
from tests.waiting import wait_until

LIMITS = SocketLimits(ping_after_s=0.01, silent_s=60)


class Pinged(Spread):
    """Counts after each sweep whom it pinged: over the loopback a ping has come when its sweep is done."""

    def __init__(self) -> None:
        super().__init__(limits=LIMITS)
        self.sweeps: list[list[socket.socket]] = []

    def ticked(self) -> None:
        self.sweeps.append([one for one in self.theirs if _came(one) == PING])


def _came(reader: socket.socket) -> bytes:
    with contextlib.suppress(BlockingIOError):
        return reader.recv(100)
    return b""


@pytest.mark.usefixtures("each_way")
@pytest.mark.parametrize("viewers", [40, 240])
def test_viewers_that_came_together_are_pinged_in_turn(viewers: int) -> None:
    with Pinged() as loop:
        theirs = loop.add(viewers, timeout_s=0)
        wait_until(lambda: sum(map(len, loop.sweeps)) >= viewers, what="a ping for each")
        pinged = [sweep for sweep in loop.sweeps if sweep]
        assert max(map(len, pinged)) <= max(PINGS_MIN, viewers // PINGS_SHARE)
        assert Counter(one for sweep in pinged for one in sweep) == Counter(theirs), "each once, until it answers"
        for one in theirs:
            one.send(masked(PONG, b""))
        wait_until(lambda: sum(map(len, loop.sweeps)) >= 2 * viewers, what="one more for each that did")


def test_each_is_pinged_before_it_would_be_taken_for_gone() -> None:
    limits = SocketLimits()
    assert limits.ping_after_s + PINGS_SHARE * TICK_S < limits.silent_s
