"""Shell: the layout around the pages: header, navigation, banner, footer and the live parts.

It is drawn once; a page change replaces only what stands inside the page container, so the socket,
the banner and the theme stay.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache
from html import escape
from pathlib import Path
from typing import Any

import dash
import flask
from dash import Dash, dcc, html
from dash.development.base_component import Component
from dash.types import RendererHooks
from plotly.io.json import to_json_plotly

from app.doors import SIGN_OUT_PATH
from app.early_view import early_view
from app.menu import Kind, Menu
from components.attributes import aria, data
from components.fault import faults_told
from components.live import live_shell
from components.page import Page
from components.pause import page_pause, pause_bar
from components.pause_all import pause_all_box
from components.quarantine import quarantine_box
from components.status import StatusId, banner, banner_told, link_state, look_back, theme_switch, zone_switch, zone_told
from components.trace import trace_box

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

TELL_SCREEN: RendererHooks = {
    "request_pre": "(body) => { if (window.headwater?.screen) body.screen = window.headwater.screen(); }"
}
"""With each callback that the server runs goes the position at which each channel is shown; see `app/on_screen.py`."""
CHANNELS_META = "headwater-channels"
PAINTERS_META = "headwater-painters"
LOADER = "live.js"
"""The classic script that must run before all others: in the head, by `Shell`, instead of where Dash would put it."""
EARLY_MODULE = "early.mjs"
NOT_FOUND = "404 - Page not found"
"""As Dash says it of a path that nobody declared: a page that one may not see is no other."""
VIEWS_MAX = 200
"""So many pages, by who sees them, are kept drawn."""


class Shell(Dash):
    """A Dash app whose document says what its open page needs, before any script has run.

    The modules are fetched beside Dash's own bundles instead of after them, the channels of the page are
    subscribed to while Dash still draws it, and the page itself stands in the document, to be filled at once.
    """

    def __init__(
        self, *given: Any, modules: Sequence[str], menu: Menu, painters: Sequence[str] = (),
        styles: Sequence[str] = (), scripts: Sequence[str] = (), faults: Sequence[str] = (), **named: Any,
    ) -> None:
        super().__init__(*given, **named)
        self._faults = tuple(faults)
        self._painters = _meta(PAINTERS_META, painters)
        links = [*(("stylesheet", path) for path in styles), *(("modulepreload", path) for path in modules)]
        own = (f'<script defer src="{path}"></script>' for path in scripts)
        self._links = "\n    ".join([*(f'<link rel="{kind}" href="{path}">' for kind, path in links), *own])
        self._early_module = next((path for path in modules if path.endswith(f"/{EARLY_MODULE}")), None)
        self._menu = menu
        self._early_view = lru_cache(VIEWS_MAX)(self._draw_early_view)
        self._to_check = lru_cache(VIEWS_MAX)(self._draw_to_check)

    def interpolate_index(self, **parts: Any) -> str:  # type: ignore[override]  # it calls it with names alone
        named = f"{_meta(CHANNELS_META, self._shown())}\n    {self._painters}"
        early = self._early_view(self._open_path(), self._account(), self._menu.kind())
        parts["app_entry"] = f"{early}{parts.get('app_entry', '')}{self._filler()}"
        document: str = super().interpolate_index(**parts)  # type: ignore[no-untyped-call]
        return document.replace("{%live%}", f"{named}\n    {self._loader()}\n    {self._links}")

    def _shown(self) -> list[str]:
        """The channels of the page that is asked for, with what is chosen on it."""
        page = self._menu.page(self._open_path())
        if page is None:
            return []
        asked = flask.request.args if flask.has_request_context() else {}
        shown = page.shown(asked.get(page.choose.name) or None if page.choose else None)
        return [ref.name for ref in shown if self._menu.sees(ref)]

    def _draw_early_view(self, path: str, account: str, _kind: Kind) -> str:
        """The page as plain HTML; the same for all who may see the same, since values come later."""
        page = self._menu.page(path)
        if page is None or self._early_module is None:
            return ""
        frame = shell_layout(self._menu.pages(), self.get_relative_path, account, self._faults)
        return early_view(frame, page.layout())

    def layout_for_reader(self) -> Component:
        """The frame with the menu of whoever asks."""
        return shell_layout(self._menu.pages(), self.get_relative_path, self._account(), self._faults)

    def _account(self) -> str:
        """The name of who is signed in, '' where there is no sign-in."""
        who = self._menu.who()
        return who.name if who is not None and who.session else ""

    def dependencies(self) -> Any:
        """The callbacks as the browser is told them: those of the reader's pages."""
        kept = [one for one in self._callback_list if not self._menu.forbidden(_ids_of(one))]
        return flask.Response(to_json_plotly(kept), content_type="application/json")

    def _config(self) -> Any:
        """What Dash tells the browser; of all pages, against which it checks callbacks, only those of the reader."""
        told = super()._config()  # type: ignore[no-untyped-call]
        if "validation_layout" in told:
            told["validation_layout"] = self._to_check(self._menu.kind())
        return told

    def _draw_to_check(self, _kind: Kind) -> Component:
        pages = self._menu.pages()
        drawn = html.Div([*[page.layout() for page in pages], shell_layout(pages, self.get_relative_path, "")])
        known = list(drawn)  # the ids in it
        # callbacks of parts that none of these pages has are there all the same: Dash would call them faulty
        boxes = (trace_box(), quarantine_box(), pause_all_box())
        apart = [box for box in boxes if not any(one in known for one in box)]
        return html.Div([drawn, *apart])

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


