"""Fault: what a page says in development while a file of the project is wrong."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from components.attributes import aria


def faults_told(faults: Sequence[str]) -> list[Component]:
    """The notice on every page: what is wrong, and that it is left out until then. Nothing while all is well."""
    if not faults:
        return []
    heading = html.Strong("Left out, as it is wrong; save it corrected, and this page shows it:")
    listed = html.Ul([html.Li(html.Code(one)) for one in faults])
    return [html.Section([heading, listed], className="faults", **aria(label="Faults in the project's files"))]


def fault_box(fault: str) -> Component:
    """What stands in the place of a page whose file is left out."""
    return html.Div(
        [html.P("This page cannot be shown: its file, or one that it needs, is wrong."),
         html.Pre(html.Code(fault), tabIndex=0)],
        className="hint fault",
    )  # fmt: skip
