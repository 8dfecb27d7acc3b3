"""Page: the text of a page file, of a feed that is drafted or of one that is declared already; one writer for both."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.drafts.feed import class_of, drawn
from services.declare import Channel, FeedSpec
from services.samples.draft import FeedDraft

_COLUMNS_MAX = 6
_TILES_MAX = 6
_MADE = ("chart", "log", "row", "table", "tile")


@dataclass(frozen=True, slots=True)
class PageDraft:
    """What a page file says. `rows` are its lines from top to bottom, in Python; `names` are classes of the feed's file
    that they may use, imported from `module`."""

    title: str
    path: str
    about: str
    rows: tuple[str, ...]
    names: tuple[str, ...]
    module: str


def page_text(draft: PageDraft) -> str:
    """The whole file."""
    return "\n".join([*_lines(draft), ""])


def _lines(draft: PageDraft) -> Iterator[str]:
    made = [name for name in _MADE if any(f"{name}(" in row for row in draft.rows)]
    used = [name for name in draft.names if any(f"{name}." in row or f"({name}," in row for row in draft.rows)]
    about = draft.about.replace("\\", "\\\\").replace('"', "'")
    yield f'"""{draft.title}: {about}"""'
    yield ""
    yield f"from headwater import {', '.join(sorted([*made, 'page']))}"
    yield from [""] if draft.module.startswith(".") else []
    yield f"from {draft.module} import {', '.join(sorted(used))}"
    yield ""
    yield "PAGE = page("
    yield f'    "{draft.title}", "{draft.path}",'
    yield from (f"    {row}," for row in draft.rows)
    yield f"    about={_quoted(draft.about)},"
    yield ")"


def of_draft(draft: FeedDraft, path: str, about: str) -> PageDraft:
    """The page of a feed that is drafted: its channels are those that its file gets. `about` is the page's line."""
    feed, numbers = class_of(draft), drawn(draft)
    columns = ", ".join(f"{feed}.{one.name}" for one in draft.fields[:_COLUMNS_MAX])
    tiles = ["tile(Lately.records)", *(f"tile(Lately.mean_{one.name})" for one in numbers)]
    charts = [f"chart(Course.mean_{one.name})" for one in numbers[:2]]
    rows = (
        f"row({', '.join(tiles)})", f"row({', '.join([*charts, f'log(Entries, columns=[{columns}])'])})",
        f"table(Newest, columns=[{columns}], sort={feed}.{draft.key})",
    )  # fmt: skip
    title, names = draft.name.replace("_", " ").capitalize(), ("Course", "Entries", "Lately", "Newest", feed)
    return PageDraft(title, path, about, rows, names, f"..feeds.{draft.name}")


def of_feed(feed: FeedSpec, channels: Sequence[type[Channel]], title: str, path: str, module: str) -> PageDraft:
    """The page of a feed that is declared, whatever its channels are: a tile for each aggregate, a chart for each
    series, its logs and tables, as far as one sees a whole channel."""
    whole = [one for one in channels if one.partition is None]
    names = (feed.declared_by.__name__, *(one.__name__ for one in whole))
    return PageDraft(title, path, f"The feed {feed.name}.", tuple(_rows(feed, whole)), names, module)


def _rows(feed: FeedSpec, channels: Sequence[type[Channel]]) -> Iterator[str]:
    own = feed.declared_by.__name__
    fields = ", ".join(f"{own}.{name}" for name in list(feed.fields)[:_COLUMNS_MAX])
    by_key = f", sort={own}.{feed.key}" if f"{own}.{feed.key}" in fields.split(", ") else ""
    tiles = [
        f"tile({one.__name__}.{name})" for one in channels if one.kind == "latest" and one.aggregates and not one.by
        for name in one.aggregates
    ]  # fmt: skip
    charts = [f"chart({one.__name__}.{list(one.aggregates)[-1]})" for one in channels if one.kind == "series"]
    logs = [f"log({one.__name__}, columns=[{fields}])" for one in channels if one.kind == "log"]
    if tiles:
        yield f"row({', '.join(tiles[:_TILES_MAX])})"
    if charts or logs:
        yield f"row({', '.join([*charts, *logs][:2])})"
    for one in channels:
        if one.kind == "latest" and not one.aggregates:
            yield f"table({one.__name__}, columns=[{fields}]{by_key})"


def path_of(file: Path) -> str | None:
    """The path of the page that a file declares, so that one that is written anew stays where it is."""
    found = re.search(r'^PAGE = page\(\n    "[^"]*", "(/[^"]*)"', file.read_text(), re.M) if file.exists() else None
    return found[1] if found else None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
