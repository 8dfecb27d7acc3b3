"""Audit: the log of who did what to whom: sign-ins, accounts, roles, keys, the contract, what was taken away.

An entry is added with the act itself, in its transaction where the act is one of the database's; none is ever changed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

from sqlalchemy import Connection, insert, select

from services.database import Database
from services.database.tables.accounts import audit
from services.positions import Clock, wall_clock

What = Literal[
    "signed_in", "sign_in_refused", "signed_out",
    "account_added", "account_disabled", "account_enabled", "password_changed", "roles_changed",
    "key_added", "key_used", "key_refused", "key_revoked",
    "contract_changed", "exported", "forgotten", "quarantine_replayed", "quarantine_discarded",
    "feed_paused", "feed_resumed",
]  # fmt: skip
ACTS: tuple[str, ...] = get_args(What)
COMMAND = "command"
"""The address of what a command of this installation did."""
TEXT_MAX = 400
"""Characters of each text that are kept: what is refused may be of any length."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One act: `who` did it ('' where nobody was recognised), `subject` is what it was done to."""

    at: int
    what: str
    who: str
    subject: str
    address: str
    detail: str


class Audit:
    """The audit log in one database. Everything may raise DatabaseDown."""

    def __init__(self, database: Database, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock

    def record(self, what: What, *, who: str, subject: str = "", address: str = COMMAND, detail: str = "") -> None:
        """Add an entry, in a transaction of its own."""
        with self._database.writing() as connection:
            self.record_in(connection, what, who=who, subject=subject, address=address, detail=detail)

    def record_in(
        self, connection: Connection, what: What, *, who: str, subject: str = "", address: str = COMMAND,
        detail: str = "",
    ) -> None:  # fmt: skip
        """Add an entry in the transaction of the act itself: there is neither without the other."""
        texts = {"who": who, "subject": subject, "address": address, "detail": detail}
        kept = {name: _storable(text) for name, text in texts.items()}
        connection.execute(insert(audit).values(at=self._clock(), what=what, **kept))

    def record_new(self, what: What, *, who: str, subject: str, detail: str) -> None:
        """Add an entry unless the newest one of that act and subject says the same: what is, not what was done."""
        newest = select(audit.c.detail).where(audit.c.what == what, audit.c.subject == _storable(subject))
        with self._database.writing() as connection:
            known = connection.execute(newest.order_by(audit.c.id.desc()).limit(1)).scalar()
            if known != _storable(detail):
                self.record_in(connection, what, who=who, subject=subject, detail=detail)

    def entries(self, *, since: int = 0, what: str = "", who: str = "", limit: int = 1_000) -> list[Entry]:
        """The newest entries, oldest first; of one act, of one principal, where these are named."""
        wanted = select(audit).where(audit.c.at >= since)
        if what:
            wanted = wanted.where(audit.c.what == what)
        if who:
            wanted = wanted.where(audit.c.who == who)
        with self._database.reading() as connection:
            rows = connection.execute(wanted.order_by(audit.c.id.desc()).limit(limit)).all()
        return [Entry(row.at, row.what, row.who, row.subject, row.address, row.detail) for row in reversed(rows)]


def _storable(text: str) -> str:
    """The text in one line, as far as it is kept: what somebody typed must not write lines of the log."""
    shown = "".join(one if one.isprintable() else " " for one in text[:TEXT_MAX])
    return shown.encode(errors="replace").decode()
