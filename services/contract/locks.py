"""Locks: what was signed, version by version, in `contract.lock` beside `contract.toml`.

A version is never rewritten: the next one is put behind it, with the hash of the one before, so that a former one that
was changed is noticed. Each holds the whole statement, and the numbers of its clauses.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path
from typing import Any

from services.contract.faults import ContractError, Fault
from services.contract.statement import Statement

NAME = "contract.lock"
_FORMAT = 1


@dataclass(frozen=True, slots=True)
class Evidence:
    """The file that an acceptance left: its name, its hash, and whether it says of itself that all was passed."""

    file: str
    sha256: str
    passed: bool


@dataclass(frozen=True, slots=True)
class Lock:
    """One signed version. `locked_on` is a day by the contract's zone; `hash` covers all of it and the one before."""

    version: int
    locked_on: date
    provider: str
    client: str
    statement: Statement
    numbers: Mapping[str, str]
    evidence: Evidence | None
    former_hash: str

    @property
    def hash(self) -> str:
        return hashlib.sha256(json.dumps(_content(self), sort_keys=True).encode()).hexdigest()

    @property
    def accepted(self) -> bool:
        return self.evidence is not None and self.evidence.passed


def lock_path(contract: Path) -> Path:
    return contract.with_name(NAME)


def read_locks(contract: Path) -> tuple[Lock, ...]:
    """All versions, the first one first; none where nothing was signed. Raises ContractError."""
    path = lock_path(contract)
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
        found = tuple(_lock(one) for one in raw["versions"])
        hashes = [one["hash"] for one in raw["versions"]]
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "restore the file that was written by headwater contract lock"
        raise ContractError(path, [Fault(1, "lock", str(error) or type(error).__name__, remedy)]) from error
    _check_chain(path, found, hashes)
    return found


def _check_chain(path: Path, found: Sequence[Lock], hashes: Sequence[str]) -> None:
    before = ""
    for number, (lock, written) in enumerate(zip(found, hashes, strict=True), start=1):
        if lock.version != number or lock.hash != written or lock.former_hash != before:
            text = "was changed after it was signed"
            remedy = "restore the file that was written by headwater contract lock"
            raise ContractError(path, [Fault(1, f"version {number}", text, remedy)])
        before = written


def add_lock(contract: Path, lock: Lock) -> None:
    """Put a version behind those that there are."""
    path = lock_path(contract)
    versions = [{**_content(one), "hash": one.hash} for one in (*read_locks(contract), lock)]
    aside = path.with_suffix(".lock.new")
    text = json.dumps({"format": _FORMAT, "versions": versions}, indent=1, ensure_ascii=False)
    aside.write_text(text + "\n", encoding="utf-8")
    aside.replace(path)


def in_force(locks: Sequence[Lock], day: date | None = None) -> Lock | None:
    """The version in force on that day: the last that was signed until then; without a day the last one."""
    signed = [one for one in locks if day is None or one.locked_on <= day]
    return signed[-1] if signed else None


def version_in_words(lock: Lock | None) -> str:
    """`Version 2, locked on 2026-11-28.`"""
    return "No version is locked." if lock is None else f"Version {lock.version}, locked on {lock.locked_on}."


def read_evidence(path: Path) -> Evidence:
    """The evidence in the file, a JSON object with `passed`. Raises ContractError where it is none."""
    try:
        content = path.read_bytes()
        said = json.loads(content)
        passed = said["passed"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "give the JSON file that an acceptance wrote"
        raise ContractError(path, [Fault(1, "evidence", str(error), remedy)]) from error
    return Evidence(path.name, hashlib.sha256(content).hexdigest(), passed is True)


def taken_numbers(locks: Sequence[Lock]) -> dict[str, str]:
    """Every clause number that a signed version gave, so that none is given to another thing."""
    taken: dict[str, str] = {}
    for lock in locks:
        taken.update(lock.numbers)
    return taken


def _content(lock: Lock) -> dict[str, Any]:
    return {
        "version": lock.version,
        "locked_on": lock.locked_on.isoformat(),
        "provider": lock.provider,
        "client": lock.client,
        "evidence": None if lock.evidence is None else asdict(lock.evidence),
        "former_hash": lock.former_hash,
        "numbers": dict(lock.numbers),
        "statement": {key: dict(said) for key, said in lock.statement.items()},
    }


def _lock(raw: Mapping[str, Any]) -> Lock:
    return Lock(
        version=raw["version"],
        locked_on=date.fromisoformat(raw["locked_on"]),
        provider=raw["provider"],
        client=raw["client"],
        statement=raw["statement"],
        numbers=raw["numbers"],
        evidence=None if raw["evidence"] is None else Evidence(**raw["evidence"]),
        former_hash=raw["former_hash"],
    )
