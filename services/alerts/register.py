"""Register: incidents and their alerts as the database keeps them; each change moves both, in one transaction.

Many processes may see the same trouble: of one topic one incident is open, and of one key one alert, so whoever
writes first makes it, and the others learn that it is there.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.alerts.alert import Alert
from services.alerts.finding import Finding, is_worse, worst
from services.alerts.incident import Entry, Incident, What
from services.contract.document import Owner, Severity
from services.database import Database
from services.database.tables.alerts import alerts, incident_entries, incidents


class UnknownIncident(Exception):
    """No incident has that number, or what is asked of it does not fit its state; the text says what to do."""


class Register:
    """The incidents of one database. Everything may raise DatabaseDown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    # What is open --------------------------------------------------------------------------------

    def open_alerts(self) -> list[Alert]:
        """The alerts that fire now."""
        with self._database.reading() as connection:
            return open_alerts(connection)

    def incident(self, number: int) -> Incident:
        """One incident. Raises UnknownIncident."""
        with self._database.reading() as connection:
            return _incident_of(_row(connection, number))

    def incidents(self, since: int = 0, until: int | None = None) -> list[Incident]:
        """Those that were not yet over at `since` and had begun before `until`, in the order in which they began."""
        query = select(incidents).where((incidents.c.resolved_at == 0) | (incidents.c.resolved_at > since))
        if until is not None:
            query = query.where(incidents.c.began_at < until)
        with self._database.reading() as connection:
            return [
                _incident_of(row) for row in connection.execute(query.order_by(incidents.c.began_at, incidents.c.id))
            ]

    def entries(self, number: int) -> list[Entry]:
        """The timeline of an incident."""
        columns = [incident_entries.c[name] for name in ("at", "what", "person", "text")]
        query = select(*columns).where(incident_entries.c.incident == number)
        with self._database.reading() as connection:
            rows = connection.execute(query.order_by(incident_entries.c.at, incident_entries.c.id))
            return [Entry(*row) for row in rows]

    # What the watch sees --------------------------------------------------------------------------

    def fire(self, finding: Finding, at: int, watcher: str) -> int | None:
        """Make it an alert, within the open incident of its topic or a new one; its number.

        None where another process was quicker.
        """
        try:
            with self._database.writing() as connection:
                number = _opened(connection, finding, at)
                connection.execute(insert(alerts).values(
                    incident=number, key=finding.key, severity=finding.severity, stage=finding.stage, text=finding.text,
                    began_at=finding.since, fired_at=at, seen_at=at, watcher=watcher, cleared_at=0,
                ))  # fmt: skip
                return number
        except IntegrityError:
            return None

    def see(self, alert: Alert, finding: Finding, at: int, watcher: str) -> None:
        """Note that an alert goes on, in the words of now; where it got worse, so did its incident."""
        with self._database.writing() as connection:
            said = {"text": finding.text, "stage": finding.stage, "severity": finding.severity}
            connection.execute(
                update(alerts).where(alerts.c.id == alert.id).values(seen_at=at, watcher=watcher, **said)
            )
            _raise_severity(connection, locked(connection, alert.incident), finding, at)

    def clear(self, alert: Alert, at: int) -> bool:
        """End an alert; with its last one its incident is mitigated. False where another process did it."""
        with self._database.writing() as connection:
            locked(connection, alert.incident)
            ended = update(alerts).where(alerts.c.id == alert.id, alerts.c.cleared_at == 0).values(cleared_at=at)
            if connection.execute(ended).rowcount != 1:
                return False
            left = select(alerts.c.id).where(alerts.c.incident == alert.incident, alerts.c.cleared_at == 0)
            calm = update(incidents).where(incidents.c.id == alert.incident, incidents.c.mitigated_at == 0)
            if connection.execute(left).first() is None and connection.execute(calm.values(mitigated_at=at)).rowcount:
                add_entry(connection, alert.incident, at, "mitigated", text="all its alerts have ended")
            return True

    def settle(self, at: int, calm_ms: int) -> list[int]:
        """Resolve what has been calm for so long, unless a person opened it; the numbers."""
        calm = (
            (incidents.c.resolved_at == 0) & (incidents.c.mitigated_at > 0)
            & (incidents.c.mitigated_at <= at - calm_ms) & ~incidents.c.by_hand
        )  # fmt: skip
        with self._database.reading() as connection:
            due = list(connection.scalars(select(incidents.c.id).where(calm)))
        return [number for number in due if self._settled(number, calm, at)]

    def _settled(self, number: int, calm: Any, at: int) -> bool:
        with self._database.writing() as connection:
            done = update(incidents).where(incidents.c.id == number, calm).values(resolved_at=at)
            if connection.execute(done).rowcount != 1:
                return False
            add_entry(connection, number, at, "resolved", text="it stayed calm")
            return True

    # What people do -------------------------------------------------------------------------------

    def open_by_hand(
        self, severity: Severity, stage: str, text: str, began_at: int, at: int, person: str, channel: str | None = None
    ) -> int:
        """An incident that no rule saw; the person who opened it, or another, ends it."""
        with self._database.writing() as connection:
            finding = Finding("", f"person:{at}", severity, "unknown", text, began_at, channel=channel)
            number = _new_incident(connection, finding, at, by_hand=True, stage=stage)
            add_entry(connection, number, at, "detected", person, text)
            return number

    def acknowledge(self, number: int, at: int, person: str) -> None:
        """Somebody looks after it: response time ends, and it is not told again. Raises UnknownIncident."""
        with self._open(number) as (connection, row):
            if row.acknowledged_at:
                raise UnknownIncident(f"incident {number}: {row.acknowledged_by} acknowledged it already")
            _set(connection, number, acknowledged_at=at, acknowledged_by=person)
            add_entry(connection, number, at, "acknowledged", person)

    def mitigate(self, number: int, at: int, person: str) -> None:
        """Viewers have nothing of it any more. Raises UnknownIncident, also while its alerts still fire."""
        with self._open(number) as (connection, row):
            _refuse_while_firing(connection, number)
            if row.mitigated_at:
                raise UnknownIncident(f"incident {number}: it is mitigated already; resolve it")
            _set(connection, number, mitigated_at=at)
            add_entry(connection, number, at, "mitigated", person)

    def resolve(self, number: int, at: int, person: str, text: str = "") -> None:
        """Close it. Raises UnknownIncident, also while its alerts still fire: it would open again at once."""
        with self._open(number) as (connection, row):
            _refuse_while_firing(connection, number)
            _set(connection, number, mitigated_at=row.mitigated_at or at, resolved_at=at)
            add_entry(connection, number, at, "resolved", person, text)

    def assign(self, number: int, at: int, person: str, owner: Owner) -> None:
        """Whose it is: provider, client or a third party; also after it was resolved. Raises UnknownIncident."""
        with self._database.writing() as connection:
            before = locked(connection, number).owner
            _set(connection, number, owner=owner)
            add_entry(connection, number, at, "owner", person, f"{before} → {owner}")

    def note(self, number: int, at: int, person: str, text: str) -> None:
        """Add to the timeline, also after it was resolved. Raises UnknownIncident."""
        with self._database.writing() as connection:
            _row(connection, number)
            add_entry(connection, number, at, "note", person, text)

    @contextmanager
    def _open(self, number: int) -> Iterator[tuple[Connection, Row[Any]]]:
        with self._database.writing() as connection:
            row = locked(connection, number)
            if row.resolved_at:
                raise UnknownIncident(f"incident {number}: it is resolved; open another, or add a note")
            yield connection, row


