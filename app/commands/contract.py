"""Commands of the contract: check it, export it, and put notices on its register."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.settings import read_settings

if TYPE_CHECKING:
    from services.contract.document import Contract


@click.group()
def contract() -> None:
    """What was promised in contract.toml, and whether it holds."""


@contract.command()
@click.argument("file", required=False, type=click.Path(path_type=Path))
@explained
def check(file: Path | None) -> None:
    """Check contract.toml: say each objective in words, and what cannot be read or held.

    FILE is another contract for the same feeds and channels.
    """
    from app.doctor.declared import examine_contract

    findings = list(examine_contract(read_settings(), file))
    for finding in findings:
        click.echo(finding.line())
    if not any(finding.level == "fail" for finding in findings):
        _say_objectives(file)
    if failed := sum(finding.level == "fail" for finding in findings):
        fail(f"{failed} fault{'s' if failed > 1 else ''} in the contract; the lines marked 'fail' name the remedy", 1)


def _say_objectives(file: Path | None) -> None:
    from services.contract.sentences import sentence

    for objective in read_project_contract(file).objectives:
        click.echo(f"      {objective.name}: {sentence(objective)}{'' if objective.binding else ' (not binding)'}")


def read_project_contract(file: Path | None = None) -> Contract:
    """The contract of the project, or the one in the file. Raises ContractError; ends where there is none."""
    from app.loading import load_contract, load_declarations, project_of

    project = project_of(read_settings())
    project = project if file is None else replace(project, contract=file)
    found = load_contract(load_declarations(project), project)
    if found is None:
        fail("contract: no contract.toml here; write one, docs/contract.md explains each field", 1)
    return found


@contract.command()
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the file instead of printing it.")
@explained
def openslo(out: Path | None) -> None:
    """Export the objectives as OpenSLO v1; what that format has no words for stands above them."""
    from services.contract.openslo import text

    exported = text(read_project_contract())
    if out is None:
        click.echo(exported, nl=False)
        return
    out.write_text(exported, encoding="utf-8")
    click.echo(f"written: {out}")
