"""Table: the rows of a `Latest` in a grid that stays still while rows change.

The grid keeps only visible rows in the page; sort, filter, scroll and selection hold because rows are
changed by id and never replaced as a whole. Formatting is by the column's type, decimals and unit. A row is opened by
its first cell or by Enter, as a click in a cell selects, and a double click there takes a word to copy.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, ClassVar

import dash_ag_grid
from dash import dcc, html
from dash.development.base_component import Component

from components.attributes import aria
from components.block import (
    Block,
    ChannelLike,
    check_column,
    columns_of,
    decimals_of,
    live_column,
    names_of,
    panel,
    ref_of,
    refuse,
    type_of,
    where_declared,
)
from components.formula import columns_in_words
from components.live import LiveType, live_id
from components.theme import GRID_THEME
from services.declare import Column


class TableType(StrEnum):
    """The `type` of a table's own interactive parts."""

    FILTER = "table-filter"


OPEN_COLUMN = "row-details"
"""The column by which a row is opened; no field can be called so."""
_OPEN: dict[str, Any] = {
    "colId": OPEN_COLUMN, "headerName": "Row", "headerTooltip": "Opens a row: its fields, its history; or Enter",
    "valueGetter": {"function": "'Open'"}, "width": 48, "minWidth": 48, "maxWidth": 48, "lockPosition": "left",
    "sortable": False, "resizable": False, "suppressMovable": True, "enableCellChangeFlash": False,
    "suppressHeaderMenuButton": True, "cellClass": "cell-open", "headerClass": "header-open",
}
_RESTATED = "params.data && params.data.restated ? 'restated by late events: ' + params.data.restated + '×' : null"
_MIN_WIDTHS = {"text": 72, "moment": 144, "flag": 64, "number": 72, "integer": 72}

