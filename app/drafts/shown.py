"""Shown: the text of a page file for a feed that is declared already, whatever its channels are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.declare import Channel, FeedSpec

_COLUMNS_MAX = 6
_TILES_MAX = 6


def page_of_feed(feed: FeedSpec, channels: Sequence[type[Channel]], title: str, path: str, imported_from: str) -> str:
    """The whole file: a tile for each aggregate, a chart for each series, its logs and tables, as far as one sees a
    whole channel."""
    whole = [one for one in channels if one.partition is None]
    rows = [*_rows(feed, whole)]
    used = {name for row in rows for name in (feed.declared_by.__name__, *(one.__name__ for one in whole))
            if f"{name}." in row or f"({name}," in row}  # fmt: skip
    made = [name for name in ("chart", "log", "row", "table", "tile") if any(f"{name}(" in row for row in rows)]
    lines = [
        f'"""{title}: a page of the feed {feed.name}."""', "",
        f"from headwater import {', '.join(sorted([*made, 'page']))}", *([""] if imported_from.startswith(".") else []),
        f"from {imported_from} import {', '.join(sorted(used))}", "",
        "PAGE = page(", f'    "{title}", "{path}",', *(f"    {row}," for row in rows), ")", "",
    ]  # fmt: skip
    return "\n".join(lines)


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
