"""Shell: the layout around the pages: header, navigation, banner, footer and the live parts.

It is drawn once; a page change replaces only what stands inside the page container, so the socket,
the banner and the theme stay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from functools import cache
from html import escape
from pathlib import Path
from typing import Any

import dash
import flask
from dash import Dash, dcc, html
from dash.development.base_component import Component

from app.early_view import early_view
from components.attributes import aria, data
from components.live import live_shell
from components.page import Page
from components.pause import page_pause, pause_bar
from components.status import StatusId, banner, banner_told, link_state, look_back, theme_switch, zone_switch, zone_told

PRODUCT = "Headwater"

INDEX = """<!DOCTYPE html>
<html lang="en">
  <head>
    {%metas%}
    <meta name="color-scheme" content="light dark">
    <title>{%title%}</title>
    {%favicon%}
    {%css%}
    {%live%}
  </head>
  <body>
    <noscript>This dashboard shows live values and needs JavaScript.</noscript>
    {%app_entry%}
    {%config%}
    {%scripts%}
    {%renderer%}
  </body>
</html>
"""
"""The HTML document around the app; Dash fills in the parts between braces, `Shell` the live ones."""

CHANNELS_META = "headwater-channels"
PAINTERS_META = "headwater-painters"
LOADER = "live.js"
"""The classic script that must run before all others: in the head, by `Shell`, instead of where Dash would put it."""
EARLY_MODULE = "early.mjs"


class Shell(Dash):
    """A Dash app whose document says what its open page needs, before any script has run.

    The modules are fetched beside Dash's own bundles instead of after them, the channels of the page are
    subscribed to while Dash still draws it, and the page itself stands in the document, to be filled at once.
    """

    def __init__(
        self, *given: Any, modules: Sequence[str], pages: Sequence[Page], painters: Sequence[str] = (),
        styles: Sequence[str] = (), **named: Any,
    ) -> None:
        super().__init__(*given, **named)
        self._painters = _meta(PAINTERS_META, painters)
        links = [*(("stylesheet", path) for path in styles), *(("modulepreload", path) for path in modules)]
        self._links = "\n    ".join(f'<link rel="{kind}" href="{path}">' for kind, path in links)
        self._early_module = next((path for path in modules if path.endswith(f"/{EARLY_MODULE}")), None)
        self._pages = {page.path: page for page in pages}
        self._early_view = cache(self._draw_early_view)

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]  # it calls it with names alone
        named = f"{_meta(CHANNELS_META, self._shown())}\n    {self._painters}"
        parts["app_entry"] = f"{self._early_view(self._open_path())}{parts.get('app_entry', '')}{self._filler()}"
        document: str = super().interpolate_index(**parts)  # type: ignore[no-untyped-call]
        return document.replace("{%live%}", f"{named}\n    {self._loader()}\n    {self._links}")

    def _shown(self) -> list[str]:
        """The channels of the page that is asked for, with what is chosen on it."""
        page = self._pages.get(self._open_path())
        if page is None:
            return []
        asked = flask.request.args if flask.has_request_context() else {}
        return [ref.name for ref in page.shown(asked.get(page.choose.name) or None if page.choose else None)]

    def _draw_early_view(self, path: str) -> str:
        """The page as plain HTML; the same for everybody, since values come later and by its reader's own right."""
        page = self._pages.get(path)
        if page is None or self._early_module is None:
            return ""
        return early_view(shell_layout(tuple(self._pages.values()), self.get_relative_path), page.layout())

    def _filler(self) -> str:
        return "" if self._early_module is None else f'<script type="module" async src="{self._early_module}"></script>'

    def _loader(self) -> str:
        """By content, as the modules are: a browser keeps it for a year."""
        path = Path(self.config.assets_folder) / LOADER
        if not path.exists():
            return ""
        digest = hashlib.sha256(path.read_bytes()).hexdigest()[:16]
        return f'<script src="{self.get_asset_url(LOADER)}?m={digest}"></script>'

    def _open_path(self) -> str:
        """The path of the page that is asked for, without the app's prefix and a slash at its end."""
        if not flask.has_request_context():
            return "/"
        return f"/{self.strip_relative_path(flask.request.path) or ''}"


def _meta(name: str, listed: Sequence[str]) -> str:
    """A list that the document holds for the modules."""
    return f'<meta name="{name}" content="{escape(json.dumps(list(listed)))}">'


def register_pages(pages: Sequence[Page]) -> None:
    """Make these, and only these, the pages of the Dash app about to serve them.

    Dash's registry is global to the process and keeps the pages of an earlier app: it is cleared first.
    """
    dash.page_registry.clear()
    for number, page in enumerate(pages):
        dash.register_page(
            f"pages.{page.slug}", path=page.path, name=page.title, title=f"{page.title} · {PRODUCT}",
            order=number, layout=page.layout,
        )


def shell_layout(pages: Sequence[Page], href: Callable[[str], str]) -> Component:
    """The whole app around `dash.page_container`; `href` puts the app's prefix before a page's path."""
    return html.Div(
        [
            html.A("Skip to content", href="#content", className="skip-link"),
            _header(pages, href),
            banner(),
            banner_told(),
            html.Main(dash.page_container, id="content", tabIndex=-1),
            _footer(),
            pause_bar(),
            *live_shell(),
        ],
        className="shell",
    )


def _header(pages: Sequence[Page], href: Callable[[str], str]) -> Component:
    brand = dcc.Link(
        [html.Span(className="brand-mark", **aria(hidden="true")), html.Span(PRODUCT)],
        href=href("/"), className="brand", title=f"{PRODUCT}: first page",
    )
    links = [html.Li(dcc.Link(page.title, href=href(page.path), className="nav-link")) for page in pages]
    navigation = html.Nav(html.Ul(links), id=StatusId.NAVIGATION, className="navigation", **aria(label="Pages"))
    aside = html.Div([link_state(), look_back(), page_pause(), zone_switch(), theme_switch()], className="header-end")
    return html.Header([brand, navigation, aside, dcc.Store(id=StatusId.MARKED)], className="header")


def _footer() -> Component:
    return html.Footer(
        [
            zone_told(),
            html.Span("Open a component's badge for its definition, source and freshness."),
        ],
        className="footer", **data(role="hints"),
    )
