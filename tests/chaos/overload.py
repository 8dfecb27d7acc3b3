"""Overload: a burst of far more than can be processed at once, and what all the parts do about it.

The workers sleep while it begins, so that the backlog really grows until ingest refuses and viewers are told; then
they wake, and everything must drain, be right, and be live again without anybody's help.
"""

from __future__ import annotations

import random
import signal
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.chaos.arena import Arena
from tests.chaos.memory import MemoryWatch, resident_mb
from tests.chaos.producers import Batch, Client, Event
from tests.installation import SECRET
from tests.waiting import wait_until

SENDERS = 4
ORDERS = 500
BACKLOG = 1_000
"""Events that viewers are told of at least while the workers sleep."""
UNDER_WAY = 100
"""An arena under load always has some events accepted and not yet processed; only `calm` demands that there is none."""
LEVEL_S, LEVEL_MB = 2.0, 5.0
"""What has started grows by no more in so long."""


@dataclass
class Flood:
    """What a burst did."""

    events: int = 0
    refused: int = 0
    most_mb: dict[str, float] = field(default_factory=dict)
    growth_mb: dict[str, float] = field(default_factory=dict)
    backlogs: list[int] = field(default_factory=list)
    sent_in_s: float = 0.0
    drained_in_s: float = 0.0

    def text(self) -> str:
        def told(figures: dict[str, float]) -> str:
            return ", ".join(f"{name} {megabytes:.0f} MB" for name, megabytes in sorted(figures.items()))

        return "\n".join([
            f"burst of {self.events:,} events: all in after {self.sent_in_s:.1f} s, {self.refused} refusals (429)",
            f"most memory: {told(self.most_mb)}; growth: {told(self.growth_mb)}",
            f"backlog told to viewers: at most {max(self.backlogs, default=0):,}, {len(set(self.backlogs))} different",
            f"drained {self.drained_in_s:.1f} s after the last",
        ])


def flood(arena: Arena, events: int, *, per_request: int, note: str, within_s: float) -> Flood:
    """Send that many events as fast as they are taken; returns when their backlog is drained."""
    found, chance = Flood(events=events), random.Random(events)
    _await_level(arena, within_s)
    work = _batches(events, per_request, note, chance)
    taking, done = threading.Lock(), threading.Event()
    for name in arena.workers:
        arena.system.signal_tree(name, signal.SIGSTOP)
    with MemoryWatch(lambda: read_memory(arena), 0.1) as memory:
        wait_until(lambda: memory.course, what="a reading of before")
        began = time.monotonic()
        senders = [threading.Thread(target=_send, args=(arena, work, taking, done)) for _ in range(SENDERS)]
        for sender in senders:
            sender.start()
        try:
            wait_until(lambda: arena.counts["answers 429"], within_s, "ingest refusing")
            wait_until(lambda: _note_backlog(arena, found) > BACKLOG, within_s, "viewers told of the backlog")
        finally:
            for name in arena.workers:
                arena.system.signal_tree(name, signal.SIGCONT)
        _await_all(arena, senders, done, found, within_s)
        found.sent_in_s = time.monotonic() - began
        since = time.monotonic()
        wait_until(lambda: 0 <= _note_backlog(arena, found) < UNDER_WAY, within_s, "the backlog drained")
        found.drained_in_s = time.monotonic() - since
    found.refused = arena.counts["answers 429"]
    found.most_mb, found.growth_mb = memory.most(), memory.growth_mb()
    return found


def read_memory(arena: Arena) -> dict[str, float]:
    """Megabytes of each process with its children, and of the broker with all its buffers."""
    read = {name: resident_mb(arena.system.pid(name)) for name in arena.system.running}
    # Its own peak: what a reply or a commit takes for some milliseconds is over before anybody asks.
    return {**read, "broker": arena.server.info("memory")["used_memory_peak"] / 1e6}


def _await_level(arena: Arena, within_s: float) -> None:
    """Until every process has its children, and is as large as it is without a burst."""
    with MemoryWatch(lambda: read_memory(arena), 0.2) as memory:
        wait_until(lambda: memory.is_level(LEVEL_S, LEVEL_MB), within_s, "every process as large as it is at rest")


def calm(arena: Arena, within_s: float) -> float:
    """Stop the load; seconds until every viewer, the slow ones included, is told that it is owed nothing any more."""
    for producer in arena.producers:
        producer.stop(within_s)
    since = time.monotonic()
    wait_until(lambda: all_live(arena), within_s, "every viewer live and at its full rate")
    return time.monotonic() - since


def all_live(arena: Arena) -> bool:
    """Whether every viewer's last heartbeat owes it nothing and reduces nothing."""
    told = [entry for viewer in arena.viewers for entry in viewer.told.values()]
    return bool(told) and not any(entry.get("behind") or entry.get("rate_hz") or entry["backlog"] for entry in told)


def _batches(events: int, per_request: int, note: str, chance: random.Random) -> Iterator[Batch]:
    for first in range(0, events, per_request):
        yield Batch([_order(number, note, chance) for number in range(first, min(events, first + per_request))])


def _order(number: int, note: str, chance: random.Random) -> Event:
    return {
        "note": note,
        "id": f"burst-{number:07}", "created_at": int(time.time() * 1000), "order": f"o{chance.randrange(ORDERS)}",
        "shop": chance.choice(["north", "south", "west"]), "price": chance.randint(0, 15_000) / 100,
    }


def _send(arena: Arena, work: Iterator[Batch], taking: threading.Lock, done: threading.Event) -> None:
    client = Client(arena.door.port, SECRET, arena.counts, timeout_s=30)
    while True:
        with taking:
            batch = next(work, None)
        if batch is None or client.send(batch, done) is None:
            break
        arena.extra.append(batch)
    client.close()


def _await_all(
    arena: Arena, senders: list[threading.Thread], done: threading.Event, found: Flood, within_s: float
) -> None:
    def finished() -> bool:
        _note_backlog(arena, found)
        return not any(sender.is_alive() for sender in senders)

    try:
        wait_until(finished, within_s, "every event acknowledged")
    finally:
        done.set()
        for sender in senders:
            sender.join(35)


def _note_backlog(arena: Arena, found: Flood) -> int:
    """What the heartbeats say of the backlog now; -1 where they said nothing yet."""
    told = [entry["backlog"] for viewer in arena.viewers if not viewer.slow for entry in viewer.told.values()]
    found.backlogs += told
    return max(told, default=-1)