_GRID_OPTIONS: dict[str, Any] = {
    "theme": {"function": GRID_THEME},
    "animateRows": False,
    "deltaSort": True,
    "suppressScrollOnNewData": True,
    "cellFlashDuration": 500,
    "cellFadeDuration": 0,  # a flash that fades has the browser draw every frame, also those in which nothing changed
    "enableCellTextSelection": True,
    "ensureDomOrder": True,
    "rowSelection": {"mode": "multiRow", "checkboxes": False, "headerCheckbox": False, "enableClickSelection": True},
    "localeText": {"noRowsToShow": "No rows yet"},
    "suppressNoRowsOverlay": True,  # until it is known that there are none: see grid.mjs
    "loading": False,  # rows come by transactions alone: see the grid below
    "suppressDragLeaveHidesColumns": True,
    "tooltipShowDelay": 600,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Table(Block):
    """A checked table; made by `table()`."""

    kind: ClassVar[str] = "table"
    weight: ClassVar[float] = 2.0

    columns: tuple[Column, ...]
    sort: Column | None
    descending: bool
    rows: int | None
    quick_filter: bool

    @property
    def has_rows(self) -> bool:
        return True

    def draw(self, uid: str) -> Component:
        channel = self.ref.name
        # No `rowData`: with it each transaction would hand all rows back to Dash, which renders the page for that.
        grid = dash_ag_grid.AgGrid(
            id=live_id(LiveType.TABLE, uid, channel), getRowId="params.data.id", className="grid",
            columnDefs=[_OPEN, *map(self._column_def, self.columns)], dashGridOptions=_GRID_OPTIONS,
            defaultColDef={"sortable": True, "resizable": True, "enableCellChangeFlash": True,
                           "wrapHeaderText": True, "autoHeaderHeight": True},
            style={"height": "100%", "width": "100%"},
        )
        facts = [("Definition", f"{self.ref.channel.title}: one row for each {self._named_by()}"),
                 *columns_in_words(self.columns, self.ref.channel)]
        label = aria(label=f"{self.title}: rows; Enter opens one")
        frame = html.Div(grid, className="grid-frame", role="region", **label)
        live = {"paint": "none", "channel": self.ref.name, "grid": uid, "row": self._row()}
        return panel(self, uid, live, facts, [frame],
                     tools=[self._tools(uid)] if self.quick_filter else [],
                     style=None if self.rows is None else {"--rows": self.rows})

    def _tools(self, uid: str) -> Component:
        quick = dcc.Input(
            id=live_id_of_filter(uid, self.ref.name), type="search", placeholder="Filter rows", value="",
            className="quick-filter", autoComplete="off",
        )
        return html.Label([html.Span(f"Filter {self.title}", className="visually-hidden"), quick], className="tools")

    def _row(self) -> dict[str, Any]:
        """What the drawer of a row shows: every field, those of the table first, and how far back the archive goes."""
        every = dict.fromkeys([*self.columns, *columns_of(self.ref.channel).values()])
        return {"fields": [live_column(column) for column in every],
                "history_ms": int(self.ref.channel.history.days * 86_400_000)}

    def _named_by(self) -> str:
        return " and ".join(names_of(self.ref.channel)) or "channel"

    def _column_def(self, column: Column) -> dict[str, Any]:
        kind = type_of(column)
        numeric = kind in ("number", "integer")
        heading = f"{column.label} ({column.unit})" if column.unit else column.label
        definition: dict[str, Any] = {
            "field": column.name,
            "headerName": heading,
            "headerTooltip": column.about or None,
            "minWidth": max(_MIN_WIDTHS[kind], 16 + 7 * max(map(len, heading.split()))),  # no word is broken
            "flex": 1 if numeric else 1.5,
            "type": "rightAligned" if numeric else None,
            "filter": "agNumberColumnFilter" if numeric else "agTextColumnFilter",
            "cellDataType": False,
            "valueFormatter": {"function": _formatter(column)},
            "cellClass": ["ag-right-aligned-cell", "cell-number"] if numeric else f"cell-{kind}",
        }
        if kind == "moment":
            definition["headerClass"] = "zoned"
            definition["filterValueGetter"] = {"function": _moment(f"params.data.{column.name}")}
        if self.ref.channel.window_s is not None and column is self.columns[0]:
            definition["cellClassRules"] = {"cell-restated": "params.data.restated > 0"}
            definition["tooltipValueGetter"] = {"function": _RESTATED}
        if self.sort is column:
            definition["sort"] = "desc" if self.descending else "asc"
        return {name: value for name, value in definition.items() if value is not None}


def live_id_of_filter(uid: str, channel: str) -> dict[str, str]:
    """The id of a table's quick filter; the same `uid` and `channel` as its grid's."""
    return {"type": TableType.FILTER, "uid": uid, "channel": channel}


def _moment(value: str) -> str:
    """A moment in the time zone in use, written by `assets/live/zone.mjs`."""
    return f"{value} == null ? '' : moment({value})"


def _formatter(column: Column) -> str:
    """The grid's expression that writes a value of this column; what is missing is a dash."""
    kind, decimals = type_of(column), decimals_of(column)
    if kind == "moment":
        return _moment("params.value")
    if kind == "flag":
        return "params.value == null ? '—' : params.value ? 'yes' : 'no'"
    if kind == "text":
        return "params.value == null ? '—' : params.value"
    return f"params.value == null ? '—' : d3.format(',.{decimals or 0}f')(params.value)"


def table(
    channel: ChannelLike,
    *,
    columns: Sequence[Column] | None = None,
    title: str | None = None,
    sort: Column | None = None,
    descending: bool = False,
    rows: int | None = None,
    quick_filter: bool | None = None,
) -> Table:
    """The rows of a `Latest` with the named columns (all by default), first sorted by `sort`.

    `rows` is how many are seen before it scrolls; without it the table takes much of the screen.
    `quick_filter` puts a field beside its title that narrows it: by default on tables without `rows`.
    Raises DeclarationError with file, name, value and remedy where these do not fit together.
    """
    ref = ref_of("table", channel)
    declared, what = ref.channel, f"table({ref.channel.__name__})"
    if declared.kind != "latest":
        remedy = f"it is a {declared.kind}: use {'log()' if declared.kind == 'log' else 'chart()'}"
        refuse(what, declared.name, remedy)
    chosen = list(columns_of(declared).values()) if columns is None else columns
    checked = tuple(check_column(f"{what}.columns", declared, column) for column in chosen)
    if not checked:
        refuse(f"{what}.columns", columns, "name at least one column")
    if sort is not None and check_column(f"{what}.sort", declared, sort) not in checked:
        refuse(f"{what}.sort", sort, "sort by a column that is shown: add it to columns")
    if rows is not None and not 1 <= rows <= 100:
        refuse(f"{what}.rows", rows, "give 1 to 100 rows")
    return Table(
        ref=ref, title=title or declared.title, declared_at=where_declared(), columns=checked,
        sort=sort, descending=descending, rows=rows,
        quick_filter=rows is None if quick_filter is None else quick_filter,
    )
