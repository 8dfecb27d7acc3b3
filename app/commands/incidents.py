"""Commands of incidents: their timeline, what support owes for them, and what people add."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.commands import explained
from app.commands.keeping import BY, NUMBER, Kept, kept, tell_incident
from app.commands.spans import moment_in

if TYPE_CHECKING:
    from services.alerts.timing import Answer
    from services.contract.document import Owner, Severity

DAY_MS = 86_400_000


@click.group()
def incidents() -> None:
    """Troubles from their first moment to their last; nothing is ever removed."""


@incidents.command("list")
@click.option("--days", type=click.IntRange(1, 3_660), default=30, help="How far back, 30 where left out.")
@explained
def list_(days: int) -> None:
    """Show the incidents that were open within the last days, oldest first."""
    with kept() as given:
        for incident in given.register.incidents(since=given.now - days * DAY_MS):
            tell_incident(given, incident)


@incidents.command()
@NUMBER
@explained
def show(number: int) -> None:
    """Show an incident with its timeline, what support owes for it, and who was told."""
    from services.alerts.timing import timing_of

    with kept() as given:
        incident = given.register.incident(number)
        tell_incident(given, incident)
        timing = timing_of(incident, given.contract, given.now)
        if timing is not None:
            click.echo(f"      response: {_owed(given, timing.response)}")
            click.echo(f"      resolution: {_owed(given, timing.resolution)}")
        for entry in given.register.entries(number):
            said = " ".join(part for part in (entry.what, entry.person and f"by {entry.person}") if part)
            click.echo(f"      {given.at(entry.at)}  {said}{f': {entry.text}' if entry.text else ''}")


def _owed(given: Kept, answer: Answer) -> str:
    state = f"done {given.at(answer.done_at)}" if answer.done_at else "open"
    kept_word = "in time" if answer.in_time else "too late"
    taken, allowed = answer.taken_s / 60, answer.allowed_s / 60
    return f"{state}, due {given.at(answer.due_at)}; {taken:.0f} of {allowed:.0f} min of support time, {kept_word}"


@incidents.command("open")
@click.argument("text")
@click.option("--severity", type=click.Choice(["critical", "major", "minor"]), required=True)
@click.option("--stage", default="unknown", help="Where the cause lies: source, worker, broker, gateway, browser, …")
@click.option("--since", default="", metavar="TIME", help="When it began, as 2026-06-01T22:00 in the contract's zone.")
@BY
@explained
def open_(text: str, severity: Severity, stage: str, since: str, person: str) -> None:
    """Record a trouble that no rule saw. TEXT says what changed, where, and whether viewers are affected."""
    with kept() as given:
        began_at = moment_in(given.contract, since) if since else given.now
        if began_at > given.now:
            raise click.BadParameter(f"{since!r}: that is still to come")
        number = given.register.open_by_hand(severity, stage, text, began_at, given.now, person)
        click.echo(f"incident {number}: opened by {person}")


@incidents.command()
@NUMBER
@BY
@explained
def mitigate(number: int, person: str) -> None:
    """Say that viewers have nothing of it any more, though its cause is not mended."""
    with kept() as given:
        given.register.mitigate(number, given.now, person)
        click.echo(f"incident {number}: mitigated by {person}")


@incidents.command()
@NUMBER
@click.argument("owner", type=click.Choice(["provider", "client", "third_party"]))
@BY
@explained
def assign(number: int, owner: Owner, person: str) -> None:
    """Say whose trouble it is."""
    with kept() as given:
        given.register.assign(number, given.now, person, owner)
        click.echo(f"incident {number}: owned by {owner}")


@incidents.command()
@NUMBER
@click.argument("text")
@BY
@explained
def note(number: int, text: str, person: str) -> None:
    """Add a line to its timeline."""
    with kept() as given:
        given.register.note(number, given.now, person, text)
        click.echo(f"incident {number}: noted")
