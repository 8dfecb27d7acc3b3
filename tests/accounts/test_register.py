"""Accounts: who may sign in, what of it is recorded, and that nobody learns from outside which accounts there are."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import pytest
from click.testing import CliRunner

from app.cli import main
from services.accounts.audit import Audit
from services.accounts.register import AccountError, Register
from services.database import Database
from services.database.tables.accounts import accounts

PASSWORD = "correct horse battery"


def acts(database: Database) -> list[tuple[str, str, str]]:
    return [(one.what, one.who, one.subject) for one in Audit(database).entries()]


def test_an_account_is_recognised_by_its_password_alone_until_it_is_disabled(each_database: Database) -> None:
    register = Register(each_database)
    assert not register.any()
    register.add("ann@example.com", PASSWORD, ["desk"], who="root")
    assert register.any()
    found = register.recognise("ann@example.com", PASSWORD)
    assert found is not None
    assert found.roles == ("desk",)
    assert register.recognise("ann@example.com", PASSWORD + "!") is None
    assert register.recognise("bob", PASSWORD) is None
    with pytest.raises(AccountError, match="there is one already"):
        register.add("ann@example.com", PASSWORD, [], who="root")
    register.set_roles("ann@example.com", ["desk", "wall"], who="root")
    register.disable("ann@example.com", who="root")
    assert register.recognise("ann@example.com", PASSWORD) is None
    with pytest.raises(AccountError, match="disabled already"):
        register.disable("ann@example.com", who="root")
    register.enable("ann@example.com", who="root")
    register.set_password("ann@example.com", "another long one", who="root")
    assert register.recognise("ann@example.com", PASSWORD) is None
    assert register.recognise("ann@example.com", "another long one") is not None
    assert acts(each_database) == [
        (what, "root", "ann@example.com") for what in
        ("account_added", "roles_changed", "account_disabled", "account_enabled", "password_changed")
    ]  # fmt: skip
    with each_database.reading() as connection:
        (stored,) = connection.execute(accounts.select()).all()
    assert stored.password.startswith("$argon2id$v=19$m=19456,t=2,p=1$")


@pytest.mark.parametrize(
    ("name", "password", "told"),
    [
        ("Ann", PASSWORD, "small letters"),
        ("ann", "short", "5 characters: give 12 to 256"),
        ("ann", "aaaaaaaaaaaaaaaa", "one character over and over"),
        ("annabel", "annabel12345", "it holds the account's name"),
    ],
)
def test_a_name_or_password_that_cannot_be_is_told_why(database: Database, name: str, password: str, told: str) -> None:
    with pytest.raises(AccountError, match=told):
        Register(database).add(name, password, [], who="root")


def test_an_unknown_account_takes_as_long_as_a_wrong_password(database: Database) -> None:
    register = Register(database)
    register.add("ann", PASSWORD, [], who="root")
    register.recognise("nobody", PASSWORD)

    def taken(name: str) -> float:
        began = time.thread_time()  # the processor's time: what waits for others tells nothing
        register.recognise(name, "a wrong password")
        return time.thread_time() - began

    known, unknown = ([taken(name) for _ in range(9)] for name in ("ann", "nobody"))
    assert statistics.median(unknown) == pytest.approx(statistics.median(known), rel=0.35)


def test_an_identity_provider_admits_its_own_and_never_takes_over_a_name(each_database: Database) -> None:
    register = Register(each_database)
    register.add("ann", PASSWORD, ["admin"], who="root")
    with pytest.raises(AccountError, match="the name is another account's"):
        register.admit("https://id.example", "7", "ann", [])
    made = register.admit("https://id.example", "8", "Bob@Example.com", ["desk"])
    assert (made.name, made.roles, made.issuer) == ("bob@example.com", ("desk",), "https://id.example")
    again = register.admit("https://id.example", "8", "robert@example.com", ["wall"])
    assert (again.name, again.roles) == ("bob@example.com", ("wall",)), "the subject is who it is"
    assert register.recognise("bob@example.com", "") is None, "it has no password"
    with pytest.raises(AccountError, match="change the password there"):
        register.set_password("bob@example.com", PASSWORD, who="root")
    register.disable("bob@example.com", who="root")
    with pytest.raises(AccountError, match="it is disabled"):
        register.admit("https://id.example", "8", "bob@example.com", ["desk"])


def test_the_command_keeps_accounts_and_takes_no_password_as_an_argument(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.address)
    monkeypatch.setenv("REDIS_URL", "")
    monkeypatch.setenv("HEADWATER_DATA", "/nonexistent")
    run: Callable[..., tuple[int, str]] = lambda *words, typed="": (  # noqa: E731
        (found := CliRunner().invoke(main, ["users", *words], input=typed)).exit_code, found.output
    )  # fmt: skip
    assert run("add", "ann", "--role", "desk", typed=f"{PASSWORD}\n") == (0, "account ann: added, roles desk\n")
    assert run("add", "bob", "--role", "dask", typed=f"{PASSWORD}\n")[0] == 1
    assert run("add", "bob", PASSWORD)[0] == 2, "it would stand in the shell's history"
    assert run("list") == (0, "ann  enabled  roles desk  never signed in\n")
    assert run("roles", "ann", "wall", "ewr-ops")[1] == "account ann: roles wall, ewr-ops\n"
    assert run("disable", "ann")[1] == "account ann: disabled\n"
    assert run("disable", "carl") == (1, "headwater: account 'carl': there is none; see headwater users list\n")
    assert run("list")[1] == "ann  disabled  roles wall, ewr-ops  never signed in\n"
