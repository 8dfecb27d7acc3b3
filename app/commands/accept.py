"""Command of acceptance: `headwater contract accept URL` looks at a staging deployment, and writes the evidence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, get_args

import click

from app.commands import explained, fail

if TYPE_CHECKING:
    from app.loading import Project
    from services.acceptance.evidence import Evidence
    from services.acceptance.outcome import Outcome
    from services.acceptance.staging import Role
    from services.acceptance.trial import Promised, Trial
    from services.accounts.roles import Roles
    from services.contract.document import Contract
    from services.contract.statement import Statement
    from services.declare import Channel, Declarations

KEY_VARIABLE = "STAGING_KEY"
COOKIE_VARIABLE = "STAGING_COOKIE"


@click.command()
@click.argument("url")
@click.option("--key", default="", help=f"A staging key that may post to the feed; left out, {KEY_VARIABLE}.")
@click.option("--feed", "feed_name", default="", help="A feed that is posted to; left out, the first of the contract.")
@click.option("--cookie", "cookies", default="", help="Cookies of a signed-in browser that sees what is looked at; left"
              f" out, {COOKIE_VARIABLE}, or those of the first role.")
@click.option("--role", "given", multiple=True, metavar="NAME=COOKIE", help="A role, by a signed-in browser's cookies.")
@click.option("--for", "for_s", default=10.0, show_default=True, type=click.FloatRange(1, 3_600),
              help="Seconds of nominal load.")
@click.option("--rate", default=10.0, show_default=True, type=click.FloatRange(0.5, 100), help="Its events a second.")
@click.option("--peak-for", "peak_s", default=10.0, show_default=True, type=click.FloatRange(1, 600),
              help="Seconds at the peak of the envelope.")
@click.option("--handover", "handed", type=click.Path(path_type=Path, file_okay=False, exists=True),
              help="The folder that headwater handover wrote; a deliverable that is missing in it fails.")
@click.option("--out", default=".", type=click.Path(path_type=Path, file_okay=False), help="The evidence's folder.")
@explained
def accept(
    url: str, key: str, feed_name: str, cookies: str, given: tuple[str, ...], for_s: float, rate: float,
    peak_s: float, handed: Path | None, out: Path,
) -> None:  # fmt: skip
    """Look at a staging deployment by its public face alone, criterion by criterion, and write the evidence.

    It posts events of its own and so is not for a deployment that people look at. Exits 1 unless all was passed.
    """
    from app.loading import load_declarations, project_of
    from app.scope import load_statement
    from app.settings import read_settings
    from services.acceptance.staging import Staging
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
    roles = tuple(_roles(given, _known(declarations, project), declarations))
    own = cookies or os.environ.get(COOKIE_VARIABLE, "")
    role, cookie = (roles[0].name, roles[0].cookie) if roles and not own else ("", own)
    staging = Staging(url.rstrip("/"), secret, channel.feed, channel, cookie)
    trial = Trial(
        staging, _promised(contract, channel), roles, tuple(_pages(contract, declarations, project, role)),
        _held(contract, declarations), for_s, rate, peak_s, lambda text: click.echo(f"... {text}", err=True),
    )
    began = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    outcomes = [*_run(trial, contract), *_deliverables(contract, handed)]
    _write(_gathered(contract, statement, staging.url, began, outcomes), out, began)


def _run(trial: Trial, contract: Contract) -> Iterator[Outcome]:
    yield from trial.run(frozenset(one.name for one in contract.scope.criteria))


def _deliverables(contract: Contract, handed: Path | None) -> Iterator[Outcome]:
    from services.acceptance.outcome import judged
    from services.handover.folder import held

    for one in held(contract, handed):
        yield judged(f"deliverable {one.deliverable.name}", not one.fault, one.said)


def _gathered(contract: Contract, statement: Statement, url: str, began: str, outcomes: list[Outcome]) -> Evidence:
    from services.acceptance.evidence import evidence
    from services.contract.annex import numbered
    from services.contract.locks import in_force, read_locks, taken_numbers, version_in_words

    locks = read_locks(contract.path)
    numbers = numbered(statement, taken_numbers(locks))
    return evidence(contract, numbers, version_in_words(in_force(locks)), url, began, outcomes)


# What is looked at --------------------------------------------------------------------------------------


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


def _held(contract: Contract, declarations: Declarations) -> type[Channel] | None:
    """A channel of a source in scope that is pulled, which can be kept back; None where all are posted."""
    from services.declare import is_of_clients

    named = contract.scope.named.feeds
    for one in declarations.channels.values():
        feed = one.feed
        wanted = is_of_clients(feed.name) and (named is None or feed.name in named)
        if wanted and feed.source.pulled and one.partition is None:
            return one
    return None


def _promised(contract: Contract, channel: type[Channel]) -> Promised:
    """What applies to the channel, the strictest where several do. Ends where no latency is promised."""
    from services.acceptance.trial import Promised
    from services.contract.document import Degraded
    from services.contract.sentences import degraded_of

    applying = [
        one for one in contract.objectives if one.kind == "latency" and one.channel in (None, channel.name)
    ]
    if not applying:
        fail(f"contract accept: no latency is promised for {channel.name}; declare an objective", 2)
    strictest = min(applying, key=lambda one: one.limit)
    back = [one.limit for one in contract.objectives if one.kind == "reconnect"]
    first = [(one.limit, one.share) for one in contract.objectives if one.kind == "first_value"]
    envelope, meanwhile = contract.scope.envelope, {one.degraded for one in contract.objectives}
    return Promised(
        strictest.limit, strictest.share, min(back, default=10.0), *min(first, default=(3.0, 0.95)),
        peak_per_s=0.0 if envelope is None else envelope.events_per_s,
        degraded=frozenset(mode for mode in get_args(Degraded) if degraded_of(mode) in meanwhile),
    )


def _pages(contract: Contract, declarations: Declarations, project: Project, role: str) -> Iterator[str]:
    """The pages in scope that show the role, or everybody where it is "", something of the feeds in scope."""
    from app.loading import load_pages
    from services.accounts import can
    from services.declare import is_of_clients

    named, principal = contract.scope.named, _known(declarations, project).principal(role, [role]) if role else None
    for page in load_pages(declarations, project):
        shown = [ref for ref in page.refs if principal is None or can(principal, "view", ref.name)]
        feeds = {ref.channel.feed.name for ref in shown if is_of_clients(ref.channel.name)}
        if named.pages is not None and page.path not in named.pages:
            continue
        if feeds and (named.feeds is None or feeds & set(named.feeds)):
            yield page.path


def _known(declarations: Declarations, project: Project) -> Roles:
    from app.loading import load_roles

    return load_roles(declarations, project)


def _roles(given: tuple[str, ...], roles: Roles, declarations: Declarations) -> Iterator[Role]:
    """Each role with a channel that it must not see, and one that it must. Ends where a role has not both."""
    from services.acceptance.staging import Role
    from services.accounts import can

    whole = [one.name for one in declarations.channels.values() if one.partition is None]
    for one in given:
        name, _, cookie = one.partition("=")
        if name not in roles.known:
            fail(f"contract accept: --role {name}: no such role; give one of {', '.join(roles.known)}", 2)
        principal = roles.principal(name, [name])
        seen = [channel for channel in whole if can(principal, "view", channel)]
        barred = [channel for channel in whole if channel not in seen]
        if not seen or not barred:
            what = "every channel, so nothing can leak" if seen else "no whole channel, so nothing shows that it is in"
            fail(f"contract accept: --role {name}: it may see {what}; give another role", 2)
        yield Role(name, cookie, barred[0], seen[0])


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
    for one in found.lines:
        outcome = one.outcome
        click.echo(f"{outcome.verdict:8}  clause {one.clause}  {outcome.criterion}: {outcome.said}")
    click.echo(f"SHA-256 {found.sha256}")
    if not found.passed:
        fail("contract accept: not passed", 1)
