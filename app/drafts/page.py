"""Page: the text of a page file that shows a drafted feed."""

from __future__ import annotations

import re
from pathlib import Path

from app.drafts.feed import class_of, drawn
from services.samples.draft import FeedDraft

_COLUMNS_MAX = 6


def page_text(draft: FeedDraft, path: str, about: str) -> str:
    """The whole file; `about` is the page's line."""
    feed, numbers = class_of(draft), drawn(draft)
    title = draft.name.replace("_", " ").capitalize()
    columns = ", ".join(f"{feed}.{one.name}" for one in draft.fields[:_COLUMNS_MAX])
    tiles = ", ".join(["tile(Lately.records)", *(f"tile(Lately.mean_{one.name})" for one in numbers)])
    charts = ", ".join(f"chart(Course.mean_{one.name})" for one in numbers[:2])
    imported = ["Entries", "Lately", "Newest", *(["Course"] if numbers else []), feed]
    names = ["chart"] if numbers else []
    return f'''"""{title}: {about}"""

from headwater import {", ".join([*names, "log", "page", "row", "table", "tile"])}

from ..feeds.{draft.name} import {", ".join(sorted(imported))}

PAGE = page(
    "{title}", "{path}",
    row({tiles}),
    row({charts}{", " if charts else ""}log(Entries, columns=[{columns}])),
    table(Newest, columns=[{columns}], sort={feed}.{draft.key}),
    about={_quoted(about)},
)
'''


def path_of(file: Path) -> str | None:
    """The path of the page that a file declares, so that one that is written anew stays where it is."""
    found = re.search(r'^PAGE = page\(\n    "[^"]*", "(/[^"]*)"', file.read_text(), re.M) if file.exists() else None
    return found[1] if found else None


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
