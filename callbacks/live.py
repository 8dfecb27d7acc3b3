"""Clientside callbacks of the live components: they bind, fill grids, and show freshness. No data passes through here.

The functions are in `assets/live/main.mjs`; the ids in `components/live.py`.
"""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output

from components.live import NAMESPACE, ClientFunction, LiveId, LiveType, every


def register(app: Dash) -> None:
    """Registers them; a page needs none of its own for live data."""
    badges = every(LiveType.BADGE)
    # the badges on the page tell which components are mounted; its subscription follows
    _run(app, ClientFunction.BIND, Output(LiveId.BOUND, "data"), Input(badges, "id"))
    _run(app, ClientFunction.GRIDS, Input(LiveId.CHANGES, "data"), Input(every(LiveType.TABLE), "id"))
    # one callback for all that tells freshness: each run of one costs the browser about 10 ms
    _run(
        app,
        ClientFunction.FRESHNESS,
        Output(badges, "data-state"),
        Output(every(LiveType.BADGE_AGE), "children"),
        Output(every(LiveType.BADGE_DETAIL), "children"),
        Output(LiveId.BANNER, "hidden"),
        Output(LiveId.BANNER, "data-state"),
        Output(LiveId.BANNER_TEXT, "children"),
        Output(LiveId.LINK, "data-state"),
        Output(LiveId.LINK_TEXT, "children"),
        Input(LiveId.FRESHNESS, "data"),
        Input(badges, "id"),
    )


def _run(app: Dash, function: ClientFunction, *dependencies: Input | Output) -> None:
    named = ClientsideFunction(NAMESPACE, function)
    app.clientside_callback(named, *dependencies)
