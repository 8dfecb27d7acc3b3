"""Register: the notices of both parties as the database keeps them; a row is added, confirmed, ended, never removed.

The time of recording is the caller's clock, never what somebody typed: what was recorded late stays late.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any

from sqlalchemy import Connection, insert, select, text, update

from services.contract.document import Contract, Objective
from services.contract.exclusions import RecurringWindow
from services.contract.intervals import Declared, declared, shares
from services.contract.moments import moment
from services.contract.notices import (
    HOUR_MS,
    IN_FILE,
    Notice,
    NoticeError,
    NoticeKind,
    NoticeParty,
    WeeklyWindow,
    refusal,
)
from services.database import Database
from services.database.tables.contract import notices, weekly_windows
from services.positions import Clock, wall_clock

DAY_MS = 24 * HOUR_MS


class NoticeRegister:
    """The register of one contract in one database. Everything may raise DatabaseDown."""

    def __init__(self, database: Database, contract: Contract, clock: Clock = wall_clock) -> None:
        self._database, self.contract, self._clock = database, contract, clock

    def now(self) -> int:
        """The register's clock, by which everything is early or late."""
        return self._clock()

    # What was declared ---------------------------------------------------------------------------

    def notices(self) -> list[Notice]:
        """All entries, in the order of recording."""
        with self._database.reading() as connection:
            return [_notice(row) for row in connection.execute(select(notices).order_by(notices.c.id))]

    def windows(self) -> list[WeeklyWindow]:
        """All versions of all recurring windows."""
        with self._database.reading() as connection:
            rows = connection.execute(select(weekly_windows).order_by(weekly_windows.c.id))
            return [_window(row) for row in rows]

    def declared(self, since: int, until: int) -> list[Declared]:
        """Every declared span that touches that time, with its standing."""
        return declared(self.contract, self.notices(), self.windows(), since, until)

    # What somebody records -----------------------------------------------------------------------

    def record(
        self, kind: NoticeKind, *, since: int, until: int, reason: str, person: str, party: NoticeParty, name: str = ""
    ) -> Notice:
        """Put a notice on the register; one that comes too late is recorded as refused.

        Raises NoticeError, with nothing recorded, where it makes no sense or the contract has no rule for it.
        """
        now = self.now()
        _require(person, "person", "give the name of who answers for it")
        _require(reason, "reason", "say in words why")
        if until <= since:
            raise NoticeError("notice: it ends before it begins; give a later end")
        if kind == "third_party":
            self._require_third_party(name)
        refused = refusal(self.contract, kind, since, now)
        row = Notice(0, kind, name, since, until, reason.strip(), person.strip(), party, now, refused)
        with self._database.writing() as connection:
            return _added(connection, row)

    def _require_third_party(self, name: str) -> None:
        known = [one.name for one in self.contract.exclusions.third_parties]
        if known and name not in known:
            raise NoticeError(f"notice: {name!r}: no such third party; the contract names {', '.join(known)}")

    def confirm(self, number: int, *, person: str, party: NoticeParty) -> Notice:
        """The other party agrees to a claim. Raises NoticeError where it is none, or its own party asks."""
        _require(person, "person", "give the name of who answers for it")
        with self._database.writing() as connection:
            found = _find(connection, number)
            if not found.is_claim:
                raise NoticeError(f"notice {number}: {found.kind} needs no confirmation")
            if found.confirmed_by:
                raise NoticeError(f"notice {number}: {found.confirmed_by} confirmed it already")
            if found.party == party or found.person.casefold() == person.strip().casefold():
                other = "client" if found.party == "provider" else "provider"
                raise NoticeError(
                    f"notice {number}: {found.person} claimed it for the {found.party}; the {other} confirms"
                )
            _change(connection, number, confirmed_by=person.strip(), confirmed_at=self._clock())
            return _find(connection, number)

    def end(self, number: int) -> Notice:
        """It is over, or called off before it began. Raises NoticeError where it ended before."""
        now = self._clock()
        with self._database.writing() as connection:
            found = _find(connection, number)
            if found.over_at <= now:
                raise NoticeError(f"notice {number}: it is over already")
            _change(connection, number, ended_at=now)
            return _find(connection, number)

    # What the file announces ---------------------------------------------------------------------

    def announce(self) -> None:
        """Record the windows of the contract's file as of now; those that left the file end. Safe to repeat."""
        rules = self.contract.exclusions.maintenance
        with self._database.writing() as connection:
            if (
                not self._database.is_sqlite
            ):  # there a writer is alone anyhow; here a second one waits, and finds all done
                connection.execute(text("LOCK TABLE weekly_windows IN SHARE ROW EXCLUSIVE MODE"))
            self._announce_weekly(connection, () if rules is None else rules.recurring)
            self._announce_single(connection)

    def _announce_weekly(self, connection: Connection, wanted: tuple[RecurringWindow, ...]) -> None:
        now, zone = self._clock(), self.contract.zone.key
        rows = connection.execute(select(weekly_windows).where(weekly_windows.c.gone_at == 0))
        known = {_schedule(row): row.id for row in rows}
        announced = {(one.name, one.weekday, one.begins.isoformat(), one.minutes, zone): one for one in wanted}
        for schedule, number in known.items():
            if schedule not in announced:
                gone = update(weekly_windows).where(weekly_windows.c.id == number).values(gone_at=now)
                connection.execute(gone)
        rules = self.contract.exclusions.maintenance
        ahead = 0 if rules is None else rules.notice_hours * HOUR_MS
        for (name, weekday, begins, minutes, _), one in announced.items():
            if (name, weekday, begins, minutes, zone) not in known:
                values = {
                    "name": name, "weekday": weekday, "begins": begins, "minutes": minutes, "zone": zone,
                    "about": one.about, "seen_at": now, "counts_from": now + ahead, "gone_at": 0,
                }  # fmt: skip
                connection.execute(insert(weekly_windows).values(**values))

    def _announce_single(self, connection: Connection) -> None:
        now, zone = self._clock(), self.contract.zone
        rules = self.contract.exclusions.maintenance
        wanted = {
            (one.name, moment(zone, one.begins), moment(zone, one.ends, last=True)): one
            for one in (() if rules is None else rules.single)
        }
        rows = connection.execute(select(notices).where(notices.c.person == IN_FILE, notices.c.ended_at == 0))
        known = {(row.name, row.since, row.until): _notice(row) for row in rows}
        for place, notice in known.items():
            if place not in wanted and notice.since > now:
                _change(connection, notice.id, ended_at=now)
        for (name, since, until), one in wanted.items():
            if (name, since, until) not in known:
                refused = refusal(self.contract, "maintenance", since, now)
                _added(
                    connection,
                    Notice(0, "maintenance", name, since, until, one.about, IN_FILE, "provider", now, refused),
                )


