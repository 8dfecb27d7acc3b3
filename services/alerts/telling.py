"""Telling: which incidents are told now, and in which words; nothing is told twice, by however many processes.

What was told last stands with the incident; whoever changes that, in the transaction that fills the outbox, tells it.
"""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, insert, select, update

from services.alerts.alert import Alert
from services.alerts.finding import SEVERITIES, is_worse
from services.alerts.message import Message
from services.alerts.outbox import put
from services.alerts.register import UnknownIncident, add_entry, locked, open_alerts
from services.alerts.wording import local
from services.contract.alerting import Alerting, Sink
from services.contract.document import Severity
from services.database import Database
from services.database.tables.alerts import incidents, silences

OVER = "over"
CALM_MS = 60_000
"""An end is told when it has lasted for so long: what comes back within a minute goes on."""
SUBJECT_MAX = 160


@dataclass(frozen=True, slots=True)
class Silence:
    """Topics that match `pattern` are recorded and not told from `since` to `until`."""

    id: int
    pattern: str
    since: int
    until: int
    person: str
    reason: str


class Telling:
    """Fills the outbox from the incidents. Everything may raise DatabaseDown."""

    def __init__(self, database: Database, alerting: Alerting, zone: ZoneInfo) -> None:
        self._database, self._alerting, self._zone = database, alerting, zone

    def tell(self, at: int) -> int:
        """Put what is due into the outbox; how many messages that were."""
        with self._database.reading() as connection:
            rows = connection.execute(select(incidents).where(_may_be_due())).all()
            silent = active_silences(connection, at) if rows else []
        due = [row for row in rows if self._is_due(row, at) and not is_silenced(row.topic, silent)]
        return sum(self._tell(row.id, at) for row in due)

    def note_told(self, number: int, at: int) -> None:
        """It was told already, while nothing could be written down."""
        with self._database.writing() as connection:
            chosen = update(incidents).where(incidents.c.id == number)
            connection.execute(chosen.values(told=incidents.c.severity, told_at=at))
            add_entry(connection, number, at, "told", text="told while the database did not answer")

    def _is_due(self, row: Row[Any], at: int) -> bool:
        if row.mitigated_at or row.resolved_at:
            return row.told not in ("", OVER) and at - (row.mitigated_at or row.resolved_at) >= CALM_MS
        if row.told in ("", OVER) or is_worse(row.severity, row.told):
            return True
        return self._is_to_be_repeated(row, at)

    def _is_to_be_repeated(self, row: Row[Any], at: int) -> bool:
        pause_ms = 1_000 * self._alerting.repeat_after_s
        return bool(pause_ms) and not row.acknowledged_at and at - row.told_at >= pause_ms

    def _tell(self, number: int, at: int) -> bool:
        with self._database.writing() as connection:
            row = locked(connection, number)
            if not self._is_due(row, at):
                return False  # another process told it meanwhile
            over = bool(row.mitigated_at or row.resolved_at)
            message = self._over(row) if over else self._firing(row, open_alerts(connection, number))
            told = {"told": OVER if over else row.severity, "told_at": at}
            connection.execute(update(incidents).where(incidents.c.id == number).values(**told))
            sinks = sinks_for(self._alerting.sinks, row.told if over else row.severity)
            put(connection, message, sinks, at, number)
            whom = f"told by {', '.join(sinks)}" if sinks else "no sink takes this severity"
            add_entry(connection, number, at, "told", text=f"{message.subject}: {whom}")
            return True

    def _firing(self, row: Row[Any], alerts: Sequence[Alert]) -> Message:
        again = row.told and not is_worse(row.severity, row.told if row.told != OVER else None)
        still = "still " if again and row.told != OVER else ""
        how_many = f", {len(alerts)} alerts" if len(alerts) > 1 else ""
        subject = f"[{still}{row.severity}{how_many}] {row.text}"
        lines = tuple(dict.fromkeys(alert.text for alert in alerts)) or (row.text,)
        return Message(_shortened(subject), lines, self._facts(row), row.severity)

    def _over(self, row: Row[Any]) -> Message:
        when = self._clock(row.mitigated_at or row.resolved_at)
        subject = f"[over since {when:%H:%M}] {row.text}"
        return Message(
            _shortened(subject), (f"over since {when:%Y-%m-%d %H:%M %Z}; it was: {row.text}",), self._facts(row)
        )

    def _facts(self, row: Row[Any]) -> dict[str, str]:
        facts = {
            "Incident": str(row.id), "Severity": row.severity, "Cause": row.stage,
            "Since": f"{self._clock(row.began_at):%Y-%m-%d %H:%M:%S %Z}",
        }  # fmt: skip
        if row.objective:
            facts["Objective"] = row.objective
        if row.acknowledged_at:
            facts["Acknowledged by"] = row.acknowledged_by
        elif not row.resolved_at:
            facts["Acknowledge"] = f"headwater alerts ack {row.id}"
        return facts

    def _clock(self, at: int) -> Any:
        return local(at, self._zone)

    # Silences ------------------------------------------------------------------------------------

    def silence(self, pattern: str, since: int, until: int, person: str, reason: str) -> int:
        """Tell nothing of topics that match, `*` any; it is recorded all the same, and counts. Its number."""
        row = insert(silences).returning(silences.c.id)
        values = {"pattern": pattern, "since": since, "until": until, "person": person, "reason": reason}
        with self._database.writing() as connection:
            number: int = connection.execute(row.values(**values)).scalar_one()
            return number

    def end_silence(self, number: int, at: int) -> None:
        """Tell again from now on. Raises UnknownIncident where no silence of that number is under way."""
        under_way = update(silences).where(silences.c.id == number, silences.c.until > at)
        with self._database.writing() as connection:
            if connection.execute(under_way.values(until=at)).rowcount != 1:
                raise UnknownIncident(f"no silence {number} under way; `headwater alerts list` shows them")

    def silences(self, at: int) -> list[Silence]:
        """Those under way."""
        with self._database.reading() as connection:
            return active_silences(connection, at)


def active_silences(connection: Connection, at: int) -> list[Silence]:
    """The silences under way at that moment."""
    query = select(silences).where(silences.c.since <= at, silences.c.until > at).order_by(silences.c.id)
    return [Silence(**row._mapping) for row in connection.execute(query)]


def is_silenced(topic: str, silent: Sequence[Silence]) -> bool:
    """Whether one of the patterns matches."""
    return any(fnmatch.fnmatchcase(topic, one.pattern) for one in silent)


def sinks_for(sinks: Sequence[Sink], severity: Severity) -> list[str]:
    """The names of those that take this severity."""
    return [sink.name for sink in sinks if SEVERITIES.index(sink.least) <= SEVERITIES.index(severity)]


def _may_be_due() -> Any:
    """What is open, or over and not told so."""
    return (incidents.c.resolved_at == 0) | incidents.c.told.in_(SEVERITIES)


def _shortened(subject: str) -> str:
    return subject if len(subject) <= SUBJECT_MAX else f"{subject[: SUBJECT_MAX - 1]}…"
