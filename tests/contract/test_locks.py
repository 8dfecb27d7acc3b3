"""Locks: what was signed stays as it was signed, and a version that somebody changed is noticed."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from services.contract.faults import ContractError
from services.contract.locks import (
    Lock,
    add_lock,
    in_force,
    lock_path,
    read_evidence,
    read_locks,
    taken_numbers,
    version_in_words,
)

FIRST = Lock(1, date(2026, 3, 1), "Ada", "Grace", {"feed a": {"key": "x"}}, {"feed a": "2.1"}, None, "")


def _two(folder: Path) -> Path:
    contract = folder / "contract.toml"
    add_lock(contract, FIRST)
    second = replace(FIRST, version=2, locked_on=date(2026, 5, 1), numbers={"feed b": "2.2"}, former_hash=FIRST.hash)
    add_lock(contract, second)
    return contract


def test_former_versions_stay_and_the_last_one_is_in_force(tmp_path: Path) -> None:
    locks = read_locks(_two(tmp_path))
    assert locks[0] == FIRST
    assert [one.version for one in locks] == [1, 2]
    newest, before, none = in_force(locks), in_force(locks, date(2026, 4, 30)), in_force(locks, date(2026, 2, 1))
    assert newest == locks[1]
    assert before == FIRST
    assert none is None
    assert version_in_words(before) == "Version 1, locked on 2026-03-01."
    assert version_in_words(none) == "No version is locked."


def test_a_number_that_a_version_gave_is_taken_for_good(tmp_path: Path) -> None:
    assert taken_numbers(read_locks(_two(tmp_path))) == {"feed a": "2.1", "feed b": "2.2"}


def test_a_project_without_a_lock_has_no_version(tmp_path: Path) -> None:
    assert read_locks(tmp_path / "contract.toml") == ()


def test_a_version_that_was_changed_after_it_was_signed_is_noticed(tmp_path: Path) -> None:
    contract = _two(tmp_path)
    path = lock_path(contract)
    path.write_text(path.read_text().replace('"key": "x"', '"key": "y"', 1))
    with pytest.raises(ContractError, match="version 1: was changed after it was signed: restore the file"):
        read_locks(contract)


def test_a_version_that_was_taken_out_is_noticed(tmp_path: Path) -> None:
    contract = _two(tmp_path)
    raw = json.loads(lock_path(contract).read_text())
    lock_path(contract).write_text(json.dumps({**raw, "versions": raw["versions"][1:]}))
    with pytest.raises(ContractError, match="was changed after it was signed"):
        read_locks(contract)


def test_evidence_is_its_files_hash_and_what_it_says(tmp_path: Path) -> None:
    path = tmp_path / "evidence.json"
    path.write_text('{"passed": true}')
    found = read_evidence(path)
    assert (found.file, found.passed) == ("evidence.json", True)
    assert found.sha256 == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text('{"passed": "yes"}')
    assert not read_evidence(path).passed
    path.write_text("[]")
    with pytest.raises(ContractError, match="give the JSON file that an acceptance wrote"):
        read_evidence(path)
