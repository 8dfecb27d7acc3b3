"""Checks: `headwater release`, `check` and `doctor` say what is wrong and what to do about it."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import TYPE_CHECKING

import click
import orjson

from app.commands import explained, fail, start
from app.settings import read_settings

if TYPE_CHECKING:
    from app.doctor.finding import Finding


@click.command()
@explained
def release() -> None:
    """Migrate the database and check everything, before a deployment takes traffic."""
    from app.doctor.examination import examine, release_database

    settings = start("release")
    failed = sum(_told(finding) for finding in examine(settings, "release"))
    _end(failed or _told(release_database(settings)))


@click.command()
@explained
def check() -> None:
    """Check settings, feeds and pages; starts and connects to nothing."""
    from app.doctor.examination import examine

    _report(examine(read_settings(), "offline"))


@click.command()
@click.argument("url", required=False)
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object instead of lines.")
@click.option(
    "--for", "for_s", default=60.0, show_default=True, type=click.FloatRange(1, 300),
    help="Of a URL: how many seconds to wait for an idle link to be cut.",
)
@click.option("--cookie", default="", help="Of a URL: a signed-in browser's cookies; - reads them from standard input.")
@explained
def doctor(url: str | None, as_json: bool, for_s: float, cookie: str) -> None:
    """Check everything that Headwater needs here, and say what to do about what is missing.

    With a URL: check the way to a running Headwater from this network, as a browser takes it; needs no settings.
    """
    if url is None:
        from app.doctor.examination import examine

        _report(examine(read_settings(), "doctor"), as_json=as_json)
        return
    from app.doctor.link import Link
    from app.doctor.outside import examine_link

    if not url.startswith(("http://", "https://")):
        fail(f"{url!r}: give an address such as https://ops.example.com", 2)
    cookie = sys.stdin.read().strip() if cookie == "-" else cookie
    link = Link(url, {"Cookie": cookie} if cookie else {})
    _report(examine_link(link, for_s, lambda text: click.echo(f"... {text}", err=True)), as_json=as_json)


def _report(findings: Iterable[Finding], *, as_json: bool = False) -> None:
    if not as_json:
        _end(sum(_told(finding) for finding in findings))
        return
    found = list(findings)
    counts = {level: sum(one.level == level for one in found) for level in ("ok", "warn", "fail")}
    click.echo(orjson.dumps({**counts, "findings": [one.as_json() for one in found]}).decode())
    _end(counts["fail"])


def _told(finding: Finding) -> bool:
    """Print it; whether it is a failure."""
    click.echo(finding.line())
    return finding.level == "fail"


def _end(failed: int) -> None:
    if failed:
        fail(f"{failed} check{'s' if failed > 1 else ''} failed; the lines marked 'fail' name the remedy", 1)
