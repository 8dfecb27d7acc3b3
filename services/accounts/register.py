"""Register: the accounts in the database: local ones, and those that an identity provider signs in.

An account is disabled and never removed. Every change and its entry in the audit log are one transaction.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from services.accounts.audit import COMMAND, Audit, What
from services.accounts.passwords import check_password, hash_password, is_outdated, matches
from services.database import Database
from services.database.tables.accounts import accounts
from services.positions import Clock, wall_clock

_NAME = re.compile(r"[a-z0-9][a-z0-9._@+-]{0,99}")


class AccountError(ValueError):
    """An account cannot be as it is wanted; names the account, the value and the remedy."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. A session is over once `changed_at` is another: its password or its state changed."""

    name: str
    roles: tuple[str, ...]
    issuer: str
    created_at: int
    changed_at: int
    disabled_at: int
    signed_in_at: int


class Register:
    """The accounts of one installation. Everything may raise DatabaseDown."""

    def __init__(self, database: Database, audit: Audit | None = None, clock: Clock = wall_clock) -> None:
        self._database, self._clock = database, clock
        self._audit = audit or Audit(database, clock)

    def any(self) -> bool:
        """Whether there is an account at all."""
        if self._database.absent:
            return False
        with self._database.reading() as connection:
            return connection.execute(select(accounts.c.name).limit(1)).first() is not None

    def accounts(self) -> list[Account]:
        """All of them, by name."""
        with self._database.reading() as connection:
            return [_account(row) for row in connection.execute(select(accounts).order_by(accounts.c.name))]

    def named(self, names: Iterable[str]) -> dict[str, Account]:
        """The accounts of these names, as far as there are any."""
        wanted = select(accounts).where(accounts.c.name.in_(list(names)))
        with self._database.reading() as connection:
            return {row.name: _account(row) for row in connection.execute(wanted)}

    def add(self, name: str, password: str, roles: Iterable[str], *, who: str) -> None:
        """A new local account. Raises AccountError."""
        if not _NAME.fullmatch(name):
            raise AccountError(
                f"account {name[:100]!r}: give 1 to 100 small letters, digits, or . _ @ + -, no sign first"
            )
        _require_password(name, password)
        now, held = self._clock(), " ".join(roles)
        values = {
            "name": name, "password": hash_password(password), "issuer": "", "subject": "", "roles": held,
            "created_at": now, "changed_at": now, "disabled_at": 0, "signed_in_at": 0,
        }  # fmt: skip
        try:
            with self._database.writing() as connection:
                connection.execute(insert(accounts).values(**values))
                self._note(connection, "account_added", who, name, f"roles {held or 'none'}")
        except IntegrityError:
            raise AccountError(f"account {name!r}: there is one already; give another name") from None

    def set_roles(self, name: str, roles: Iterable[str], *, who: str) -> None:
        """Other roles than before. Raises AccountError where there is no such account."""
        held = " ".join(roles)
        with self._database.writing() as connection:
            before = _find(connection, name).roles
            _change(connection, name, roles=held)
            self._note(connection, "roles_changed", who, name, f"from {before or 'none'} to {held or 'none'}")

    def disable(self, name: str, *, who: str) -> None:
        """From now on it cannot sign in, and what it has open ends. Raises AccountError."""
        self._turn(name, self._clock(), "account_disabled", who)

    def enable(self, name: str, *, who: str) -> None:
        """It may sign in again. Raises AccountError."""
        self._turn(name, 0, "account_enabled", who)

    def _turn(self, name: str, disabled_at: int, what: What, who: str) -> None:
        with self._database.writing() as connection:
            found = _find(connection, name)
            if bool(found.disabled_at) is bool(disabled_at):
                raise AccountError(f"account {name!r}: it is {'disabled' if disabled_at else 'enabled'} already")
            _change(connection, name, disabled_at=disabled_at, changed_at=self._clock())
            self._note(connection, what, who, name, "")

    def set_password(self, name: str, password: str, *, who: str) -> None:
        """Another password; whoever is signed in by the former one is signed out. Raises AccountError."""
        _require_password(name, password)
        hashed = hash_password(password)
        with self._database.writing() as connection:
            if _find(connection, name).issuer:
                raise AccountError(f"account {name!r}: its identity provider signs it in; change the password there")
            _change(connection, name, password=hashed, changed_at=self._clock())
            self._note(connection, "password_changed", who, name, "")

    def recognise(self, name: str, password: str) -> Account | None:
        """The account that this password opens, None where it opens none; takes as long for an unknown name."""
        with self._database.reading() as connection:
            row = connection.execute(select(accounts).where(accounts.c.name == name)).one_or_none()
        opened = matches("" if row is None else row.password, password)
        if row is None or not opened or row.disabled_at:
            return None
        if is_outdated(row.password):
            hashed = hash_password(password)
            with self._database.writing() as connection:
                _change(connection, name, password=hashed)
        return _account(row)

    def admit(self, issuer: str, subject: str, name: str, roles: Iterable[str]) -> Account:
        """The account of somebody whom an identity provider vouches for, made at the first time.

        Its roles are those of now. Raises AccountError where the name is somebody else's, or it is disabled.
        """
        now, held, name = self._clock(), " ".join(roles), name.lower()
        if not _NAME.fullmatch(name):
            raise AccountError(f"account {name[:100]!r}: the identity provider's name for it cannot be one here")
        with self._database.writing() as connection:
            mine = (accounts.c.issuer == issuer) & (accounts.c.subject == subject)
            row = connection.execute(select(accounts).where(mine)).one_or_none()
            if row is not None and row.disabled_at:
                raise AccountError(f"account {row.name!r}: it is disabled")
            if row is None:
                taken = connection.execute(select(accounts.c.name).where(accounts.c.name == name)).first()
                if taken is not None:
                    raise AccountError(f"account {name!r}: the name is another account's")
                values = {
                    "name": name, "password": "", "issuer": issuer, "subject": subject, "roles": held,
                    "created_at": now, "changed_at": now, "disabled_at": 0, "signed_in_at": 0,
                }  # fmt: skip
                connection.execute(insert(accounts).values(**values))
                self._note(connection, "account_added", name, name, f"by {issuer}, roles {held or 'none'}", issuer)
            elif row.roles != held:
                _change(connection, row.name, roles=held)
                self._note(connection, "roles_changed", row.name, row.name, f"from {row.roles} to {held}", issuer)
            return _account(_find(connection, name if row is None else row.name))

    def note_sign_in(self, name: str) -> None:
        """It signed in now."""
        with self._database.writing() as connection:
            _change(connection, name, signed_in_at=self._clock())

    def _note(
        self, connection: Connection, what: What, who: str, name: str, detail: str, address: str = COMMAND
    ) -> None:
        self._audit.record_in(connection, what, who=who, subject=name, address=address, detail=detail)


def _require_password(name: str, password: str) -> None:
    if reason := check_password(password, name):
        raise AccountError(f"account {name!r}: password: {reason}")


def _find(connection: Connection, name: str) -> Any:
    row = connection.execute(select(accounts).where(accounts.c.name == name).with_for_update()).one_or_none()
    if row is None:
        raise AccountError(f"account {name!r}: there is none; see headwater users list")
    return row


def _change(connection: Connection, name: str, **values: Any) -> None:
    connection.execute(update(accounts).where(accounts.c.name == name).values(**values))


def _account(row: Any) -> Account:
    return Account(
        row.name, tuple(row.roles.split()), row.issuer, row.created_at, row.changed_at, row.disabled_at,
        row.signed_in_at,
    )  # fmt: skip
