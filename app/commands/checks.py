"""Checks: `headwater release`, `check` and `doctor` say what is wrong and what to do about it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from app.commands import explained, fail, start
from app.settings import Settings, read_settings

if TYPE_CHECKING:
    from app.doctor import Finding, Reach


@click.command()
@explained
def release() -> None:
    """Migrate the database and check everything, before a deployment takes traffic."""
    _report(start("release"), "release")


@click.command()
@explained
def check() -> None:
    """Check settings, feeds and pages; starts and connects to nothing."""
    _report(read_settings(), "offline")


@click.command()
@explained
def doctor() -> None:
    """Check everything that Headwater needs here, and say what to do about what is missing."""
    _report(read_settings(), "doctor")


def _report(settings: Settings, reach: Reach) -> None:
    from app.doctor import examine, release_database

    failed = sum(_told(finding) for finding in examine(settings, reach))
    if reach == "release" and not failed:
        failed = _told(release_database(settings))
    if failed:
        fail(f"{failed} check{'s' if failed > 1 else ''} failed; the lines marked 'fail' name the remedy", 1)


def _told(finding: Finding) -> bool:
    """Print it; whether it is a failure."""
    click.echo(finding.line())
    return finding.level == "fail"
