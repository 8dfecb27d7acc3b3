"""Annotations: what charts mark beside incidents: declared maintenance, and notes that people wrote."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from typing import Any

import structlog

from services.accounts import can
from services.accounts.principal import Principal
from services.contract.document import Contract
from services.contract.intervals import Declared
from services.contract.register import NoticeRegister
from services.database import Database, DatabaseDown
from services.declare import Declarations
from services.notes import Note, Notes
from services.positions import Clock

READ_EVERY_MS = 5_000
"""However many viewers ask, the database is asked so often."""
STEP_MS = 60_000
KEPT_MAX = 32

log = structlog.get_logger("web")

_Found = tuple[Sequence[Declared], Sequence[Note]]


class Annotations:
    """What was declared and written for an interval; while the database is away, as it was known. Without a contract
    nothing is declared."""

    def __init__(
        self, database: Database, declarations: Declarations, contract: Contract | None, clock: Clock
    ) -> None:
        self._notices = None if contract is None else NoticeRegister(database, contract, clock)
        self._notes, self._declarations, self._clock = Notes(database, clock), declarations, clock
        self._known: dict[tuple[int, int], tuple[int, _Found]] = {}  # interval → when it was read, and what was found
        self._lock = threading.Lock()

    def marks(self, principal: Principal, since: int, until: int) -> dict[str, list[dict[str, Any]]]:
        """`maintenance` and `notes` as charts mark them, of what has begun and this principal may see."""
        now = self._clock()
        spans, notes = self._between(since - since % STEP_MS, until, now)
        return {
            "maintenance": [mark for one in spans if one.since <= now for mark in _marks(one)],
            "notes": [
                {"id": one.id, "text": one.text, "feed": one.feed or None, "began_at": one.at, "until": one.until}
                for one in notes
                if one.at <= now and (not one.feed or self._sees(principal, one.feed))
            ],
        }

    def _sees(self, principal: Principal, feed: str) -> bool:
        channels = self._declarations.channels.values()
        return any(one.feed.name == feed and can(principal, "view", one.name) for one in channels)

    def _between(self, since: int, until: int, now: int) -> _Found:
        place = (since, until // STEP_MS)
        with self._lock:
            read_at, found = self._known.get(place, (0, ([], [])))
            if now - read_at < READ_EVERY_MS:
                return found
            try:
                spans = [] if self._notices is None else self._notices.declared(since, until)
                found = (spans, self._notes.between(since, until))
            except DatabaseDown as error:
                log.debug("annotations as they were known", error=str(error))
            self._known.pop(place, None)
            self._known[place] = (now, found)
            if len(self._known) > KEPT_MAX:
                del self._known[next(iter(self._known))]
            return found


def _marks(one: Declared) -> Iterator[dict[str, Any]]:
    """A mark for each feed that it touches, one of no feed where it is all of them."""
    for feed in one.feeds or (None,):
        yield {
            "kind": one.kind, "name": one.name, "text": f"{one.about}; {one.standing}", "feed": feed,
            "began_at": one.since, "until": one.until,
        }
