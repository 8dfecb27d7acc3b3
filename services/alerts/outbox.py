"""Outbox: what is to be sent, to which sink, and what became of it; every attempt is recorded.

Of several processes one takes a delivery: whoever moves its `next_at` first. A process that dies while it sends
leaves it to the next attempt, so a message arrives at least once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import orjson
from sqlalchemy import Connection, func, insert, select, update

from services.alerts.message import Attachment, Message
from services.database import Database
from services.database.tables.alerts import deliveries, message_files, messages

ATTEMPT_MS = 60_000
"""How long an attempt may take before another process makes the next one."""
FIRST_PAUSE_MS, PAUSE_MAX_MS = 5_000, 15 * 60_000
GIVEN_UP_MS = 24 * 3_600_000
"""A message that did not arrive for so long would only mislead."""


@dataclass(frozen=True, slots=True)
class Delivery:
    """A message on its way to one sink; `attempts` counts this one."""

    id: int
    sink: str
    message: Message
    reference: str
    attempts: int
    created_at: int


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of a delivery; `next_at` is 0 where nothing more is tried."""

    sink: str
    subject: str
    created_at: int
    attempts: int
    next_at: int
    delivered_at: int
    error: str


def put(connection: Connection, message: Message, sinks: Sequence[str], at: int, incident: int | None = None) -> int:
    """Add a message for those sinks in the caller's transaction; returns its number."""
    body = orjson.dumps(message.as_json()).decode()
    row = insert(messages).values(body=body, incident=incident, created_at=at).returning(messages.c.id)
    number: int = connection.execute(row).scalar_one()
    for place, file in enumerate(message.attachments):
        values = {"name": file.name, "media_type": file.media_type, "content": file.content}
        connection.execute(insert(message_files).values(message=number, number=place, **values))
    for sink in sinks:
        waiting = {"attempts": 0, "next_at": at, "delivered_at": 0, "error": ""}
        connection.execute(insert(deliveries).values(message=number, sink=sink, **waiting))
    return number


class Outbox:
    """The deliveries of one database. Everything may raise DatabaseDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def put(self, message: Message, sinks: Sequence[str], at: int) -> int:
        """Add a message for those sinks; returns its number."""
        with self._database.writing() as connection:
            return put(connection, message, sinks, at)

    def take(self, at: int, *, patience_ms: int = 0, sinks: Sequence[str] | None = None) -> Delivery | None:
        """The delivery that is due for longest, to be tried now; None where none has been due for `patience_ms`."""
        due = select(deliveries.c.id).where(deliveries.c.next_at.between(1, at - patience_ms))
        if sinks is not None:
            due = due.where(deliveries.c.sink.in_(sinks))
        with self._database.reading() as connection:
            found = list(connection.scalars(due.order_by(deliveries.c.next_at, deliveries.c.id).limit(20)))
        return next((taken for number in found if (taken := self._take(number, at)) is not None), None)

    def _take(self, number: int, at: int) -> Delivery | None:
        claim = update(deliveries).where(deliveries.c.id == number, deliveries.c.next_at.between(1, at))
        with self._database.writing() as connection:
            values = {"attempts": deliveries.c.attempts + 1, "next_at": at + ATTEMPT_MS}
            if connection.execute(claim.values(**values)).rowcount != 1:
                return None  # another process was quicker
            return _delivery(connection, number)

    def delivered(self, delivery: Delivery, at: int) -> None:
        """It arrived."""
        self._settle(delivery, next_at=0, delivered_at=at, error="")

    def failed(self, delivery: Delivery, at: int, error: str, retry_after_ms: int = 0) -> int:
        """It did not arrive; returns when it is tried again, 0 where it is given up."""
        pause = max(retry_after_ms, min(FIRST_PAUSE_MS * 2 ** (delivery.attempts - 1), PAUSE_MAX_MS))
        next_at = at + pause if at + pause - delivery.created_at <= GIVEN_UP_MS else 0
        self._settle(delivery, next_at=next_at, delivered_at=0, error=error)
        return next_at

    def _settle(self, delivery: Delivery, **values: object) -> None:
        with self._database.writing() as connection:
            connection.execute(update(deliveries).where(deliveries.c.id == delivery.id).values(**values))

    def record(self, message: Message, sink: str, at: int, error: str = "") -> None:
        """Write down a message that was sent outside the outbox; `error` where it did not arrive."""
        with self._database.writing() as connection:
            number = put(connection, message, [sink], at)
            values = {"attempts": 1, "next_at": 0, "delivered_at": 0 if error else at, "error": error}
            connection.execute(update(deliveries).where(deliveries.c.message == number).values(**values))

    def last_delivered(self, sink: str) -> int:
        """When a message last arrived at that sink, 0 for never: what tells that a sink works."""
        newest = select(func.max(deliveries.c.delivered_at)).where(deliveries.c.sink == sink)
        with self._database.reading() as connection:
            return connection.scalar(newest) or 0

    def fates(self, incident: int | None = None, limit: int = 100) -> list[Fate]:
        """What became of the newest deliveries, of one incident or of all."""
        wanted = ("attempts", "next_at", "delivered_at", "error")
        columns = [deliveries.c.sink, messages.c.body, messages.c.created_at, *(deliveries.c[name] for name in wanted)]
        query = select(*columns).join(messages, messages.c.id == deliveries.c.message)
        if incident is not None:
            query = query.where(messages.c.incident == incident)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(deliveries.c.id.desc()).limit(limit))
            return [Fate(sink, orjson.loads(body)["subject"], *rest) for sink, body, *rest in rows]


def _delivery(connection: Connection, number: int) -> Delivery:
    query = select(
        deliveries.c.message, deliveries.c.sink, deliveries.c.attempts, messages.c.body, messages.c.created_at
    ).join(messages, messages.c.id == deliveries.c.message)
    message, sink, attempts, body, created_at = connection.execute(query.where(deliveries.c.id == number)).one()
    files = select(message_files.c.name, message_files.c.media_type, message_files.c.content)
    found = connection.execute(files.where(message_files.c.message == message).order_by(message_files.c.number))
    told = Message.from_json(orjson.loads(body), tuple(Attachment(*row) for row in found))
    return Delivery(number, sink, told, f"{created_at}-{message}-{sink}", attempts, created_at)
