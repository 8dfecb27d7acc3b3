"""Forgetting: everything of one key of a feed leaves the broker and the archive.

First the lane's own writer takes it out of the channels, at a place in the order of events; then the archive passes
that place; then what both have read is dropped, and the archive is cleaned. Each step may be repeated. Events that come
after the request are new ones. What is retired has no writer, and nobody is shown it: the broker lets go of it as a
whole.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import orjson
from sqlalchemy import select

from services.accounts.audit import Audit
from services.archive.forgetting import forget_key
from services.broker import Broker, Quarantined
from services.database import Database
from services.database.tables import archive_channels, archive_lanes
from services.declare import ChannelRef, Declarations, FeedSpec, Lane, hash_of_key
from services.positions import Position

T = TypeVar("T")
Heads = Mapping[ChannelRef, Position]

LOOK_EVERY_S = 0.05
READ_BY_THEN_S = 2.0
"""After so long every gateway has read what a commit wrote."""


class NotForgotten(Exception):
    """It could not be brought to its end; the text says what is missing. To run it again does no harm."""


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was removed: channels that lost the key, by place in the broker, and rows by table of the archive."""

    channels: Mapping[str, int]
    broker: Mapping[str, int]
    archive: Mapping[str, int]

    @property
    def nothing(self) -> bool:
        return not any((*self.channels.values(), *self.broker.values(), *self.archive.values()))