def _ids_of(callback: Mapping[str, Any]) -> Iterator[str]:
    """The ids that a callback names, as Dash writes them."""
    yield from (one["id"] for part in ("inputs", "state") for one in callback[part])
    yield from (one.rpartition(".")[0] for one in str(callback["output"]).strip(".").split("..."))


def _meta(name: str, listed: Sequence[str]) -> str:
    """A list that the document holds for the modules."""
    return f'<meta name="{name}" content="{escape(json.dumps(list(listed)))}">'


def register_pages(menu: Menu) -> None:
    """Make these, and only these, the pages of the Dash app about to serve them, each for who may see it.

    Dash's registry is global to the process and keeps the pages of an earlier app: it is cleared first.
    """
    dash.page_registry.clear()
    for number, page in enumerate(menu.all):
        dash.register_page(
            f"pages.{page.slug}", path=page.path, name=page.title, title=_title_for_reader(menu, page),
            order=number, layout=_layout_for_reader(menu, page),
        )


def _layout_for_reader(menu: Menu, page: Page) -> Callable[..., Component]:
    def layout(**asked: object) -> Component:
        seen = menu.page(page.path)
        return html.H1(NOT_FOUND) if seen is None else seen.layout(**asked)

    return layout


def _title_for_reader(menu: Menu, page: Page) -> Callable[..., str]:
    return lambda **_: PRODUCT if menu.page(page.path) is None else f"{page.title} · {PRODUCT}"


def shell_layout(
    pages: Sequence[Page], href: Callable[[str], str], account: str = "", faults: Sequence[str] = ()
) -> Component:
    """The whole app around `dash.page_container`; `href` puts the app's prefix before a page's path."""
    return html.Div(
        [
            html.A("Skip to content", href="#content", className="skip-link"),
            _header(pages, href, account),
            banner(),
            banner_told(),
            *faults_told(faults),
            html.Main(dash.page_container, id="content", tabIndex=-1),
            _footer(),
            pause_bar(),
            *live_shell(),
        ],
        className="shell",
    )


def _header(all_pages: Sequence[Page], href: Callable[[str], str], account: str) -> Component:
    pages = [page for page in all_pages if page.retired is None]
    brand = dcc.Link(
        [html.Span(className="brand-mark", **aria(hidden="true")), html.Span(PRODUCT)],
        href=href(pages[0].path if pages else "/"), className="brand", title=f"{PRODUCT}: first page",
    )
    links = [html.Li(dcc.Link(page.title, href=href(page.path), className="nav-link")) for page in pages]
    navigation = html.Nav(html.Ul(links), id=StatusId.NAVIGATION, className="navigation", **aria(label="Pages"))
    switches = [link_state(), look_back(), page_pause(), zone_switch(), theme_switch()]
    who = [html.A(account, href=href(SIGN_OUT_PATH), className="account", title="Account and sign-out")]
    aside = html.Div([*switches, *(who if account else [])], className="header-end")
    return html.Header([brand, navigation, aside, dcc.Store(id=StatusId.MARKED)], className="header")


def _footer() -> Component:
    return html.Footer(
        [
            zone_told(),
            html.Span("Open a component's badge for its definition, source and freshness."),
        ],
        className="footer", **data(role="hints"),
    )
