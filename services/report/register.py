"""Register: which reports were made and sent; a report and its place in the outbox are written together or not at all.

So it is sent once, by however many workers, through a crash at any moment.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import insert, select
from sqlalchemy.exc import IntegrityError

from services.alerts.message import Message
from services.alerts.outbox import put
from services.contract.periods import Period
from services.database import Database
from services.database.tables import reports


@dataclass(frozen=True, slots=True)
class Made:
    """A report as it was sent."""

    key: str
    made_at: int
    html: bytes
    pdf: bytes


class ReportRegister:
    """The reports of one database. Everything may raise DatabaseDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keys(self) -> frozenset[str]:
        """The keys of all that were made."""
        with self._database.reading() as connection:
            return frozenset(connection.scalars(select(reports.c.key)))

    def made(self, key: str) -> Made | None:
        """A report as it was sent; None where it was not made."""
        columns = (reports.c.key, reports.c.made_at, reports.c.html, reports.c.pdf)
        with self._database.reading() as connection:
            row = connection.execute(select(*columns).where(reports.c.key == key)).one_or_none()
        return None if row is None else Made(*row)

    def send(self, key: str, interval: Period, html: bytes, pdf: bytes, message: Message,
             sinks: tuple[str, ...], at: int) -> bool:  # fmt: skip
        """Keep the report and hand its message to the sinks; False where another worker did so before."""
        values = {"key": key, "since": interval.since, "until": interval.until, "made_at": at, "html": html, "pdf": pdf}
        try:
            with self._database.writing() as connection:
                number = put(connection, message, sinks, at)
                connection.execute(insert(reports).values(message=number, **values))
        except IntegrityError:
            return False
        return True
