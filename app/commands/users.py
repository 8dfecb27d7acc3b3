"""Commands of accounts: who may sign in, and with which roles. A password is asked for or read, never an argument."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.commands.recorded import database_at_hand
from app.settings import SettingsError, read_settings

if TYPE_CHECKING:
    from services.accounts.register import Account, Register
    from services.accounts.roles import Roles

_ROLES = click.option("--role", "roles", multiple=True, metavar="ROLE", help="A role that it has; may be repeated.")


@dataclass(frozen=True, slots=True)
class _Accounts:
    register: Register
    roles: Roles

    def checked(self, roles: tuple[str, ...]) -> tuple[str, ...]:
        """The roles, when the project has them all."""
        for role in roles:
            if role not in self.roles.known:
                fail(f"role {role!r}: there is none; there are {', '.join(sorted(self.roles.known))}", 1)
        return roles


@click.group()
def users() -> None:
    """Accounts of people: who may sign in, with which roles. What they may do is in roles.toml."""


@users.command()
@click.argument("name")
@_ROLES
@explained
def add(name: str, roles: tuple[str, ...]) -> None:
    """Add an account; its password is asked for, or read from standard input."""
    with _accounts() as known:
        known.register.add(name, _password(), known.checked(roles), who=_who())
        click.echo(f"account {name}: added, {_roles_told(roles)}")


@users.command("list")
@explained
def list_() -> None:
    """Show every account with its roles."""
    with _accounts() as known:
        for account in known.register.accounts():
            click.echo(_line(account))


@users.command("roles")
@click.argument("name")
@click.argument("roles", nargs=-1)
@explained
def roles_(name: str, roles: tuple[str, ...]) -> None:
    """Give an account these ROLES instead of those that it has; what it has open follows within 2 s."""
    with _accounts() as known:
        known.register.set_roles(name, known.checked(roles), who=_who())
        _tell(f"account {name}: {_roles_told(roles)}")


@users.command()
@click.argument("name")
@explained
def disable(name: str) -> None:
    """Sign an account out everywhere, within 2 s, and let it in no more."""
    with _accounts() as known:
        known.register.disable(name, who=_who())
        _tell(f"account {name}: disabled")


@users.command()
@click.argument("name")
@explained
def enable(name: str) -> None:
    """Let a disabled account sign in again."""
    with _accounts() as known:
        known.register.enable(name, who=_who())
        click.echo(f"account {name}: enabled")


@users.command()
@click.argument("name")
@explained
def password(name: str) -> None:
    """Give an account another password, and sign it out everywhere."""
    with _accounts() as known:
        known.register.set_password(name, _password(), who=_who())
        _tell(f"account {name}: password changed")


@contextmanager
def _accounts() -> Iterator[_Accounts]:
    """The accounts of this installation. Ends in one line where they cannot be as it is wanted."""
    from app.loading import load_declarations, load_roles, project_of
    from services.accounts.register import AccountError, Register

    project = project_of(read_settings())
    with database_at_hand() as database:
        try:
            yield _Accounts(Register(database), load_roles(load_declarations(project), project))
        except AccountError as error:
            fail(error, 1)


def _password() -> str:
    """Typed twice without being shown, or the first line of standard input."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\n")
    first = getpass.getpass("Password: ")
    if getpass.getpass("Once more: ") != first:
        fail("password: the two are not the same; try again", 1)
    return first


def _who() -> str:
    """Who gives the command, as the system knows him."""
    try:
        return getpass.getuser()
    except (OSError, KeyError):
        return f"uid {os.getuid()}"


def _tell(done: str) -> None:
    """Say it to whoever serves the account, and to whoever asked; what is stored holds also where nobody hears it."""
    from services.broker import Broker, BrokerDown

    click.echo(done)
    try:
        broker = Broker(read_settings().broker_url())
    except SettingsError:
        return  # nothing runs, so nobody has anything open
    try:
        broker.tell_grants_changed()
    except BrokerDown as error:
        fail(f"{error}; what is open follows within half a minute of its return", 1)
    finally:
        broker.close()


def _roles_told(roles: tuple[str, ...]) -> str:
    return f"roles {', '.join(roles)}" if roles else "no roles: it may see nothing yet"


def _line(account: Account) -> str:
    state = "disabled" if account.disabled_at else "enabled"
    at = account.signed_in_at
    seen = f"signed in {datetime.fromtimestamp(at / 1_000, UTC):%Y-%m-%d %H:%M} UTC" if at else "never signed in"
    by = f"  by {account.issuer}" if account.issuer else ""
    return f"{account.name}  {state}  {_roles_told(account.roles)}  {seen}{by}"