class Excluded:
    """What declared intervals take out of each minute, for the ledger; the register is read anew every few seconds."""

    def __init__(self, register: NoticeRegister, clock: Clock = wall_clock, every_ms: int = 10_000) -> None:
        self._register, self._clock, self._every_ms = register, clock, every_ms
        self._read_at, self._notices, self._windows = 0, list[Notice](), list[WeeklyWindow]()
        self._days: dict[int, list[Declared]] = {}

    def __call__(self, objective: Objective, at: int) -> Mapping[str, float]:
        """The shares of the minute at that moment, by the exclusion's name."""
        if (now := self._clock()) - self._read_at >= self._every_ms:
            self._notices, self._windows = self._register.notices(), self._register.windows()
            self._read_at, self._days = now, {}
        days, day = self._days, at // DAY_MS * DAY_MS  # several threads ask: one may take a new page meanwhile
        if (spans := days.get(day)) is None:
            contract = self._register.contract
            spans = days[day] = declared(contract, self._notices, self._windows, day, day + DAY_MS)
        return shares(objective, spans, at) if spans else {}


def _require(given: str, what: str, remedy: str) -> None:
    if not given.strip():
        raise NoticeError(f"notice: {what}: empty; {remedy}")


def _added(connection: Connection, row: Notice) -> Notice:
    values = {name: getattr(row, name) for name in Notice.__dataclass_fields__ if name != "id"}
    number = connection.execute(insert(notices).returning(notices.c.id).values(**values)).scalar_one()
    return _find(connection, number)


def _find(connection: Connection, number: int) -> Notice:
    """The entry, locked until the transaction ends: of two that confirm it at once, the second is told so."""
    row = connection.execute(select(notices).where(notices.c.id == number).with_for_update()).one_or_none()
    if row is None:
        raise NoticeError(f"notice {number}: there is none; see headwater contract notice list")
    return _notice(row)


def _change(connection: Connection, number: int, **values: Any) -> None:
    connection.execute(update(notices).where(notices.c.id == number).values(**values))


def _notice(row: Any) -> Notice:
    return Notice(**row._mapping)


def _schedule(row: Any) -> tuple[str, int, str, int, str]:
    return row.name, row.weekday, row.begins, row.minutes, row.zone


def _window(row: Any) -> WeeklyWindow:
    return WeeklyWindow(**{**row._mapping, "begins": time.fromisoformat(row.begins)})
