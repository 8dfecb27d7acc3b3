"""Commands of scaffolds: `headwater new feed NAME` and `new page NAME` write a file that runs as it is."""

from __future__ import annotations

import re
from importlib import invalidate_caches
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.commands import explained, fail
from app.drafts.sources import KINDS, source_of
from app.settings import read_settings

if TYPE_CHECKING:
    from app.loading import Project
    from services.declare import FeedSpec

_NAME = re.compile(r"[a-z][a-z0-9_]{0,39}")
_EVERY_S, _TOO_LATE_S = 60.0, 300.0


@click.group()
def new() -> None:
    """Write a feed or a page into the project of HEADWATER_PROJECT, or beside those of the demo."""


@new.command()
@click.argument("name")
@click.option("--source", "kind", default="posted", show_default=True, type=click.Choice(list(KINDS)),
              help="Where its records come from; docs/sources.md describes each.")
@explained
def feed(name: str, kind: str) -> None:
    """Write a feed with four channels, and say how its first event comes."""
    from app.drafts.feed import feed_text
    from app.example import example_post
    from app.loading import load_declarations, project_of
    from services.declare import History
    from services.samples.draft import unseen

    settings = read_settings()
    project = project_of(settings)
    _check_name("feed", name)
    if name in load_declarations(project).feeds:
        fail(f"feed {name!r}: there is one of this name already; give another", 1)
    draft = unseen(
        name, polled=False, every_s=_EVERY_S, too_late_s=_TOO_LATE_S, cadence_s=5, history=History(days=7)
    )
    path = _write(Path(project.feeds.__path__[0]) / f"{name}.py", feed_text(draft, kind), project)
    found, source = load_declarations(project).feeds[name], source_of(kind, name, draft.every_s)
    click.echo(f"written: {path}\nIts page: headwater new page {name}")
    if source.extra:
        click.echo(f"Install its client: pip install 'headwater[{source.extra}]'")
    for variable in source.variables:
        click.echo(f"Set {variable} in the environment of every process")
    if kind == "posted":
        click.echo(f"An event, once it runs:\n  {example_post(settings, found)}")


@new.command()
@click.argument("name")
@click.option("--feed", "shown", default="", metavar="FEED", help="The feed that it shows; NAME where it is left out.")
@explained
def page(name: str, shown: str) -> None:
    """Write a page that shows the channels of a feed."""
    from app.drafts.page import of_feed, page_text
    from app.loading import load_declarations, load_pages, project_of

    settings = read_settings()
    project = project_of(settings)
    _check_name("page", name)
    declarations = load_declarations(project)
    found = declarations.feeds.get(shown or name)
    if found is None:
        known = ", ".join(sorted(declarations.feeds))
        wanted = shown or name
        remedy = f"run `headwater new feed {wanted}` first, or name one by --feed: {known}"
        fail(f"page {name!r}: feed {wanted!r} is not declared; {remedy}", 1)
    title, address = name.replace("_", " ").capitalize(), f"/{name.replace('_', '-')}"
    draft = of_feed(found, declarations.channels_of(found), title, address, _module_of(found, project))
    path = _write(Path(project.pages.__path__[0]) / f"{name}.py", page_text(draft), project)
    load_pages(declarations, project)
    click.echo(f"written: {path}\nIt is at {settings.url}{address} as soon as `headwater up` runs.")


def _check_name(what: str, name: str) -> None:
    if not _NAME.fullmatch(name):
        fail(f"{what} {name!r}: use lower-case letters, digits and _, starting with a letter", 2)


def _module_of(feed: FeedSpec, project: Project) -> str:
    """How a page file of the project imports a feed's file."""
    module = feed.declared_by.__module__
    if project.folder is None or not module.startswith(f"{project.feeds.__name__}."):
        return module
    return f"..feeds.{module.removeprefix(f'{project.feeds.__name__}.')}"


def _write(path: Path, text: str, project: Project) -> Path:
    """Write a file that is not there yet; a project's folders become packages, so that types find its files."""
    if path.exists():
        fail(f"{path}: is there already; remove it, or give another name", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    if project.folder is not None:
        for folder in (project.folder, path.parent):
            (folder / "__init__.py").touch()
    path.write_text(text, encoding="utf-8")
    invalidate_caches()  # the folder was looked through before
    return path
