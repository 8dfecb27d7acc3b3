"""Events: entries of a lane's stream as rows to keep."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from services.archive.batch import EventRow, Gap, entry_parts
from services.broker import Entry
from services.declare import Lane


def event_rows(lane: Lane, entries: Sequence[Entry]) -> tuple[list[EventRow], list[Gap]]:
    """The events of entries, in the order of acceptance; an entry that cannot be read is a gap."""
    rows: list[EventRow] = []
    gaps: list[Gap] = []
    for entry in entries:
        if entry.mark:
            continue  # nobody's events
        try:
            events = orjson.loads(entry.events)
            rows += [_row(entry.id, number, event) for number, event in enumerate(events)]
        except (orjson.JSONDecodeError, TypeError, AttributeError):
            at, _ = entry_parts(entry.id)
            gaps.append(Gap(lane.feed, "", at, at, entry.count, "unreadable"))
    return rows, gaps


def _row(entry: str, number: int, event: dict[str, Any]) -> EventRow:
    at, entry_no = entry_parts(entry)
    created, ingested = event.get("created_at"), event.get("ingested_at")
    return EventRow(
        entry_at=at,
        entry_no=entry_no,
        number=number,
        id=str(event.get("id", "")),
        created_at=created if isinstance(created, int) else at,
        ingested_at=ingested if isinstance(ingested, int) else at,
        body=orjson.dumps(event).decode(),
    )
