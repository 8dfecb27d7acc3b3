"""The command `headwater`: exits 0 on success, 1 on a found problem, 2 on bad usage or a bad setting.

A command says what it has to say on standard output, and why it failed in one line on standard error.
Each imports what it needs when it runs: `--help` is instant, and the worker never loads Dash. Groups of commands have
a file each in `app/commands/`.
"""

from __future__ import annotations

import os

import click

from app.child import OURSELVES
from app.commands import explained, start
from app.commands.accept import accept
from app.commands.alerts import alerts
from app.commands.audit import audit
from app.commands.checks import check, doctor, release
from app.commands.contract import contract
from app.commands.discovery import new as new_contract
from app.commands.forget import forget
from app.commands.frame import frame_command
from app.commands.handover import handover
from app.commands.incidents import incidents
from app.commands.keys import keys
from app.commands.load import load
from app.commands.new import new
from app.commands.notes import notes
from app.commands.notices import notice
from app.commands.probe import probe
from app.commands.profile import profile
from app.commands.quarantine import quarantine
from app.commands.raw import export_raw, verify
from app.commands.report import report
from app.commands.scope import clauses_command, diff, lock, quote
from app.commands.trace import trace
from app.commands.users import users
from app.settings import markdown_table, unknown_variables

VERSION = "0.1.0"
"""As pyproject.toml says; where a platform installs the lock alone, no package could be asked for it."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(VERSION, prog_name="headwater")
def main() -> None:
    """Headwater: a live operations dashboard whose numbers are never silently wrong."""


_left_out = click.option(
    "--development", is_flag=True, help="Leave a file out that is wrong, and say so on the page; `up` says when."
)


@main.command()
@click.option(
    "--development/--no-development", default=None,
    help="Load files anew when they are saved, and leave out what is wrong. On where HOST is this machine alone.",
)
@explained
def up(development: bool | None) -> None:
    """Run broker, worker and web together until Ctrl-C, and say where live data is to be seen."""
    from app.addresses import is_loopback
    from app.example import example_post
    from app.loading import in_development, load_contract, load_declarations, project_of
    from app.reloading import SavedFiles
    from app.room import require_broker_room
    from app.supervisor import Supervisor
    from services.broker import require_room

    settings = start("supervisor")
    project = project_of(settings)
    files = SavedFiles(project) if (is_loopback(settings.host) if development is None else development) else None
    project = project if files is None else in_development(project)
    declarations = load_declarations(project)  # what is wrong is told once, before anything starts
    load_contract(declarations, project)
    if settings.redis_url:
        require_broker_room(settings, declarations)
    else:
        require_room(declarations, settings.broker_memory_mb * 1024 * 1024)

    def announce() -> None:
        click.echo(f"\n  Headwater is live at {settings.url}  (Ctrl-C stops it)\n")
        for feed in declarations.feeds.values():
            if feed.source.posted:
                click.echo(f"  Post an event of your own:\n  {example_post(settings, feed)}\n")
                break

    Supervisor(settings, announce=announce, files=files).run()


@main.command()
@_left_out
@explained
def web(development: bool) -> None:
    """Serve pages, HTTP API and live sockets (gunicorn); needs a broker."""
    from app.loading import in_development, load_declarations, load_pages, project_of
    from app.room import require_broker_room
    from app.server import WebServer

    settings = start("web")
    project = in_development(project_of(settings)) if development else project_of(settings)
    declarations = load_declarations(project)
    require_broker_room(settings, declarations)
    load_pages(declarations, project)
    for fault in project.faults or ():
        click.echo(f"headwater: {fault}", err=True)
    WebServer(settings.model_copy(update={"redis_url": settings.broker_url()}), project).run()


@main.command()
@click.option("--only", default="", metavar="STATIONS", help="Of sources,processor,archive,contract: run these only.")
@_left_out
@explained
def worker(only: str, development: bool) -> None:
    """Run the stations of a worker; needs a broker. Several share the work, and take over from each other."""
    from app.loading import in_development, load_declarations, project_of
    from app.room import require_broker_room
    from app.worker import Worker, read_stations

    stations = read_stations(only)
    settings = start("worker")
    project = in_development(project_of(settings)) if development else project_of(settings)
    require_broker_room(settings, load_declarations(project))
    apart = [*OURSELVES, "worker", *(["--development"] if development else []), "--only"]
    Worker(settings, project=project, stations=stations, apart=apart).run()


@main.command()
@click.option("--markdown", is_flag=True, help="Print the table of the README.")
@explained
def settings(markdown: bool) -> None:
    """Show every setting with its default and meaning, and warn of variables that none reads."""
    if markdown:
        click.echo(markdown_table())
        return
    from app.settings import entries

    for entry in entries():
        value = "(not shown)" if entry.secret else os.environ.get(entry.variable, entry.default)
        click.echo(f"{entry.variable}={value}  {entry.meaning}" + (f" [{entry.unit}]" if entry.unit else ""))
    for warning in unknown_variables(os.environ):
        click.echo(f"headwater: {warning}", err=True)


for command in (new_contract, accept, notice, export_raw, verify, report, quote, clauses_command, lock, diff):
    contract.add_command(command)
for command in (
    release, check, doctor, contract, alerts, incidents, notes, probe, load, audit, keys, users, trace, forget,
    quarantine, profile, handover, new, frame_command,
):
    main.add_command(command)


if __name__ == "__main__":
    main()
