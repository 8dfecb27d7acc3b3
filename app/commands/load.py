"""Command of load: `headwater load URL` brings a staging deployment to the contract's envelope."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.commands import explained, fail
from app.commands.accept import COOKIE_VARIABLE, KEY_VARIABLE
from app.commands.spans import span

if TYPE_CHECKING:
    from components.page import Page
    from services.contract.document import Contract
    from services.contract.scope import Envelope
    from services.declare import Declarations, FeedSpec
    from services.load.crowd import Shown
    from services.load.load import Loaded
    from services.load.shape import Shape

CHOICES_MAX = 5
SECONDS_MAX = 3_600


@click.command()
@click.argument("url")
@click.option("--key", default="", help=f"A staging key of the deployment; left out, {KEY_VARIABLE}.")
@click.option("--cookie", default="", help=f"Cookies of a signed-in browser, for viewers; left out, {COOKIE_VARIABLE}.")
@click.option("--for", "for_s", default="2m", show_default=True, callback=span, help="How long in all, at most 1h.")
@click.option("--events", type=click.FloatRange(0.1), help="Events a second at the peak; left out, of the envelope.")
@click.option("--viewers", type=click.IntRange(1), help="Viewers at once; left out, of the envelope.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Where the result is written; left out,"
              " envelope.json beside contract.toml, where contract check reads it.")
@explained
def load(
    url: str, key: str, cookie: str, for_s: float, events: float | None, viewers: int | None, out: Path | None
) -> None:  # fmt: skip
    """Bring the staging deployment at URL to the contract's envelope in four stages, and say what gave way first.

    Producers are like each feed's own history, viewers like people. Only a deployment that issued the key is loaded,
    never with more than the envelope. Exits 1 unless everything held.
    """
    from app.loading import load_contract, load_declarations, load_pages, project_of
    from app.settings import read_settings
    from services.contract.envelope import envelope_path
    from services.load.load import Load

    secret = key or os.environ.get(KEY_VARIABLE, "")
    if not url.startswith(("http://", "https://")) or not secret:
        fail(f"load: give an address such as https://staging.example.com, and --key or {KEY_VARIABLE}", 2)
    project = project_of(read_settings())
    declarations = load_declarations(project)
    contract = load_contract(declarations, project)
    if contract is None:
        fail("load: no contract.toml here; headwater contract new writes one", 2)
    if for_s > SECONDS_MAX:
        raise click.UsageError("--for: more than an hour; give at most 1h")
    envelope = _bounded(contract, events, viewers)
    address, cookies = url.rstrip("/"), cookie or os.environ.get(COOKIE_VARIABLE, "")
    shapes = _shapes(address, secret, cookies, contract, declarations)
    for shape in shapes:
        click.echo(f"... {shape.said}", err=True)
    pages = tuple(_shown(page, shapes) for page in load_pages(declarations, project) if _in_scope(page, contract))
    made = Load(
        address, secret, cookies, shapes, tuple(one for one in pages if one.channels), contract.objectives, envelope,
        for_s, lambda text: click.echo(f"... {text}", err=True),
    ).run(f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    path = out or envelope_path(contract.path)
    path.write_text(json.dumps(made.as_json(), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _tell(made, path)


def _bounded(contract: Contract, events: float | None, viewers: int | None) -> Envelope:
    """What is asked of the deployment: the envelope, or less of it. Ends where it is more."""
    envelope = contract.scope.envelope
    if envelope is None:
        fail("load: the contract has no envelope; give the table [envelope] in contract.toml", 2)
    for option, asked, most in (("--events", events, envelope.events_per_s), ("--viewers", viewers, envelope.viewers)):
        if asked is not None and asked > most:
            fail(f"load: {option} {asked:g}: more than the envelope of {most:g}; give less, or raise the envelope", 2)
    return replace(envelope, events_per_s=events or envelope.events_per_s, viewers=viewers or envelope.viewers)


def _shapes(
    url: str, secret: str, cookie: str, contract: Contract, declarations: Declarations
) -> tuple[Shape, ...]:
    """A shape for each feed of the contract that the key may load. Ends where the deployment issued no such key."""
    import requests

    from services.load.history import history_of
    from services.load.shape import shape_of
    from services.positions import wall_clock

    try:
        feeds = [declarations.feeds[name] for name in _told(url, secret, contract) if name in declarations.feeds]
        feeds = [one for one in feeds if not one.source.pulled] or feeds
        found = tuple(shape_of(one, history_of(url, cookie, declarations, one, wall_clock())) for one in feeds)
    except requests.RequestException as error:
        fail(f"load: {url}: {error}; check the address", 1)
    if not found:
        fail("load: the key may post to no feed of the contract; issue one that may: headwater keys add … --staging", 2)
    return found


def _told(url: str, secret: str, contract: Contract) -> list[str]:
    import requests

    answer = requests.get(f"{url}/api/staging", headers={"Authorization": f"Bearer {secret}"}, timeout=10)
    if answer.status_code != 200:
        fail(f"load: {url} did not issue this key for staging: {_said(answer)}", 2)
    named = contract.scope.named.feeds
    return [one for one in answer.json()["feeds"] if named is None or one in named]


def _said(answer: Any) -> str:
    try:
        return str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{answer.status_code}; is it a Headwater of this release?"


def _in_scope(page: Page, contract: Contract) -> bool:
    named = contract.scope.named.pages
    return named is None or page.path in named


def _shown(page: Page, shapes: tuple[Shape, ...]) -> Shown:
    """The page with the channels of each choice that its reader has, by values that the history has."""
    from services.load.crowd import Shown

    values: dict[str, None] = {}
    if page.choose is not None:
        for shape in shapes:
            if _has(shape.feed, page.choose):
                values.update(dict.fromkeys(str(body[page.choose.name]) for body in shape.bodies[:1_000]))
    choices = tuple(tuple(ref.name for ref in page.shown(one)) for one in list(values)[:CHOICES_MAX])
    return Shown(page.path, tuple(ref.name for ref in page.shown()), choices)


def _has(feed: FeedSpec, field: Any) -> bool:
    return feed.fields.get(field.name) is field


def _tell(made: Loaded, path: Path) -> None:
    for stage in made.stages:
        click.echo(f"{100 * stage.share:.0f} %: peak {stage.events_per_s:,g} events/s ({stage.accepted_per_s:,g} on "
                   f"average), {stage.viewers} viewers")
        for one in stage.found:
            verdict = {True: "held", False: "gave way", None: "not seen"}[one.held]
            click.echo(f"  {verdict:8}  {one.objective}: {one.said}")
    click.echo(f"written: {path}")
    if not made.usable:
        fail(f"load: this machine was itself {made.own_lag_s:.1f} s late: its figures say nothing; use another", 1)
    if made.gave_way is not None:
        stage, found = made.gave_way
        when = f"{found.gave_way_after_s:.0f} s into {100 * stage.share:.0f} % of the envelope"
        fail(f"load: {found.objective} gave way first, {when}: {found.said}", 1)
    click.echo(f"All that could be seen held up to {made.envelope.events_per_s:,g} events/s and "
               f"{made.envelope.viewers:,} viewers.")
