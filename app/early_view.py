"""Early view: a page as plain HTML in its own document, so that it is seen, and filled, before Dash has drawn it.

Dash draws a page after a megabyte of bundles, its layout and a callback for the page. This is the same layout without
any of them; `assets/live/early.mjs` fills it with values and takes it away when Dash's own page shows them.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from html import escape
from typing import Any

from dash.development.base_component import Component

EARLY_ID = "early"
_CONTENT_ID = "_pages_content"
_HTML = "dash_html_components"
_TAGS = {"Link": "a", "Input": "input"}
"""What other components look like before they work; any other is an empty box of its class."""
_NAMES = {"className": "class", "htmlFor": "for"}
_LATER = frozenset(
    {"children", "id", "style", "data-page", "data-facts", "data-explore", "figure", "config", "responsive", "value"}
)
"""What is Dash's own, or would be found twice."""
_VOID = frozenset({"input", "img", "br", "hr"})
_PLAIN = (str, int, float, bool)


def early_view(shell: Component, page: Component) -> str:
    """The shell with the page in it, as HTML that nobody can act on yet."""
    return f'<div id="{EARLY_ID}" inert>{_html(shell, lambda: _html(page, str))}</div>'


def _html(node: Any, content: Callable[[], str]) -> str:
    if node is None or isinstance(node, bool):
        return ""
    if isinstance(node, list | tuple):
        return "".join(_html(each, content) for each in node)
    if not isinstance(node, Component):
        return escape(str(node))
    props = node.to_plotly_json()["props"]
    if props.get("id") == _CONTENT_ID:
        return f"<div>{content()}</div>"
    own = node._namespace == _HTML
    if not own and "className" not in props:
        return ""  # stores, the socket: nothing to see
    tag = node._type.lower() if own else _TAGS.get(node._type, "div")
    opening = " ".join([tag, *_attributes(props)])
    inner = _html(props.get("children"), content) if own or tag == "a" else ""
    if told := props.get("data-choose"):
        inner = f"<option>{escape(_unchosen(json.loads(told)))}</option>"  # Dash's own list belongs to the browser
    return f"<{opening}>" if tag in _VOID else f"<{opening}>{inner}</{tag}>"


def _unchosen(told: dict[str, Any]) -> str:
    """What the list of a page's choice says before a value is chosen."""
    return f"Choose {told['noun']}" if told.get("must") else str(told["all"])


def _attributes(props: dict[str, Any]) -> Iterator[str]:
    for name, value in props.items():
        if name in _LATER or value in (None, False) or not isinstance(value, _PLAIN):
            continue
        # what `data-live` says is Dash's to bind: the early view has a word of its own for it
        written = "data-early" if name == "data-live" else _NAMES.get(name, name.lower())
        yield written if value is True else f'{written}="{escape(str(value))}"'
    if style := props.get("style"):
        rules = ";".join(f"{_hyphenated(name)}:{value}" for name, value in style.items())
        yield f'style="{escape(rules)}"'


def _hyphenated(name: str) -> str:
    return re.sub(r"(?<!-)[A-Z]", lambda found: f"-{found[0].lower()}", name)
