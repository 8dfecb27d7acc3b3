"""In force: which contract and which roles an installation works by, recorded where they are others than before.

They are files that anybody with the project may write: what counts is what is served by, from the moment it is.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from app.loading import Project
from services.accounts.audit import Audit
from services.contract.faults import ContractError
from services.contract.locks import in_force, read_locks, version_in_words
from services.database import Database

HASH_SHOWN = 12


def note_in_force(database: Database, project: Project, who: str) -> None:
    """Put what is new about them on the audit log; `who` is the process that works by them. Raises DatabaseDown."""
    audit = Audit(database)
    if project.contract is not None:
        told = f"{_hash_of(project.contract)}. {_version_of(project.contract)}"
        audit.record_new("contract_changed", who=who, subject=project.contract.name, detail=told)
    if project.roles is not None:
        audit.record_new("roles_changed", who=who, subject=project.roles.name, detail=_hash_of(project.roles))


def _version_of(contract: Path) -> str:
    try:
        return version_in_words(in_force(read_locks(contract)))
    except ContractError as error:
        return str(error)


def _hash_of(file: Path) -> str:
    return f"sha256 {hashlib.sha256(file.read_bytes()).hexdigest()[:HASH_SHOWN]}"
