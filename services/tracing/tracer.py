"""Tracer: finds an event by its id or correlation id, and follows it through broker, archive and viewers' samples."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson
from sqlalchemy import or_, select

from services.batch import Batch
from services.broker import Broker
from services.database import Database
from services.database.tables import archive_deltas, archive_events
from services.declare import ChannelRef, Declarations, FeedSpec, Lane
from services.positions import Clock
from services.reducers import reducer_of
from services.tracing.trace import Committed, Painting, Place, Trace

FOUND_MAX = 20
"""So many events of one correlation id are followed."""
LOOK_BACK_MS = 24 * 3_600_000
"""How far back the archive is looked through, where nobody says otherwise."""


class _Found(NamedTuple):
    """An event where it lies."""

    lane: Lane
    entry: str
    event: dict[str, Any]
    place: Place
    why: str = ""


class Tracer:
    """Follows events; asks broker and database only when it is asked itself."""

    def __init__(self, broker: Broker, database: Database, declarations: Declarations, clock: Clock) -> None:
        self._broker, self._database, self._declarations, self._clock = broker, database, declarations, clock

    def follow(self, wanted: str, back_ms: int = LOOK_BACK_MS) -> list[Trace]:
        """The events of that id or correlation id, oldest first; none where they are not known any more.

        Raises BrokerDown or DatabaseDown.
        """
        found = {(one.lane, one.entry, one.event["id"]): one for one in self._archived(wanted, back_ms)}
        found |= {(one.lane, one.entry, one.event["id"]): one for one in self._on_streams(wanted)}
        for one in self._quarantined(wanted):
            known = next((key for key in found if (key[0], key[2]) == (one.lane, one.event["id"])), None)
            found[known or (one.lane, "", one.event["id"])] = one._replace(entry=known[1] if known else "")
        samples = self._samples() if found else []
        traces = [self._traced(one, samples) for one in list(found.values())[-FOUND_MAX:]]
        return sorted(traces, key=lambda trace: (trace.accepted_at, _order(trace.entry)))

    # Where it lies -------------------------------------------------------------------------------

    def _on_streams(self, wanted: str) -> Iterator[_Found]:
        for lane in self._declarations.lanes():
            for entry in self._broker.entries_holding(lane, wanted.encode()):
                yield from (_Found(lane, entry.id, one, "stream") for one in _those(orjson.loads(entry.events), wanted))

    def _quarantined(self, wanted: str) -> Iterator[_Found]:
        for lane in self._declarations.lanes():
            for raw in self._broker.quarantine_holding(lane, wanted.encode()):
                said = orjson.loads(raw)
                for event in _those([said.get("event")], wanted):
                    yield _Found(lane, "", event, "stream", str(said.get("why", "")))

    def _archived(self, wanted: str, back_ms: int) -> Iterator[_Found]:
        if self._database.absent:
            return
        table = archive_events.c
        named = or_(table.id == wanted, table.body.contains(f'"correlation":"{wanted}"', autoescape=True))
        asked = (
            select(table.lane, table.entry_at, table.entry_no, table.body)
            .where(table.entry_at >= self._clock() - back_ms, named)
            .order_by(table.entry_at.desc())
            .limit(FOUND_MAX)
        )
        for feed in self._declarations.feeds.values():
            if not feed.history.days:
                continue
            with self._database.reading() as connection:
                rows = connection.execute(asked.where(table.feed == feed.name)).all()
            for number, at, no, body in rows:
                yield _Found(Lane(feed.name, number), f"{at}-{no}", orjson.loads(body), "archive")

    # What became of it ---------------------------------------------------------------------------

    def _traced(self, found: _Found, samples: list[Painting]) -> Trace:
        lane, event = found.lane, found.event
        waiting = not found.why and _order(found.entry) > _order(self._broker.checkpoint(lane))
        refs = [] if found.why else list(self._concerned(self._declarations.feeds[lane.feed], event))
        committed = [] if waiting else [one for ref in refs if (one := self._committed(ref, found)) is not None]
        exact = [one for one in committed if one.exact]
        painted = [one for one in samples if any(one.shows(c.channel, c.epoch, c.seq) for c in exact)]
        return Trace(
            id=str(event["id"]), correlation=str(event.get("correlation", "")), lane=lane, entry=found.entry,
            place=found.place, state="quarantined" if found.why else "waiting" if waiting else "processed",
            created_at=_ms(event, "created_at"), accepted_at=_ms(event, "ingested_at"),
            clamped=bool(event.get("clamped")), channels=tuple(ref.name for ref in refs),
            committed=tuple(committed), painted=tuple(painted), why=found.why,
        )  # fmt: skip

    def _concerned(self, feed: FeedSpec, event: dict[str, Any]) -> Iterator[ChannelRef]:
        """The channels that fold it, by the rules by which they do."""
        for channel in self._declarations.channels_of(feed):
            if reducer_of(channel).prepare(Batch([event])).concerned:
                yield ChannelRef(channel, None if channel.partition is None else str(event[channel.partition]))

    def _committed(self, ref: ChannelRef, found: _Found) -> Committed | None:
        accepted = _ms(found.event, "ingested_at")
        for delta in self._broker.read_range(ref, 0):
            if delta.upto and _order(delta.upto) >= _order(found.entry):
                if delta.times.ingested[0] <= accepted <= delta.times.ingested[1]:
                    return Committed(ref.name, delta.epoch, delta.seq, delta.times.processed, exact=True)
                break  # the one that it is in is not on the broker any more, or it changed nothing that is shown
        return self._committed_by_time(ref, accepted)

    def _committed_by_time(self, ref: ChannelRef, accepted: int) -> Committed | None:
        if self._database.absent or not ref.channel.history.days:
            return None
        table = archive_deltas.c
        asked = (
            select(table.epoch, table.seq, table.at)
            .where(table.channel == ref.name, table.at >= accepted)
            .order_by(table.at, table.seq)
            .limit(1)
        )
        with self._database.reading() as connection:
            row = connection.execute(asked).one_or_none()
        return None if row is None else Committed(ref.name, row.epoch, row.seq, row.at, exact=False)

    def _samples(self) -> list[Painting]:
        return [Painting(*one) for part in self._broker.read_samples() for one in orjson.loads(part)]


def _those(events: Iterable[Any], wanted: str) -> Iterator[dict[str, Any]]:
    """Of some events those that were asked for: by id, or by the correlation id that they carry."""
    for event in events:
        if isinstance(event, dict) and wanted in (event.get("id"), event.get("correlation")):
            yield event


def _ms(event: dict[str, Any], name: str) -> int:
    """A time of the event; 0 where it has none, as one in quarantine may."""
    found = event.get(name)
    return found if isinstance(found, int) else 0


def _order(entry: str) -> tuple[int, int]:
    at, _, number = entry.partition("-")
    return int(at or 0), int(number or 0)
