"""Table callbacks: the quick filter of a table narrows its own grid."""

from __future__ import annotations

from dash import MATCH, ClientsideFunction, Dash, Input, Output, State

from components.live import NAMESPACE, ClientFunction, LiveType
from components.table import TableType


def register(app: Dash) -> None:
    """Hand what is typed to the grid beside it; the grid itself is not drawn again."""
    parts = {"uid": MATCH, "channel": MATCH}
    quick, grid = {"type": TableType.FILTER, **parts}, {"type": LiveType.TABLE, **parts}
    app.clientside_callback(
        ClientsideFunction(NAMESPACE, ClientFunction.FILTER),
        Output(quick, "title"), Input(quick, "value"), State(grid, "id"),
    )
