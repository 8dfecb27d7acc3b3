"""Truth: at the end, what was acknowledged, what the system says and what every viewer holds must be the same.

After a loss (a broker without its data, a replica that was behind) the truth is: batches that were acknowledged
before the loss and cannot have survived it are gone; those whose sending overlaps it are sent once more, as a
careful client would, and are in. So every event has one answer, and the state is compared with the fold of exactly
those that are in.
"""

from __future__ import annotations

import math
import sqlite3
import threading
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import closing
from typing import Any

from tests.chaos.arena import CHANNELS, Arena
from tests.chaos.producers import Batch, Client
from tests.installation import SECRET
from tests.services import oracle

Event = dict[str, Any]


def settle(arena: Arena, within_s: float = 20.0) -> None:
    """Stop the load, let all arrive, and compare; whatever differs is a violation."""
    for producer in arena.producers:
        if not producer.stop(within_s):
            arena.record.violation("not acknowledged", f"a batch was not acknowledged within {within_s:g} s")
    survivors = _survivors(arena, within_s)
    events = list({event["id"]: event for batch in survivors for event in batch.events}.values())
    for viewer in arena.viewers:
        viewer.slow_s = 0.0
    for answer in (text for text in arena.counts if text.startswith("answer that does not add up")):
        arena.record.violation("receipt", answer)
    wanted = expected(events)
    if not _until(within_s, lambda: _stays(lambda: _count(arena), len(events))):
        arena.record.violation("count", f"{len(events)} events are in, the total counts {_count(arena)}")
    if not _until(within_s, lambda: not _stragglers(arena)):
        arena.record.violation("not converged", "; ".join(_stragglers(arena)[:4]))
    _compare(arena, wanted)
    _compare_archive(arena, [event["id"] for event in events], within_s)
    _judge_epochs(arena)


def _survivors(arena: Arena, within_s: float) -> list[Batch]:
    """The batches that are in; those in doubt are sent again first, which makes them so."""
    survivors, in_doubt = [], []
    for batch in arena.acknowledged():
        fate = "in"
        for loss in arena.losses:
            if batch.acknowledged_at <= loss.before:
                fate = fate if loss.keeps_former else "lost"
            elif batch.sent_at < loss.until and fate != "lost":
                fate = "doubt"
        arena.counts[f"batches {fate}"] += 1
        if fate != "lost":
            survivors.append(batch)
        if fate == "doubt":
            in_doubt.append(batch)
    giving_up = threading.Event()
    timer = threading.Timer(within_s, giving_up.set)
    timer.start()
    client = Client(arena.door.port, SECRET, arena.counts)
    for batch in in_doubt:
        new = client.send(Batch(batch.events), giving_up)
        arena.counts["events lost with the broker and sent again"] += new or 0
    client.close()
    timer.cancel()
    return survivors


def expected(events: Sequence[Event]) -> dict[str, Any]:
    """Each channel's data by the oracle; of the total only what is told in its columns."""
    total = {"orders": len(events), "turnover": math.fsum(event["price"] for event in events)}
    return {
        "orders.everything": oracle.latest(events),
        "orders.prices": oracle.prices(events, 600_000),
        "orders.dear": oracle.log([event for event in events if event["price"] >= 100], 20),
        "orders.total": total if events else {},
    }


def _comparable(channel: str, data: Any) -> Any:
    if channel != "orders.total":
        return data
    return {name: row[name] for row in data["rows"].values() for name in ("orders", "turnover")}


def _count(arena: Arena) -> int:
    try:
        rows = arena.snapshot(min(arena.web_ports), "orders.total")["data"]["rows"]
    except OSError:
        return -1
    return int(rows["all"]["orders"]) if rows else 0


def _stragglers(arena: Arena) -> list[str]:
    """Viewers and webs that are not where the first web is."""
    found = []
    for channel in CHANNELS:
        try:
            heads = {name: arena.snapshot(name, channel) for name in arena.web_ports}
        except OSError as error:
            return [f"no snapshot: {error}"]
        places = {name: (head["epoch"], head["seq"]) for name, head in heads.items()}
        for viewer in arena.viewers:
            if channel in viewer.channels:
                held = viewer.held.get(channel)
                places[viewer.name] = (held.at.epoch, held.at.seq) if held is not None else ("", 0)
        first = places[min(arena.web_ports)]
        found += [f"{channel}: {name} is at {at}, not {first}" for name, at in places.items() if at != first]
    return found


