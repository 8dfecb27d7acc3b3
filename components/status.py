"""Status: what the frame around every page says: the banner, the state of the link, the theme switch.

All of it is drawn once and stays while pages change. Texts are filled in by the live callback, which
gives banner and link the same state, so that the two can never disagree.
"""

from __future__ import annotations

from enum import StrEnum

from dash import html
from dash.development.base_component import Component

from components.attributes import aria, data
from components.live import LiveId


class StatusId(StrEnum):
    """Ids of the interactive parts of the frame."""

    THEME = "theme-switch"
    NAVIGATION = "navigation"
    MARKED = "navigation-marked"


def banner() -> Component:
    """What is wrong, why and since when; hidden while all is well."""
    text = html.Span("", id=LiveId.BANNER_TEXT, className="banner-text")
    return html.Section(
        [html.Span(className="dot", **aria(hidden="true")), text], id=LiveId.BANNER, className="banner",
        hidden=True, **aria(label="State of the data"), **data(state="connecting"),
    )


def banner_told() -> Component:
    """What of the banner is read out: each trouble once, and that it is over, but no figure that grows."""
    return html.P("", className="visually-hidden", role="status", **data(banner_told=""))


def link_state() -> Component:
    """The state of the whole page in a few words, beside the navigation."""
    words = html.Span("Connecting", id=LiveId.LINK_TEXT)
    return html.Div([html.Span(className="dot", **aria(hidden="true")), words], id=LiveId.LINK, className="link-state",
                    **data(state="connecting"))


def look_back() -> Component:
    """Opens the dialog that asks for a past time to replay this page at."""
    return html.Button(
        [html.Span(className="look-back-icon", **aria(hidden="true")),
         html.Span("Look back: replay a past time", className="visually-hidden")],
        className="icon-button", type="button", title="Look back: replay a past time", **data(look_back=""),
    )


def zone_switch() -> Component:
    """Goes between the viewer's time zone and the server's; `assets/live/zone.mjs` writes which it is, and finds it by
    its data attribute. Hidden where they are the same."""
    return html.Button("", className="icon-button zone-switch", type="button", hidden=True, **data(zone_switch=""))


def zone_told() -> Component:
    """Says in which time zone the page's times are."""
    return html.Span("Times are in your time zone.", **data(zone_told=""))


def theme_switch() -> Component:
    """Switches between light and dark; without a choice the system decides."""
    return html.Button(
        [html.Span(className="theme-icon", **aria(hidden="true")),
         html.Span("Switch between light and dark", className="visually-hidden")],
        id=StatusId.THEME, className="icon-button", type="button", title="Switch between light and dark",
    )
