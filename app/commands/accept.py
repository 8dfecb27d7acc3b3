"""Command of acceptance: `headwater contract accept URL` looks at a staging deployment, and writes the evidence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail

if TYPE_CHECKING:
    from services.acceptance.evidence import Evidence
    from services.acceptance.trial import Outcome, Role
    from services.accounts.roles import Roles
    from services.contract.document import Contract
    from services.contract.statement import Statement
    from services.declare import Channel, Declarations

KEY_VARIABLE = "HEADWATER_ACCEPT_KEY"


@click.command()
@click.argument("url")
@click.option("--key", default="", help=f"A staging key that may post to the feed; left out, {KEY_VARIABLE}.")
@click.option("--feed", "feed_name", default="", help="A feed that is posted to; left out, the first of the contract.")
@click.option("--role", "given", multiple=True, metavar="NAME=COOKIE", help="A role, by a signed-in browser's cookies.")
@click.option("--for", "for_s", default=10.0, show_default=True, type=click.FloatRange(1, 3_600),
              help="Seconds of nominal load.")
@click.option("--rate", default=10.0, show_default=True, type=click.FloatRange(0.5, 100), help="Its events a second.")
@click.option("--out", default=".", type=click.Path(path_type=Path, file_okay=False), help="The evidence's folder.")
@explained
def accept(
    url: str, key: str, feed_name: str, given: tuple[str, ...], for_s: float, rate: float, out: Path
) -> None:  # fmt: skip
    """Look at a staging deployment by its public face alone, criterion by criterion, and write the evidence.

    It posts events of its own and so is not for a deployment that people look at. Exits 1 unless all was passed.
    """
    from app.loading import load_declarations, load_roles, project_of
    from app.scope import load_statement
    from app.settings import read_settings
    from services.acceptance.trial import Trial

    secret = key or os.environ.get(KEY_VARIABLE, "")
    if not url.startswith(("http://", "https://")) or not secret:
        fail(f"contract accept: give an address such as https://staging.example.com, and --key or {KEY_VARIABLE}", 2)
    project = project_of(read_settings())
    if project.contract is None:
        fail("contract accept: no contract.toml here; headwater contract new writes one", 2)
    contract, statement = load_statement(project)
    declarations = load_declarations(project)
    channel = _channel(contract, declarations, feed_name)
    within_s, share, back_within_s = _promised(contract, channel)
    roles = tuple(_roles(given, load_roles(declarations, project), declarations))
    asked = frozenset(one.name for one in contract.scope.criteria)
    trial = Trial(
        url.rstrip("/"), secret, channel.feed, channel, within_s, share, back_within_s, for_s, rate, roles,
        lambda text: click.echo(f"... {text}", err=True),
    )
    began = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    found = _gathered(contract, statement, trial.url, began, list(trial.run(asked)))
    _write(found, out, began)


def _gathered(contract: Contract, statement: Statement, url: str, began: str, outcomes: list[Outcome]) -> Evidence:
    from services.acceptance.evidence import evidence
    from services.contract.annex import numbered
    from services.contract.locks import in_force, read_locks, taken_numbers, version_in_words

    locks = read_locks(contract.path)
    numbers = numbered(statement, taken_numbers(locks))
    return evidence(contract, numbers, version_in_words(in_force(locks)), url, began, outcomes)


def _channel(contract: Contract, declarations: Declarations, name: str) -> type[Channel]:
    """Rows of a pushed feed as they are, which can be held against what was posted. Ends where there is none."""
    named = contract.scope.named.feeds
    for one in declarations.channels.values():
        feed = one.feed
        wanted = feed.name == name if name else named is None or feed.name in named
        plain = one.kind == "latest" and not one.aggregates and one.where is None and one.partition is None
        if wanted and plain and feed.source.posted:
            return one
    return fail("contract accept: no pushed feed in scope has a channel of its newest rows; name another by --feed", 2)


def _promised(contract: Contract, channel: type[Channel]) -> tuple[float, float, float]:
    """Until when which share of events has to be there, the strictest that applies; and until when a viewer is back."""
    applying = [
        one for one in contract.objectives if one.kind == "latency" and one.channel in (None, channel.name)
    ]
    if not applying:
        fail(f"contract accept: no latency is promised for {channel.name}; declare an objective", 2)
    strictest = min(applying, key=lambda one: one.limit)
    back = [one.limit for one in contract.objectives if one.kind == "reconnect"]
    return strictest.limit, strictest.share, min(back, default=10.0)


def _roles(given: tuple[str, ...], roles: Roles, declarations: Declarations) -> Iterator[Role]:
    """Each role with a channel that it must not see. Ends where a role is unknown, or sees everything."""
    from services.acceptance.trial import Role
    from services.accounts import can

    for one in given:
        name, _, cookie = one.partition("=")
        if name not in roles.known:
            fail(f"contract accept: --role {name}: no such role; give one of {', '.join(roles.known)}", 2)
        principal = roles.principal(name, [name])
        barred = [
            channel.name for channel in declarations.channels.values()
            if channel.partition is None and not can(principal, "view", channel.name)
        ]
        if not barred:
            fail(f"contract accept: --role {name}: it may see every channel, so nothing of it can leak", 2)
        yield Role(name, cookie, barred[0])


def _write(found: Evidence, out: Path, began: str) -> None:
    from services.report.evidence import evidence_document
    from services.report.html import render_html
    from services.report.pdf import render_pdf

    out.mkdir(parents=True, exist_ok=True)
    document, name = evidence_document(found), f"acceptance-{began.replace(':', '')}"
    for ending, content in (
        ("json", found.as_json()), ("html", render_html(document)), ("pdf", render_pdf(document))
    ):
        (out / f"{name}.{ending}").write_bytes(content)
        click.echo(out / f"{name}.{ending}")
    for one in found.outcomes:
        click.echo(f"{one.verdict:8}  clause {found.clauses[one.criterion]}  {one.criterion}: {one.said}")
    click.echo(f"SHA-256 {found.sha256}")
    if not found.passed:
        fail("contract accept: not passed", 1)