def _compare(arena: Arena, wanted: dict[str, Any]) -> None:
    for channel in CHANNELS:
        shown: dict[str, Any] = {}
        for name in arena.web_ports:
            try:
                shown[name] = arena.snapshot(name, channel)["data"]
            except OSError as error:
                arena.record.violation("no answer", f"{name}: {error}")
        for viewer in arena.viewers:
            if channel in viewer.channels and channel in viewer.held:
                shown[viewer.name] = arena.world.call(viewer.held[channel].state.data)
        wrong = [name for name, data in shown.items() if _comparable(channel, data) != wanted[channel]]
        if wrong:
            difference = _difference(wanted[channel], _comparable(channel, shown[wrong[0]]))
            arena.record.violation(
                "wrong value", f"{channel}: {len(wrong)} of {len(shown)}, {wrong[0]} among them, differ: {difference}"
            )


def _compare_archive(arena: Arena, wanted: Sequence[str], within_s: float) -> None:
    """What is in is in the archive, too; once, where no broker lost what it had accepted and accepted it again.

    Less is right only where the archive says so: a gap of events that were dropped for memory.
    """
    def missing() -> int:
        return len(set(wanted) - set(_archived(arena, "SELECT id FROM archive_events WHERE feed = 'orders'")))

    def forgiven() -> int:
        return sum(_archived(arena, "SELECT events FROM archive_gaps WHERE feed = 'orders' AND reason = 'shed'"))

    if not _until(within_s, lambda: missing() <= forgiven()):
        arena.record.violation("archive", f"{missing()} of {len(wanted)} events are missing, {forgiven()} are told")
    kept = Counter(_archived(arena, "SELECT id FROM archive_events WHERE feed = 'orders'"))
    arena.counts["events archived"] += kept.total()
    arena.counts["events told missing in the archive"] += forgiven()
    twice = [one for one, times in kept.items() if times > 1]
    if twice and not arena.losses:
        arena.record.violation("archive", f"{len(twice)} events are there twice: {twice[:3]}")


def _archived(arena: Arena, question: str) -> list[Any]:
    """One column of the installation's database, read as anybody could."""
    database = arena.system.folder / "data" / "headwater.db"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True, timeout=10)) as connection:
        return [found for (found,) in connection.execute(question)]


def _difference(wanted: Any, shown: Any, path: str = "") -> str:
    """The first place at which two values differ."""
    if isinstance(wanted, dict) and isinstance(shown, dict):
        for key in sorted({*wanted, *shown}):
            if wanted.get(key) != shown.get(key):
                return _difference(wanted.get(key), shown.get(key), f"{path}/{key}")
    if isinstance(wanted, list) and isinstance(shown, list):
        for index, (one, other) in enumerate(zip(wanted, shown, strict=False)):
            if one != other:
                return _difference(one, other, f"{path}/{index}")
        return f"{path}: {len(wanted)} wanted, {len(shown)} shown"
    return f"{path}: {str(wanted)[:150]} wanted, {str(shown)[:150]} shown"


def _judge_epochs(arena: Arena) -> None:
    """A new epoch costs every viewer a snapshot: there is one only where the broker is another or a new one."""
    for channel, epochs in arena.epochs().items():
        if len(epochs) > arena.identities:
            arena.record.violation(
                "needless epoch", f"{channel}: {len(epochs)} epochs; the broker changed {arena.identities - 1} times"
            )


def _stays(read: Callable[[], int], wanted: int, for_s: float = 0.5) -> bool:
    """Whether a value is as wanted and stays so: one that counts twice passes the right one on its way."""
    return not _until(for_s, lambda: read() != wanted)


def _until(within_s: float, condition: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + within_s
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.1)
    return True
