"""Shell callbacks: the navigation marks the page that is open; the theme is switched."""

from __future__ import annotations

from dash import ClientsideFunction, Dash, Input, Output

from components.live import NAMESPACE, ClientFunction
from components.status import StatusId

PATHNAME = Input("_pages_location", "pathname")
"""Where Dash's pages keep the open page's path."""


def register(app: Dash) -> None:
    """Mark the open page's link for eyes and screen readers; switch between light and dark."""
    app.clientside_callback(
        ClientsideFunction(NAMESPACE, ClientFunction.NAVIGATION), Output(StatusId.MARKED, "data"), PATHNAME
    )
    app.clientside_callback(
        ClientsideFunction(NAMESPACE, ClientFunction.THEME), Input(StatusId.THEME, "n_clicks"),
        prevent_initial_call=True,
    )
