"""Log: the newest entries of a `Log` channel, newest first on screen, nothing left out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from dash import html
from dash.development.base_component import Component

from components.attributes import aria, data
from components.block import (
    Block,
    ChannelLike,
    check_column,
    columns_of,
    live_column,
    panel,
    ref_of,
    refuse,
    where_declared,
)
from components.formula import columns_in_words
from services.declare import Column

_TIME: dict[str, Any] = {"field": "created_at", "label": "Time", "type": "moment", "decimals": None, "unit": ""}
_WIDTHS = {"moment": 11, "number": 8, "integer": 6, "flag": 5}
"""Characters of the narrow types; a text takes what is left. No content changes them: see `.entries` in style.css."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LogBlock(Block):
    """A checked log; made by `log()`."""

    kind: ClassVar[str] = "log"

    columns: tuple[Column, ...]
    entries_max: int

    @property
    def has_rows(self) -> bool:
        return True

    def draw(self, uid: str) -> Component:
        live: dict[str, Any] = {
            "paint": "log", "channel": self.ref.name, "entries_max": self.entries_max,
            "columns": [_TIME, *(live_column(column) for column in self.columns)],
        }
        labels = [_label(column) for column in live["columns"]]
        widths = " ".join(map(_width, live["columns"]))
        entries = html.Div(
            [
                html.Div(labels, className="entries-head", **aria(hidden="true")),
                html.Ol([], className="entries", **data(entries="")),
                html.P("No entries yet", className="empty"),
            ],
            className="scroll", tabIndex=0, role="region", style={"--columns": widths},
            **aria(label=f"{self.title}: entries"),
        )
        shown = ", ".join(column.label.lower() for column in self.columns)
        facts = [("Definition", f"{self.ref.channel.title}: {shown}"),
                 *columns_in_words(self.columns, self.ref.channel)]
        return panel(self, uid, live, facts, [entries])


def _label(column: dict[str, Any]) -> Component:
    """A column's heading; that of times says their zone as well."""
    return html.Span(column["label"], className="zoned" if column["type"] == "moment" else "",
                     **data(type=column["type"]))


def _width(column: dict[str, Any]) -> str:
    """A narrow column has room for its label and its values; texts share the rest, by the length of their labels."""
    characters = _WIDTHS.get(column["type"])
    if characters is None:
        return f"minmax(6ch, {max(6, len(column['label']))}fr)"
    unit = f" {column['unit']}" if column["unit"] else ""
    return f"{max(characters + len(unit), len(column['label']))}ch"


def log(
    channel: ChannelLike,
    *,
    columns: Sequence[Column] | None = None,
    title: str | None = None,
    entries_max: int | None = None,
) -> LogBlock:
    """The newest entries of a `Log`, each with its time and the named columns (all by default).

    Raises DeclarationError with file, name, value and remedy where these do not fit together.
    """
    ref = ref_of("log", channel)
    declared, what = ref.channel, f"log({ref.channel.__name__})"
    if declared.kind != "log":
        remedy = f"it is a {declared.kind}: use {'table() or tile()' if declared.kind == 'latest' else 'chart()'}"
        refuse(what, declared.name, remedy)
    chosen = list(columns_of(declared).values()) if columns is None else columns
    checked = tuple(check_column(f"{what}.columns", declared, column) for column in chosen)
    kept = declared.keep.entries_max or 0
    if entries_max is not None and not 1 <= entries_max <= kept:
        refuse(f"{what}.entries_max", entries_max, f"the channel keeps {kept}: give 1 to {kept}")
    return LogBlock(
        ref=ref, title=title or declared.title, declared_at=where_declared(), columns=checked,
        entries_max=entries_max or min(kept, 200),
    )
