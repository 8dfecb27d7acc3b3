"""Pause: the buttons that hold a page or one component as it is, and the bar that says since when and how far behind.

None of them has an id or a callback: `assets/live/pausing.mjs` finds them by their data attributes, writes words and
counts into them, and gives a component without a button one in its details. A button's words begin with "Pause",
which becomes "Resume" while it is held.
"""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from components.attributes import aria, data

_KEYS = "Alt+P"


def pause_button(title: str) -> Component:
    """Holds the component with this title; an icon in its head."""
    words = f"Pause {title}"
    return html.Button("", className="icon-button pause", type="button", title=words, **aria(label=words),
                       **data(pause=""))


def page_pause() -> Component:
    """Holds the whole page; beside the state of the link."""
    return html.Button(
        "", className="icon-button pause", type="button", title=f"Pause the page ({_KEYS})",
        **aria(label="Pause the page", keyshortcuts=_KEYS), **data(pause=""),
    )


def pause_bar() -> Component:
    """Since when the page is paused, how many updates it is behind, and the way back.

    What is read out is a status of its own, which changes when a pause begins or ends and not while the count grows.
    """
    words = [html.Strong("", **data(pause_since="")), html.Span("", **data(pause_behind=""))]
    parts = [
        html.Span(className="dot", **aria(hidden="true")),
        html.Span(words, className="pause-words"),
        html.Button("Resume", className="button", type="button", **aria(label="Resume the page"), **data(pause="")),
    ]
    told = html.Span("", className="visually-hidden", role="status", **data(pause_told=""))
    bar = html.Div(parts, className="pause-bar", hidden=True, role="region", **aria(label="Paused page"),
                   **data(pause_bar=""))
    return html.Div([told, bar])
