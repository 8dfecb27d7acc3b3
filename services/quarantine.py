"""Quarantine: what no channel could fold: shown, folded once more after its cause was mended, or let go.

Personal fields do not stand in the quarantine. What is replayed is taken from the archive, where that has the event;
else it is folded without them.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy import select

from services.accounts.audit import Audit
from services.broker import Broker, Quarantined
from services.database import Database
from services.database.tables import archive_events
from services.declare import Declarations, FeedSpec, Lane
from services.positions import Clock, wall_clock

SHOWN_MAX = 100


class NotInQuarantine(LookupError):
    """There is no such entry, or not any more; or it cannot be replayed. The text says which."""


class Quarantine:
    """The quarantine of all feeds. Everything may raise BrokerDown or DatabaseDown."""

    def __init__(
        self, broker: Broker, database: Database, declarations: Declarations, clock: Clock = wall_clock
    ) -> None:
        self._broker, self._database, self._declarations = broker, database, declarations
        self._audit, self._clock = Audit(database, clock), clock

    def entries(self, feed: str | None = None, most: int = SHOWN_MAX) -> list[Quarantined]:
        """What is in quarantine, of one feed or of all, newest first."""
        lanes = [lane for lane in self._declarations.lanes() if feed in (None, lane.feed)]
        found = [one for lane in lanes for one in self._broker.quarantined(lane, most)]
        return sorted(found, key=lambda one: one.at, reverse=True)[:most]

    def replay(self, lane: Lane, entry_id: str, by: str) -> int:
        """Fold its events once more, as if they came now; returns how many. The archive has them already.

        Raises NotInQuarantine. What still cannot be folded comes back, as a new entry.
        """
        held, feed = self._broker.quarantined_one(lane, entry_id), self._declarations.feeds[lane.feed]
        if held is None:
            raise _gone(lane, entry_id)
        bodies = [orjson.dumps(self._fresh(feed, event)) for event in _events_of(held)]
        # first the entry: where the database is away nothing is done, rather than something that nobody did
        self._audit.record("quarantine_replayed", who=by, subject=f"{lane}/{entry_id}", detail=f"{len(bodies)} events")
        if not self._broker.replay_quarantined(lane, entry_id, bodies):
            raise _gone(lane, entry_id)
        return len(bodies)

    def discard(self, lane: Lane, entry_id: str, by: str) -> None:
        """Let it go. Raises NotInQuarantine."""
        if self._broker.quarantined_one(lane, entry_id) is None:
            raise _gone(lane, entry_id)
        self._audit.record("quarantine_discarded", who=by, subject=f"{lane}/{entry_id}")
        if not self._broker.discard_quarantined(lane, entry_id):
            raise _gone(lane, entry_id)

    def _fresh(self, feed: FeedSpec, event: dict[str, Any]) -> dict[str, Any]:
        """The event as it is folded: ingested now, or its latency would be counted from the day that it first came."""
        if feed.personal:
            hidden = {name: value for name, value in event.items() if name not in feed.personal}
            event = self._archived(feed, event) or hidden
        return {**event, "ingested_at": self._clock()}

    def _archived(self, feed: FeedSpec, event: dict[str, Any]) -> dict[str, Any] | None:
        table = archive_events.c
        wanted = select(table.body).where(
            table.feed == feed.name, table.created_at == event.get("created_at"), table.id == str(event.get("id"))
        )
        with self._database.reading() as connection:
            body = connection.execute(wanted.limit(1)).scalar()
        found: dict[str, Any] | None = None if body is None else orjson.loads(body)
        return found


def _events_of(held: Quarantined) -> list[dict[str, Any]]:
    """The events of an entry. Raises NotInQuarantine where there are none to be read."""
    events = held.event
    if isinstance(events, str):
        try:
            events = orjson.loads(events)
        except orjson.JSONDecodeError:
            events = None
    events = [events] if isinstance(events, dict) else events
    if not isinstance(events, list) or not events or not all(isinstance(event, dict) for event in events):
        raise NotInQuarantine(f"{held.lane}/{held.id}: holds no events that could be folded; discard it")
    return events


def _gone(lane: Lane, entry_id: str) -> NotInQuarantine:
    return NotInQuarantine(f"{lane}/{entry_id}: not in quarantine (any more); see `headwater quarantine list`")
