"""What a test asks of a drawn page: its components, their ids and attributes, as they travel to the browser."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from dash.development.base_component import Component


def every(component: Component) -> Iterator[Component]:
    """The component and all below it."""
    yield component
    children = getattr(component, "children", None)
    for child in children if isinstance(children, list | tuple) else [children]:
        if isinstance(child, Component):
            yield from every(child)


def texts(component: Component) -> str:
    """All its text, in order."""
    children = getattr(component, "children", None)
    parts = children if isinstance(children, list | tuple) else [children]
    return " ".join(texts(part) if isinstance(part, Component) else part for part in parts if part is not None)


def props(component: Component) -> dict[str, Any]:
    found: dict[str, Any] = component.to_plotly_json()["props"]
    return found


def live(component: Component) -> list[dict[str, Any]]:
    """What the painters read, of every live component."""
    return [json.loads(props(one)["data-live"]) for one in every(component) if "data-live" in props(one)]


def ids(component: Component) -> list[Any]:
    return [props(one)["id"] for one in every(component) if "id" in props(one)]


def of_class(component: Component, name: str) -> list[Component]:
    return [one for one in every(component) if name in props(one).get("className", "").split()]
