"""Planted: bugs that the chaos suite must find, put into the running processes by name; never without one.

Each is the bug that one guarantee stands against. They live in the tests only: the product does not know them.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from typing import Any

ENVIRONMENT = "HEADWATER_TEST_PLANTED_BUG"


def lost_event() -> None:
    """An event is acknowledged and never written: the first of every fifth call."""
    from services.broker import Broker

    ingest, calls = Broker.ingest, iter(range(1_000_000))

    def losing(self: Broker, lane: Any, events: Any, *more: Any) -> tuple[int, int]:
        if next(calls) % 5 or len(events) < 2:
            return ingest(self, lane, events, *more)
        accepted, duplicates = ingest(self, lane, events[1:], *more)
        return accepted + 1, duplicates

    Broker.ingest = losing  # type: ignore[method-assign]


def double_apply() -> None:
    """An event is folded twice: every fiftieth."""
    from services.lane import LedLane

    events_of, calls = LedLane._events_of, iter(range(10_000_000))

    def doubling(self: LedLane, entry: Any) -> Any:
        return [event for event in events_of(self, entry) for _ in range(1 if next(calls) % 50 else 2)]

    LedLane._events_of = doubling  # type: ignore[method-assign]


def skipped_delta() -> None:
    """A frame is taken for written and is not: every twentieth of a viewers' shared write."""
    from services.gateway.sockets import Sockets

    send_all, calls = Sockets.send_all, iter(range(10_000_000))

    def skipping(self: Sockets, links: Any, frame: Any) -> None:
        if next(calls) % 20:
            send_all(self, links, frame)

    Sockets.send_all = skipping  # type: ignore[method-assign]


def stale_writer() -> None:
    """A writer whose lane went to another commits all the same, as if nobody had checked.

    Three times in a run a worker falls asleep between folding and writing, until somebody wakes it: only the commit
    itself can tell there that it is late. Asleep elsewhere it would read on after waking, and write what its successor
    wrote.
    """
    from dataclasses import replace

    from services.broker import Broker, LaneLost
    from services.broker.connection import key_of

    commit, calls = Broker.commit, iter(range(10_000_000))

    def as_if_it_led(self: Broker, lane: Any, wanted: Any) -> Any:
        key = key_of(lane)
        lease = self._redis.get(key + "leader").decode()
        epoch, checkpoint = (found.decode() for found in self._redis.hmget(key + "lane", "epoch", "checkpoint"))
        channels = [
            replace(one, seq_before=int(self._redis.hget(f"{key}c:{one.name}:head", "seq") or 0))
            for one in wanted.channels
        ]
        # The successor's checkpoint stays: with the older one all that it had done would be folded anew, and right.
        now_at = {"checkpoint_before": checkpoint, "checkpoint": checkpoint}
        return replace(wanted, lease=lease, epoch=epoch, channels=channels, **now_at)

    def sleep_once_in_a_while(self: Broker) -> None:
        if next(calls) % 10 == 5 and self._redis.set("planted:asleep", 1, nx=True):
            if self._redis.incr("planted:slept") <= 3:
                os.kill(os.getpid(), signal.SIGSTOP)
            self._redis.delete("planted:asleep")

    def forcing(self: Broker, lane: Any, wanted: Any) -> None:
        if lane.feed == "orders":
            sleep_once_in_a_while(self)
        for _ in range(50):  # the successor may commit while this one looks where it stands
            try:
                commit(self, lane, wanted)
                return
            except LaneLost:
                wanted = as_if_it_led(self, lane, wanted)

    Broker.commit = forcing  # type: ignore[method-assign]


def wrong_merge() -> None:
    """Two deltas become one in which the earlier value of a key wins."""
    from services import state
    from services.gateway import publications

    def swapped(kind: Any, earlier: Any, later: Any) -> Any:
        return state.merge(kind, later, earlier)

    publications.merge = swapped  # type: ignore[attr-defined]


def reused_epoch() -> None:
    """A broker that is another one is not noticed: the epoch stays, and positions are served twice."""
    from services import lane

    lane.new_epoch = lambda: "always"  # type: ignore[attr-defined]


def forgotten_row() -> None:
    """An event is taken for archived and is not: the last of every fifth round that has any."""
    from services.archive import gathering

    rows_of, calls = gathering.event_rows, iter(range(10_000_000))

    def forgetting(lane: Any, entries: Any) -> Any:
        rows, gaps = rows_of(lane, entries)
        return (rows if not rows or next(calls) % 5 else rows[:-1]), gaps

    gathering.event_rows = forgetting


BUGS: dict[str, Callable[[], None]] = {
    bug.__name__: bug for bug in (
        lost_event, double_apply, skipped_delta, stale_writer, wrong_merge, reused_epoch, forgotten_row,
    )
}


def plant(name: str) -> None:
    """Put the bug of that name into this process; '' plants none."""
    if name:
        BUGS[name]()
