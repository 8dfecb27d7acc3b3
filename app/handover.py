"""Handover: gathers what a project hands over: documents of what is declared, and the files that it is run with."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from app.loading import Project, load_declarations
from app.scope import load_statement
from app.settings import entries
from services.contract.annex import Clause, as_markdown, clauses, numbered, seen_when
from services.contract.envelope import envelope_path, read_measured
from services.contract.locks import in_force, lock_path, read_locks, taken_numbers, version_in_words
from services.handover.folder import whole
from services.handover.guide import alert_rules, critical_failures, logs, reading_guide
from services.handover.mapping import source_mapping
from services.handover.proof import Evidence, log_of_tests, matrix
from services.handover.runbook import runbook
from services.report.annex import annex_document
from services.report.pdf import render_pdf

if TYPE_CHECKING:
    from services.broker.examining import Persistence
    from services.contract.document import Contract
    from services.contract.statement import Statement

_ROOT = Path(__file__).resolve().parents[1]
_OF_PLATFORM = (
    "Procfile", "Dockerfile", ".dockerignore", "compose.yaml", "app.json", ".python-version", "requirements.txt",
    "pyproject.toml",
)  # fmt: skip
_OF_PROJECT = ("contract.toml", "contract.lock", "roles.toml", "settings.env", "envelope.json")
_FOLDERS = ("feeds", "pages", "painters", "assets")
OWN = "handover"
"""The project's folder of what it hands over and Headwater does not write."""
_ASSIGNMENT = re.compile(r"^(\s*(?:export\s+)?)([A-Z][A-Z0-9_]*)=(.*)$", re.MULTILINE)


def handed_over(
    project: Project, persistence: Persistence, evidence: Path | None, raw: Mapping[str, Any] | None,
    test_logs: Sequence[Path], made_at: str,
) -> tuple[Contract, dict[str, bytes]]:
    """The contract, and all files with their index. Raises MissingDeliverables, ContractError and OSError."""
    contract, statement = load_statement(project)
    found, version = _clauses(contract, statement, persistence)
    proof = None if evidence is None or raw is None else Evidence.of(evidence.name, raw)
    measured = read_measured(contract.path)
    documents = {
        "annex.md": as_markdown(contract, found, version),
        "source-mapping.md": source_mapping(contract.name, statement),
        "alert-rules.md": alert_rules(contract), "runbook.md": runbook(contract),
        "reading-guide.md": reading_guide(contract), "logs.md": logs(contract),
        "critical-failures.md": critical_failures(contract), "matrix.md": matrix(contract, found, proof),
        "test-log.md": log_of_tests(contract, proof, measured, [one.name for one in test_logs]),
    }  # fmt: skip
    files = {name: text.encode() for name, text in documents.items()}
    files["annex.pdf"] = render_pdf(annex_document(contract, found, version))
    files |= _deployment(project, contract.path)
    files |= {f"tests/{one.name}": one.read_bytes() for one in test_logs}
    if evidence is not None:
        beside = (evidence.with_suffix(ending) for ending in (".json", ".html", ".pdf"))
        files |= {f"evidence/{one.name}": one.read_bytes() for one in beside if one.is_file()}
    files |= _own(contract.path.with_name(OWN))
    return contract, whole(contract, files, made_at, version)


def _clauses(contract: Contract, statement: Statement, persistence: Persistence) -> tuple[list[Clause], str]:
    locks = read_locks(contract.path)
    numbers = numbered(statement, taken_numbers(locks))
    return [*clauses(contract, statement, numbers), *seen_when(persistence)], version_in_words(in_force(locks))


def _deployment(project: Project, contract: Path) -> dict[str, bytes]:
    """What it is run with: the platform's files, and the project's own; values of secrets are left out."""
    load_declarations(project)
    found = {f"deployment/{name}": _ROOT / name for name in _OF_PLATFORM}
    beside = {lock_path(contract).name, envelope_path(contract).name, *_OF_PROJECT}
    found |= {f"deployment/project/{name}": contract.with_name(name) for name in beside}
    if project.folder is not None:
        for folder in _FOLDERS:
            for path in sorted((project.folder / folder).rglob("*")):
                if path.is_file() and "__pycache__" not in path.parts:
                    found[f"deployment/project/{path.relative_to(project.folder).as_posix()}"] = path
    return {name: _without_secrets(path) for name, path in found.items() if path.is_file()}


def _without_secrets(path: Path) -> bytes:
    content = path.read_bytes()
    if path.suffix != ".env":
        return content
    secret = {entry.variable for entry in entries() if entry.secret}

    def told(line: re.Match[str]) -> str:
        hides = line[2] in secret or re.search(r"SECRET|PASSWORD|TOKEN|KEY", line[2]) is not None
        return f"{line[1]}{line[2]}={'(a secret, handed over apart)' if hides and line[3].strip() else line[3]}"

    return _ASSIGNMENT.sub(told, content.decode("utf-8", "replace")).encode()


def _own(folder: Path) -> dict[str, bytes]:
    """What the project hands over of its own; it takes the place of what Headwater would write."""
    files = sorted(folder.rglob("*")) if folder.is_dir() else []
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files if path.is_file()}
