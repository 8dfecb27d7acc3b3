"""Command of the handover: `headwater handover` writes every deliverable into one dated folder."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from app.commands import explained, fail


@click.command()
@click.option("--evidence", type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="What an acceptance wrote, as JSON; its HTML and PDF go along.")
@click.option("--test-log", "test_logs", multiple=True, type=click.Path(path_type=Path, dir_okay=False, exists=True),
              help="A log of tests that goes along; may be given again.")
@click.option("--out", default=".", type=click.Path(path_type=Path, file_okay=False), help="Where the folder is made.")
@explained
def handover(evidence: Path | None, test_logs: tuple[Path, ...], out: Path) -> None:
    """Write every deliverable of the contract into one dated folder, with hashes and how each clause is proven.

    Exits 1 where a deliverable is missing. What Headwater does not write lies in the project's folder handover/.
    """
    from app.commands.scope import persistence
    from app.handover import handed_over
    from app.loading import project_of
    from app.settings import read_settings
    from services.handover.folder import MissingDeliverables, write

    project = project_of(read_settings())
    if project.contract is None:
        fail("handover: no contract.toml here; headwater contract new writes one", 2)
    now = datetime.now(UTC)
    raw = None if evidence is None else _read(evidence)
    folder = out / f"handover-{now:%Y-%m-%d}"
    try:
        contract, files = handed_over(
            project, persistence(), evidence, raw, test_logs, f"{now:%Y-%m-%dT%H:%M:%SZ}"
        )
        write(folder, files)
    except MissingDeliverables as error:
        fail(f"handover: {error}", 1)
    except FileExistsError:
        fail(f"handover: {folder}: not empty; move it away, or give another --out", 1)
    except OSError as error:
        fail(f"handover: {error}", 1)
    promised = sum(bool(one.file) for one in contract.scope.deliverables)
    click.echo(f"written: {folder}, {len(files)} files, all {promised} deliverables among them; index.md lists them")


def _read(evidence: Path) -> dict[str, Any]:
    from services.handover.proof import Evidence

    try:
        raw: dict[str, Any] = json.loads(evidence.read_text(encoding="utf-8"))
        Evidence.of(evidence.name, raw)
    except (OSError, ValueError, KeyError, TypeError) as error:
        fail(f"handover: {evidence}: {type(error).__name__}: {error}; give the JSON that an acceptance wrote", 2)
    return raw
