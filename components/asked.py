"""Asked: a list that is asked for when the page is opened and again at a click, and what a click in it did."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.attributes import aria, data


def asked_box(name: str, title: str, *, refresh: str, said: str, rows: str, hint: str = "") -> Component:
    """The list's frame; `name` is its class and data attribute, the others are the ids of its parts."""
    again = html.Button("Refresh", id=refresh, type="button", className="button quiet", n_clicks=0)
    head = html.Header([html.H2(title, className="block-title"), again], className="block-head")
    done = html.P("", id=said, className="trace-hint", role="status")
    told = [html.P(hint, className="trace-hint")] if hint else []
    return html.Section(
        [head, *told, done, html.Div([], id=rows, className=f"{name}-list")], className=f"trace {name}",
        **aria(label=title), **data(**{name.replace("-", "_"): ""}),
    )


def asked_table(names: Sequence[str], rows: Sequence[Component], label: str) -> Component:
    """Its rows under their names; a column without one holds what may be clicked."""
    head = html.Thead(html.Tr([html.Th(name, scope="col") if name else html.Td("") for name in names]))
    table = html.Table([head, html.Tbody(list(rows))])
    return html.Div(table, className="trace-steps", tabIndex=0, role="region", **aria(label=label))
