"""Clientside callbacks of the live components: they bind, fill grids, and show freshness. No data passes through here.

The functions are in `assets/live/main.mjs`; the ids in `components/live.py`.
"""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output

from components.live import NAMESPACE, ClientFunction, LiveId, LiveType, every


def register(app: Dash) -> None:
    """Registers them; a page needs none of its own for live data."""
    badges, tables = every(LiveType.BADGE), every(LiveType.TABLE)
    # badges tell which components are mounted, and subscription and grids follow. What changes in a grid comes from the
    # paint loop, as a run of a callback costs more than the change does
    _run(app, ClientFunction.BIND, Output(LiveId.BOUND, "data"), Input(badges, "id"), Input(tables, "id"))
    # one callback for all that tells freshness; it writes into the badges itself: a single output of a callback costs
    # the browser more than all of them
    _run(
        app,
        ClientFunction.FRESHNESS,
        Output(LiveId.BANNER, "hidden"),
        Output(LiveId.BANNER, "data-state"),
        Output(LiveId.BANNER_TEXT, "children"),
        Output(LiveId.LINK, "data-state"),
        Output(LiveId.LINK_TEXT, "children"),
        Input(LiveId.FRESHNESS, "data"),
    )


def _run(app: Dash, function: ClientFunction, *dependencies: Input | Output) -> None:
    named = ClientsideFunction(NAMESPACE, function)
    app.clientside_callback(named, *dependencies)