def open_alerts(connection: Connection, incident: int | None = None) -> list[Alert]:
    """The alerts that fire now, of one incident or all."""
    query = select(alerts).where(alerts.c.cleared_at == 0)
    if incident is not None:
        query = query.where(alerts.c.incident == incident)
    return [Alert(**row._mapping) for row in connection.execute(query.order_by(alerts.c.id))]


def add_entry(connection: Connection, incident: int, at: int, what: What, person: str = "", text: str = "") -> None:
    """Add a line to an incident's timeline."""
    row = {"incident": incident, "at": at, "what": what, "person": person, "text": text}
    connection.execute(insert(incident_entries).values(**row))


def locked(connection: Connection, number: int) -> Row[Any]:
    """The incident, which nobody else may change until this transaction ends. Raises UnknownIncident."""
    return _row(connection, number, select(incidents).with_for_update())


def _row(connection: Connection, number: int, query: Select[Any] | None = None) -> Row[Any]:
    query = select(incidents) if query is None else query
    row = connection.execute(query.where(incidents.c.id == number)).one_or_none()
    if row is None:
        raise UnknownIncident(f"no incident {number}; `headwater incidents list` shows them")
    return row


def _set(connection: Connection, number: int, **values: object) -> None:
    connection.execute(update(incidents).where(incidents.c.id == number).values(**values))


def _refuse_while_firing(connection: Connection, number: int) -> None:
    if firing := [alert.key for alert in open_alerts(connection, number)]:
        raise UnknownIncident(
            f"incident {number}: {', '.join(firing)} still fires; mend it, or silence it: `headwater alerts silence`"
        )


def _opened(connection: Connection, finding: Finding, at: int) -> int:
    """The open incident of the finding's topic, which goes on or comes back; else a new one."""
    query = select(incidents).where(incidents.c.topic == finding.topic, incidents.c.resolved_at == 0)
    row = connection.execute(query.with_for_update()).one_or_none()
    if row is None:
        number = _new_incident(connection, finding, at)
        add_entry(connection, number, at, "detected", text=finding.text)
        return number
    if row.mitigated_at:
        add_entry(connection, row.id, at, "again", text=finding.text)
        _set(connection, row.id, mitigated_at=0)
    _raise_severity(connection, row, finding, at)
    return int(row.id)


def _raise_severity(connection: Connection, row: Row[Any], finding: Finding, at: int) -> None:
    """An incident is as severe as it ever was: what it had done is not undone by getting better."""
    if is_worse(finding.severity, row.severity):
        severity = worst((row.severity, finding.severity))
        _set(connection, row.id, severity=severity, text=finding.text, stage=finding.stage)
        add_entry(connection, row.id, at, "worse", text=finding.text)


def _new_incident(
    connection: Connection, finding: Finding, at: int, *, by_hand: bool = False, stage: str | None = None
) -> int:
    row = insert(incidents).returning(incidents.c.id).values(
        topic=finding.topic, severity=finding.severity, objective=finding.objective, channel=finding.channel,
        stage=stage or finding.stage, text=finding.text, owner=finding.owner, by_hand=by_hand, began_at=finding.since,
        detected_at=at, acknowledged_at=0, acknowledged_by="", mitigated_at=0, resolved_at=0, told="", told_at=0,
    )  # fmt: skip
    number: int = connection.execute(row).scalar_one()
    return number


def _incident_of(row: Row[Any]) -> Incident:
    known = Incident.__dataclass_fields__
    return Incident(**{name: value for name, value in row._mapping.items() if name in known})
