"""Commands of alerts: what fires, who looks after it, what is not told for a while, and whether the sinks work."""

from __future__ import annotations

import os

import click

from app.commands import explained, fail
from app.commands.keeping import BY, NUMBER, Kept, kept, tell_incident

MINUTE_MS = 60_000


@click.group()
def alerts() -> None:
    """What fires now, who looks after it, and whether the sinks work. Alerts are addressed by their incident."""


@alerts.command("list")
@explained
def list_() -> None:
    """Show open incidents with the alerts that fire in them, and silences."""
    with kept() as given:
        firing = given.register.open_alerts()
        for incident in (one for one in given.register.incidents() if not one.resolved_at):
            tell_incident(given, incident)
            for alert in (one for one in firing if one.incident == incident.id):
                click.echo(f"      {alert.key}  since {given.at(alert.began_at)}")
        for silence in given.telling.silences(given.now):
            who = f"{silence.person}: {silence.reason}"
            click.echo(f"silence {silence.id}: {silence.pattern} until {given.at(silence.until)}, {who}")


@alerts.command()
@NUMBER
@BY
@explained
def ack(number: int, person: str) -> None:
    """Say that somebody looks after an incident: it is not told again, and response time ends."""
    with kept() as given:
        given.register.acknowledge(number, given.now, person)
        click.echo(f"incident {number}: acknowledged by {person}")


@alerts.command()
@NUMBER
@BY
@click.option("--reason", default="", metavar="TEXT", help="What mended it.")
@explained
def resolve(number: int, person: str, reason: str) -> None:
    """Close an incident whose alerts have ended; left alone, it closes itself after fifteen calm minutes."""
    with kept() as given:
        given.register.resolve(number, given.now, person, reason)
        click.echo(f"incident {number}: resolved by {person}")


@alerts.command()
@click.argument("topic")
@click.option("--minutes", type=click.IntRange(1, 10_080), required=True, help="For how long, at most a week.")
@click.option("--reason", required=True, metavar="TEXT", help="Why nobody need be told.")
@BY
@explained
def silence(topic: str, minutes: int, reason: str, person: str) -> None:
    """Tell nothing of a topic for a while; it is recorded and counts all the same. `*` stands for anything."""
    with kept() as given:
        until = given.now + minutes * MINUTE_MS
        number = given.telling.silence(topic, given.now, until, person, reason)
        click.echo(f"silence {number}: nothing of {topic} is told until {given.at(until)}")


@alerts.command()
@NUMBER
@explained
def unsilence(number: int) -> None:
    """End a silence; what fires is told at once."""
    with kept() as given:
        given.telling.end_silence(number, given.now)
        click.echo(f"silence {number}: ended")


@alerts.command()
@click.option("--incident", type=int, default=None, help="Of this incident only.")
@explained
def deliveries(incident: int | None) -> None:
    """Show what was sent to whom, with every failure."""
    with kept() as given:
        for fate in reversed(given.outbox.fates(incident)):
            if fate.delivered_at:
                state = f"delivered {given.at(fate.delivered_at)}"
            else:
                state = f"tried again {given.at(fate.next_at)}" if fate.next_at else "given up"
            said = f": {fate.error}" if fate.error else ""
            click.echo(f"{fate.sink}  {state}, attempt {fate.attempts}{said}  {fate.subject}")


@alerts.command()
@click.argument("sinks", nargs=-1)
@explained
def test(sinks: tuple[str, ...]) -> None:
    """Send a test message through SINKS, or all of them, and say what became of each."""
    with kept() as given:
        declared = [sink.name for sink in given.contract.alerting.sinks]
        if strangers := sorted(set(sinks) - set(declared)):
            fail(f"no sink {', '.join(strangers)}; contract.toml declares {', '.join(declared) or 'none'}", 2)
        failed = sum(not _reaches(given, sink) for sink in sinks or declared)
    if failed or not declared:
        fail(f"{failed} of {len(sinks or declared)} sinks did not take it" if declared else "no sink is declared", 1)


def _reaches(given: Kept, sink: str) -> bool:
    from services.alerts.courier import Courier
    from services.alerts.message import Message
    from services.alerts.sinks import SinkError

    courier = Courier(given.outbox, given.contract.alerting.sinks, os.environ, lambda: given.now)
    lines = ("This is a test of Headwater's alerts; nothing is wrong.",)
    message = Message(f"[test] {given.contract.name}", lines, {"Sent": given.at(given.now), "Sink": sink})
    try:
        courier.send_now(message, sink)
    except SinkError as error:
        click.echo(f"fail  {error}")
        return False
    click.echo(f"ok    {sink}: the test message was taken")
    return True