class Forgetting:
    """Forgets keys. `wait_s`: how long lanes and archive are waited for."""

    def __init__(
        self,
        broker: Broker,
        database: Database,
        declarations: Declarations,
        *,
        wait_s: float = 60.0,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._broker, self._database, self._declarations = broker, database, declarations
        self._wait_s, self._sleep, self._audit = wait_s, sleep, Audit(database)

    def forget(self, feed: FeedSpec, key: str, by: str) -> Forgotten:
        """Forget a key. Raises NotForgotten, BrokerDown or DatabaseDown."""
        asked, channels = self._last_of(feed) if feed.retired is not None else self._asked(feed, key)
        committed, heads = time.monotonic(), {lane: self._heads(lane) for lane in asked}
        for lane in set(asked) & set(self._declarations.archived_lanes()):
            self._await_archive(feed, lane, asked[lane], heads[lane])
        self._sleep(max(0.0, committed + READ_BY_THEN_S - time.monotonic()))
        dropped = self._drop(feed, key, asked, heads)
        removed = forget_key(self._database, self._declarations, feed, key)
        self._broker.rewrite_log()
        found = Forgotten(channels, dropped, removed)
        detail = ", ".join(f"{name} {count}" for part in (channels, dropped, removed) for name, count in part.items())
        self._audit.record("forgotten", who=by, subject=f"{feed.name} {trace_of(key)}", detail=detail)
        return found

    # The lane's writer, and the archive ----------------------------------------------------------

    def _asked(self, feed: FeedSpec, key: str) -> tuple[dict[Lane, str], dict[str, int]]:
        """Where the request stands on each lane's stream, and how often each channel had the key."""
        token = secrets.token_hex(8)
        asked = {lane: self._broker.ask_to_forget(lane, token, key) for lane in feed.all_lanes()}
        channels: Counter[str] = Counter()
        for lane in asked:
            channels.update(self._taken_out(lane, token))
        return asked, dict(channels)

    def _last_of(self, feed: FeedSpec) -> tuple[dict[Lane, str], dict[str, int]]:
        """The same of a retired feed, which nobody leads and nobody posts to: all there is came before the request."""
        return {lane: self._broker.last_entry(lane) for lane in feed.all_lanes()}, {}

    def _taken_out(self, lane: Lane, token: str) -> dict[str, int]:
        found = self._until(lambda: self._broker.forgotten(lane, token))
        if found is None:
            raise NotForgotten(f"lane {lane}: no worker took the key out of its channels; start one, then run it again")
        return found

    def _heads(self, lane: Lane) -> Heads:
        """Where the lane's channels stand."""
        refs = [self._declarations.resolve_past(name) for name in self._broker.channels_of(lane)]
        heads = self._broker.read_heads([ref for ref in refs if ref is not None])
        return {ref: head.position for ref, head in heads.items() if head.position is not None}

    def _await_archive(self, feed: FeedSpec, lane: Lane, entry: str, heads: Heads) -> None:
        if self._until(lambda: self._is_archived(feed, lane, entry, heads) or None) is None:
            raise NotForgotten(
                f"lane {lane}: the archive did not come up to now, so that the events stay in the broker for it; see"
                " /readyz, start a worker with the station archive, then run it again"
            )

    def _is_archived(self, feed: FeedSpec, lane: Lane, entry: str, heads: Heads) -> bool:
        """Whether the archive has passed the request, in the epoch of now: in a new one it reads the stream again."""
        standing = self._broker.archive_standing(lane)
        lanes, channels = archive_lanes.c, archive_channels.c
        with self._database.reading() as connection:
            found = connection.execute(
                select(lanes.epoch, lanes.entry_at, lanes.entry_no).where(
                    lanes.feed == lane.feed, lanes.lane == lane.number
                )
            ).one_or_none()
            wanted = select(channels.channel, channels.epoch, channels.seq).where(channels.feed == lane.feed)
            kept = {name: Position(epoch, seq) for name, epoch, seq in connection.execute(wanted)}
        if standing is None and feed.retired is not None:
            return True  # no worker ever opened it, or it was let go already
        if found is None or standing is None or found.epoch != standing.epoch:
            return False
        at, _, number = entry.partition("-")
        if feed.history.days and (found.entry_at, found.entry_no) < (int(at), int(number)):
            return False
        archived = ((ref, head) for ref, head in heads.items() if ref.channel.history.days and head.seq)
        return all(_is_reached(kept.get(ref.name), head) for ref, head in archived)

    def _until(self, ask: Callable[[], T | None]) -> T | None:
        """The first answer that is one; None where there is none in time."""
        deadline = time.monotonic() + self._wait_s
        while (answer := ask()) is None and time.monotonic() < deadline:
            self._sleep(LOOK_EVERY_S)
        return answer

    # What everybody has read ---------------------------------------------------------------------

    def _drop(self, feed: FeedSpec, key: str, asked: Mapping[Lane, str], heads: Mapping[Lane, Heads]) -> dict[str, int]:
        if feed.retired is not None:
            return {"retired lanes": sum(map(self._broker.drop_lane, asked))}
        dropped: Counter[str] = Counter()
        for lane, entry in asked.items():
            dropped["stream entries"] += self._broker.drop_entries(lane, entry)
            for ref, head in heads[lane].items():
                if ref.channel.retired is not None:
                    dropped["retired channels"] += self._broker.drop_channel(lane, ref.name)
                    continue
                dropped["deltas"] += self._broker.drop_deltas(lane, ref.name, head.seq)
            dropped["quarantined"] += self._drop_quarantined(feed, lane, key)
        first = Lane(feed.name, 0)
        dropped["rejection samples"] += self._broker.drop_samples(first, key)
        for lane in asked:  # its writer says anew each second what it last refused
            self._until(partial(self._tells_no_more, lane, key))
        return dict(dropped)

    def _tells_no_more(self, lane: Lane, key: str) -> bool | None:
        return True if key not in self._broker.progress_text(lane) else None

    def _drop_quarantined(self, feed: FeedSpec, lane: Lane, key: str) -> int:
        found = 0
        for held in self._broker.quarantined(lane):
            events = _events_of(held)
            if held.of:
                rest = [n for n, of in enumerate(held.of) if of != hash_of_key(key)]
            else:
                rest = [n for n, event in enumerate(events) if not _is_of(event, feed.key, key)]
            if len(rest) < len(events) or (not events and key in str(held.event)):
                found += 1
                self._broker.replace_quarantined(lane, held.id, _left(held, events, rest))
        return found


def trace_of(key: str) -> str:
    """What the audit log keeps of a key: who knows it can tell that it is the one, nobody can read it off."""
    salt = secrets.token_bytes(8)
    return f"scrypt:{salt.hex()}:{hash_with(salt, key)}"


def hash_with(salt: bytes, key: str) -> str:
    """A key's hash (scrypt, RFC 7914): slow, as keys may be few or short."""
    return hashlib.scrypt(key.encode("utf-8", "replace"), salt=salt, n=2**14, r=8, p=1, dklen=16).hex()


def _is_reached(kept: Position | None, head: Position) -> bool:
    """Whether the archive has come to a position."""
    return kept is not None and kept.epoch == head.epoch and kept.seq >= head.seq


def _left(held: Quarantined, events: Sequence[object], rest: Sequence[int]) -> bytes | None:
    """An entry of the quarantine with the rest of its events; None where there is none."""
    if not rest:
        return None
    kept = {"event": orjson.dumps([events[n] for n in rest]).decode(), "why": held.why, "at": held.at}
    return orjson.dumps(kept | ({"of": [held.of[n] for n in rest]} if held.of else {}))


def _is_of(event: object, field: str, key: str) -> bool:
    return isinstance(event, dict) and str(event.get(field)) == key


def _events_of(held: Quarantined) -> list[object]:
    """The events of an entry in quarantine; nothing where its text cannot be read."""
    event = held.event
    if isinstance(event, str):
        try:
            event = orjson.loads(event)
        except orjson.JSONDecodeError:
            return []
    return list(event) if isinstance(event, list) else [event]
