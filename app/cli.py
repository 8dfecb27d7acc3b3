"""The command `headwater`: exits 0 on success, 1 on a found problem, 2 on bad usage or a bad setting.

A command says what it has to say on standard output, and why it failed in one line on standard error.
Each imports what it needs when it runs: `--help` is instant, and the worker never loads Dash.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from functools import wraps
from typing import NoReturn, ParamSpec

import click
import structlog

from app.settings import Settings, SettingsError, markdown_table, read_settings, unknown_variables
from services.declare import DeclarationError
from services.embedded import EmbeddedBrokerError

P = ParamSpec("P")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="headwater", prog_name="headwater")
def main() -> None:
    """Headwater: a live operations dashboard whose numbers are never silently wrong."""


def _fail(message: object, code: int) -> NoReturn:
    click.echo(f"headwater: {message}", err=True)
    sys.exit(code)


def _explained(command: Callable[P, None]) -> Callable[P, None]:
    """Turn the failures that we know into one line and an exit code."""

    @wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        from app.supervisor import SupervisorError
        from app.worker import WorkerError
        from services.broker import BrokerDown

        try:
            command(*args, **kwargs)
        except SettingsError as error:
            _fail(error, 2)
        except (DeclarationError, SupervisorError, WorkerError, EmbeddedBrokerError, BrokerDown) as error:
            _fail(error, 1)

    return run


def _start(process: str) -> Settings:
    from app.logs import start_logging

    settings = read_settings()
    start_logging(process, settings.log_level)
    if settings.insecure:
        structlog.get_logger().warning("insecure: everybody who reaches this host may read and is not encrypted")
    return settings


@main.command()
@_explained
def up() -> None:
    """Run broker, worker and web together until Ctrl-C, and say where live data is to be seen."""
    from app.example import example_post
    from app.loading import load_declarations
    from app.supervisor import Supervisor

    settings = _start("supervisor")
    declarations = load_declarations()  # a wrong declaration is told once, before anything starts

    def announce() -> None:
        click.echo(f"\n  Headwater is live at {settings.url}  (Ctrl-C stops it)\n")
        for feed in declarations.feeds.values():
            if not feed.source.pulled:
                click.echo(f"  Post an event of your own:\n  {example_post(settings, feed)}\n")
                break

    Supervisor(settings, announce=announce).run()


@main.command()
@_explained
def web() -> None:
    """Serve pages, HTTP API and live sockets (gunicorn); needs a broker."""
    from app.server import WebServer

    settings = _start("web")
    WebServer(settings.model_copy(update={"redis_url": settings.broker_url()})).run()


@main.command()
@click.option("--only", default="", metavar="STATIONS", help="Of sources,processor: run these only.")
@_explained
def worker(only: str) -> None:
    """Run processor and sources; needs a broker. Several share the work, and take over from each other."""
    from app.worker import Worker, read_stations

    stations = read_stations(only)
    settings = _start("worker")
    apart = [sys.executable, "-m", "app.cli", "worker", "--only", "sources"]
    Worker(settings, stations=stations, apart=apart).run()


@main.command()
@_explained
def release() -> None:
    """Check settings, declarations and broker before a deployment takes traffic."""
    _report(_start("release"), offline=False)


@main.command()
@_explained
def check() -> None:
    """Check settings, feeds and pages; starts and connects to nothing."""
    _report(read_settings(), offline=True)


@main.command()
@_explained
def doctor() -> None:
    """Check everything that Headwater needs here, and say what to do about what is missing."""
    _report(read_settings(), offline=False)


def _report(settings: Settings, *, offline: bool) -> None:
    from app.doctor import examine

    failed = 0
    for finding in examine(settings, offline=offline):
        click.echo(finding.line())
        failed += finding.level == "fail"
    if failed:
        _fail(f"{failed} check{'s' if failed > 1 else ''} failed; the lines marked 'fail' name the remedy", 1)


@main.command()
@click.option("--markdown", is_flag=True, help="Print the table of the README.")
@_explained
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


if __name__ == "__main__":
    main()
