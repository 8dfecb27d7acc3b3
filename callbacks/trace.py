"""Trace callback: what is asked for is followed on the server, by whoever may ask that."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from dash import Dash, Input, Output, State

from components.trace import TraceId, failed, refused, traced, unknown
from services.broker import BrokerDown
from services.database import DatabaseDown
from services.tracing.trace import Trace

Follow = Callable[[str], list[Trace] | None]
"""The events of an id; None where who asks may not know them."""


def register(app: Dash, follow: Follow) -> None:
    """Answer a click and the return key."""

    @app.callback(
        Output(TraceId.ANSWER, "children"), Input(TraceId.ASK, "n_clicks"), Input(TraceId.WANTED, "n_submit"),
        State(TraceId.WANTED, "value"), prevent_initial_call=True,
    )
    def answer(_clicks: int | None, _returns: int | None, wanted: Any) -> Any:
        return answered(wanted, follow)


def answered(wanted: Any, follow: Follow) -> Any:
    """What stands below the question then. `wanted` may be anything: a browser's request can be forged."""
    asked = wanted.strip() if isinstance(wanted, str) else ""
    try:
        found = follow(asked) if asked else []
    except (BrokerDown, DatabaseDown) as error:
        return failed(str(error))
    if found is None:
        return refused()
    return traced(found) if found else unknown(asked)
