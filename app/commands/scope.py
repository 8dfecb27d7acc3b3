"""Commands of the contract's scope: what it costs, what its clauses are, what was signed and what changed since."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail

if TYPE_CHECKING:
    from services.broker.examining import Persistence
    from services.contract.change_requests import ChangeRequest
    from services.contract.document import Contract
    from services.contract.locks import Lock
    from services.contract.statement import Statement


LATELY_MS = 86_400_000
"""So long back a diff looks at what was measured."""
_of_file = click.argument("file", required=False, type=click.Path(path_type=Path))


@click.command()
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
@click.option("--markdown", is_flag=True, help="Print Markdown.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write it instead of printing it.")
@_of_file
@explained
def quote(as_data: bool, markdown: bool, out: Path | None, file: Path | None) -> None:
    """Price the contract: each line with its rule, and what a stricter target would cost.

    FILE is another contract for the same feeds and channels.
    """
    from app.scope import counted
    from services.contract.quote import NoPrices, make_quote
    from services.contract.quote_text import as_json, as_markdown, as_text

    if as_data and markdown:
        raise click.UsageError("give --json or --markdown, not both")
    contract, statement = _loaded(file)
    try:
        made = make_quote(contract, counted(statement))
    except NoPrices as error:
        fail(error, 1)
    text = json.dumps(as_json(made), indent=2, ensure_ascii=False) + "\n" if as_data else (
        as_markdown(made) if markdown else as_text(made)
    )
    show(text, out)


@click.command("clauses")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False),
              help="Write it instead of printing it; as HTML or PDF where the name ends so.")
@_of_file
@explained
def clauses_command(out: Path | None, file: Path | None) -> None:
    """Write the contract's annex: every clause with its number, and the version in force.

    FILE is another contract for the same feeds and channels.
    """
    from services.contract.annex import as_markdown, clauses, numbered, seen_when
    from services.contract.locks import in_force, read_locks, taken_numbers, version_in_words

    contract, statement = _loaded(file)
    locks = read_locks(contract.path)
    numbers = numbered(statement, taken_numbers(locks))
    lock = in_force(locks)
    version = version_in_words(lock)
    if lock is not None and lock.statement != statement:
        version += " What follows is declared now, and differs from it: see headwater contract diff."
    found = [*clauses(contract, statement, numbers), *seen_when(persistence())]
    if out is None or out.suffix not in (".html", ".pdf"):
        show(as_markdown(contract, found, version), out)
        return
    from services.report.annex import annex_document
    from services.report.html import render_html
    from services.report.pdf import render_pdf

    document = annex_document(contract, found, version)
    out.write_bytes(render_pdf(document) if out.suffix == ".pdf" else render_html(document))
    click.echo(f"written: {out}")


def persistence() -> Persistence:
    """What the doctor finds that the broker keeps; where none answers, nothing can be promised of it."""
    from app.settings import SettingsError, read_settings
    from services.broker import Broker, BrokerDown, persistence_of

    try:
        broker = Broker(read_settings().broker_url())
    except SettingsError:
        return "untold"
    try:
        return persistence_of(broker.server(), broker.configured("appendfsync", "save"))
    except BrokerDown:
        return "untold"
    finally:
        broker.close()


@click.command()
@click.option("--provider", required=True, metavar="NAME", help="Who signs for the provider.")
@click.option("--client", required=True, metavar="NAME", help="Who signs for the client.")
@click.option("--evidence", type=click.Path(path_type=Path, dir_okay=False), help="What an acceptance wrote, as JSON.")
@_of_file
@explained
def lock(provider: str, client: str, evidence: Path | None, file: Path | None) -> None:
    """Record what is declared now as the version that both sides signed, in contract.lock beside contract.toml.

    FILE is another contract for the same feeds and channels.
    """
    from services.contract.annex import numbered
    from services.contract.locks import Lock, add_lock, in_force, lock_path, read_evidence, read_locks, taken_numbers
    from services.contract.moments import local_day
    from services.positions import wall_clock

    for option, name in (("--provider", provider), ("--client", client)):
        if not name.strip():
            raise click.UsageError(f"{option}: empty; give the name of who signs")
    contract, statement = _loaded(file)
    locks = read_locks(contract.path)
    former = in_force(locks)
    found = None if evidence is None else read_evidence(evidence)
    if former is not None and former.statement == statement and found in (None, former.evidence):
        fail(f"contract lock: nothing changed since version {former.version} of {former.locked_on}", 1)
    if found is not None and not found.passed:
        fail(f"contract lock: {evidence}: this acceptance did not pass; mend what failed and accept again", 1)
    made = Lock(
        len(locks) + 1, local_day(contract.zone, wall_clock()), provider.strip(), client.strip(), statement,
        numbered(statement, taken_numbers(locks)), found, "" if former is None else former.hash,
    )
    add_lock(contract.path, made)
    click.echo(f"{lock_path(contract.path)}: version {made.version} of {made.locked_on}, signed by {made.provider} for "
               f"{contract.provider.name} and {made.client} for {contract.client.name}")
    click.echo("accepted by evidence" if made.accepted else "no evidence of an acceptance is recorded with it")


@click.command()
@click.option("--json", "as_data", is_flag=True, help="Print JSON.")
@_of_file
@explained
def diff(as_data: bool, file: Path | None) -> None:
    """List what changed since the version in force, each as a change request; exits 1 where there is any.

    FILE is another contract for the same feeds and channels.
    """
    from services.contract.locks import in_force, read_locks, version_in_words

    contract, statement = _loaded(file)
    locks = read_locks(contract.path)
    former = in_force(locks)
    if former is None:
        fail("contract diff: no version is locked; run headwater contract lock when both sides have signed", 2)
    found = _requests(contract, former, statement, locks)
    if as_data:
        requests = [asdict(one) for one in found]
        said = {"version": former.version, "locked_on": str(former.locked_on), "requests": requests}
        click.echo(json.dumps(said, indent=2, ensure_ascii=False))
    else:
        click.echo(version_in_words(former))
        for number, one in enumerate(found, start=1):
            click.echo(_in_lines(contract, number, one))
    if found:
        fail(f"{len(found)} change request{'' if len(found) == 1 else 's'} since version {former.version}", 1)
    if not as_data:
        click.echo("Nothing changed.")


def _requests(
    contract: Contract, former: Lock, statement: Statement, locks: tuple[Lock, ...]
) -> list[ChangeRequest]:
    from services.contract.annex import numbered, numbers_of_things
    from services.contract.change_requests import change_requests
    from services.contract.locks import taken_numbers

    numbers = {
        **numbers_of_things(former.statement, former.numbers),
        **numbers_of_things(statement, numbered(statement, taken_numbers(locks))),
    }
    return change_requests(contract, former.statement, statement, numbers, _reached())


def _reached() -> dict[str, float]:
    """What of the envelope was seen in the last day; nothing where the records cannot be read."""
    from app.settings import read_settings
    from services.database import Database, DatabaseDown
    from services.measurement.kept import Kept
    from services.measurement.reached import reached
    from services.positions import wall_clock

    database, now = Database(read_settings().database_address), wall_clock()
    try:
        return {} if database.absent else reached(Kept(database).minutes(now - LATELY_MS, now))
    except DatabaseDown:
        return {}
    finally:
        database.close()


def _in_lines(contract: Contract, number: int, one: ChangeRequest) -> str:
    prices = contract.scope.prices
    price = "not priced" if one.price is None or prices is None else f"{one.price:,} {prices.currency}"
    days = "days not said" if one.days is None else f"{one.days:g} day{'' if one.days == 1 else 's'}"
    again = "to be accepted anew" if one.reaccept else "no acceptance needed"
    touched = ", ".join(one.objectives) or "none"
    clause = f"clause {', '.join(one.clauses)}" if one.clauses else "no clause"
    return f"{number:>3}. {one.kind} ({clause}): {one.text}\n     {price}, {days}; {again}; objectives: {touched}"


def _loaded(file: Path | None) -> tuple[Contract, Statement]:
    """The contract with all that is declared; ends where there is none."""
    from app.commands.contract import read_project_contract
    from app.loading import project_of
    from app.scope import load_statement
    from app.settings import read_settings

    read_project_contract(file)
    project = project_of(read_settings())
    return load_statement(project if file is None else replace(project, contract=file))


def show(text: str, out: Path | None) -> None:
    """Print it, or write it to the file."""
    if out is None:
        click.echo(text, nl=False)
        return
    out.write_text(text, encoding="utf-8")
    click.echo(f"written: {out}")
