"""Planted: bugs that the chaos suite must find, put into the running processes by name; never without one.

Each is the bug that one guarantee stands against. They live in the tests only: the product does not know them.
"""

from __future__ import annotations

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

    fold, calls = LedLane._fold_event, iter(range(10_000_000))

    def folding(self: LedLane, event: dict[str, Any]) -> None:
        for _ in range(1 if next(calls) % 50 else 2):
            fold(self, event)

    LedLane._fold_event = folding  # type: ignore[method-assign]


def skipped_delta() -> None:
    """A frame is taken for written and is not: every twentieth of a viewers' shared write."""
    from services.gateway.sockets import Sockets

    send_all, calls = Sockets.send_all, iter(range(10_000_000))

    def skipping(self: Sockets, links: Any, frame: Any) -> None:
        if next(calls) % 20:
            send_all(self, links, frame)

    Sockets.send_all = skipping  # type: ignore[method-assign]


def stale_writer() -> None:
    """A writer whose lane went to another commits all the same, as if nobody had checked."""
    from dataclasses import replace

    from services.broker import Broker, LaneLost
    from services.broker.connection import key_of

    commit = Broker.commit

    def forcing(self: Broker, lane: Any, wanted: Any) -> None:
        try:
            commit(self, lane, wanted)
        except LaneLost:
            key = key_of(lane)
            lease = self._redis.get(key + "lease").decode()
            epoch, checkpoint = (found.decode() for found in self._redis.hmget(key + "lane", "epoch", "checkpoint"))
            channels = [
                replace(one, seq_before=int(self._redis.hget(f"{key}c:{one.name}:head", "seq") or 0))
                for one in wanted.channels
            ]
            commit(
                self, lane,
                replace(wanted, lease=lease, epoch=epoch, checkpoint_before=checkpoint, channels=channels),
            )

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
    """An event is taken for archived and is not: the last of every fifth round."""
    from services.archive import gathering

    rows_of, calls = gathering.event_rows, iter(range(10_000_000))

    def forgetting(lane: Any, entries: Any) -> Any:
        rows, gaps = rows_of(lane, entries)
        return (rows if next(calls) % 5 else rows[:-1]), gaps

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
