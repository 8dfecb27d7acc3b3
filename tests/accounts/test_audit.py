"""Audit: an act and its entry are one, and nothing that somebody types can forge an entry."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import insert

from app.cli import main
from app.in_force import note_in_force
from app.loading import DEMO
from services.accounts.audit import TEXT_MAX, Audit
from services.database import Database
from services.database.tables import archive_gaps

GAP = {
    "feed": "orders", "channel": "", "events": 0, "reason": "never", "since": 1, "until": 2, "recorded_at": 3,
}  # fmt: skip


def test_what_was_done_is_listed_in_its_order_and_by_who_did_it(each_database: Database) -> None:
    times = iter([1_000, 2_000, 3_000])
    audit = Audit(each_database, lambda: next(times))
    audit.record("account_added", who="root", subject="ann", detail="roles viewer")
    audit.record("signed_in", who="ann", address="192.0.2.1")
    audit.record("sign_in_refused", who="", subject="bob", address="192.0.2.2")
    assert [(one.at, one.what, one.who, one.subject, one.address) for one in audit.entries()] == [
        (1_000, "account_added", "root", "ann", "command"),
        (2_000, "signed_in", "ann", "", "192.0.2.1"),
        (3_000, "sign_in_refused", "", "bob", "192.0.2.2"),
    ]
    assert [one.at for one in audit.entries(who="ann")] == [2_000]
    assert [one.at for one in audit.entries(what="sign_in_refused")] == [3_000]
    assert [one.at for one in audit.entries(limit=2)] == [2_000, 3_000], "the newest"
    assert [one.at for one in audit.entries(since=2_001)] == [3_000]


def test_an_act_that_fails_leaves_no_entry(database: Database) -> None:
    audit = Audit(database)
    with pytest.raises(ZeroDivisionError), database.writing() as connection:
        connection.execute(insert(archive_gaps), GAP)
        audit.record_in(connection, "exported", who="ann")
        raise ZeroDivisionError
    assert audit.entries() == []


def test_what_is_in_force_is_recorded_when_it_is_another_than_before(each_database: Database, tmp_path: Path) -> None:
    for name in ("contract.toml", "roles.toml"):
        (tmp_path / name).write_text("first")
    project = replace(DEMO, contract=tmp_path / "contract.toml", roles=tmp_path / "roles.toml")

    def noted() -> list[tuple[str, str]]:
        note_in_force(each_database, project, "worker-1")
        return [(entry.what, entry.subject) for entry in Audit(each_database).entries()]

    first = [("contract_changed", "contract.toml"), ("roles_changed", "roles.toml")]
    assert noted() == first
    assert noted() == first, "the same again is no change"
    (tmp_path / "roles.toml").write_text("second")
    assert noted() == [*first, first[1]]
    (tmp_path / "roles.toml").write_text("first")
    assert noted() == [*first, first[1], first[1]], "as before is a change, too"
    (entry, *_) = Audit(each_database).entries(what="contract_changed")
    assert entry.who == "worker-1"
    assert entry.detail.startswith("sha256 a7937b64b8ca. ")


def test_what_is_typed_writes_one_line_of_bounded_length(each_database: Database) -> None:
    audit = Audit(each_database)
    audit.record("sign_in_refused", who="", subject="a\n2026-01-01  signed_in  root\x00\ud800" + "x" * 10_000)
    (entry,) = audit.entries()
    assert entry.subject.startswith("a 2026-01-01  signed_in  root ")
    assert len(entry.subject) == TEXT_MAX


def test_the_command_lists_entries_and_refuses_an_act_that_there_is_not(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABASE_URL", database.address)
    Audit(database).record("signed_in", who="ann", address="192.0.2.1")
    shown = CliRunner().invoke(main, ["audit"])
    assert (shown.exit_code, shown.output.split("  ")[1:]) == (0, ["signed_in", "ann", "from 192.0.2.1\n"])
    refused = CliRunner().invoke(main, ["audit", "--what", "signed"])
    assert refused.exit_code == 2
    assert "give one of signed_in, sign_in_refused" in refused.output
