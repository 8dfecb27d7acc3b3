"""Quarantine callbacks: the list is asked for, and an entry replayed or discarded, by whoever may do that."""

from __future__ import annotations

from typing import Any, Protocol

from dash import ALL, Dash, Input, Output, ctx

from components.quarantine import Act, QuarantineId, listed
from services.broker import BrokerDown, Quarantined
from services.database import DatabaseDown


class Keeper(Protocol):
    """Who looks after the quarantine, as far as whoever asks may."""

    def entries(self) -> list[Quarantined] | None:
        """What is in it, newest first; None where who asks may not know."""

    def act(self, act: Act, lane: str, entry: str) -> str:
        """Do it, and say what became of it."""


def register(app: Dash, keeper: Keeper) -> None:
    """Answer the opening of the page and each click."""
    buttons = {"type": QuarantineId.ACT, "act": ALL, "lane": ALL, "entry": ALL}

    @app.callback(
        Output(QuarantineId.LIST, "children"), Output(QuarantineId.SAID, "children"),
        Input(QuarantineId.REFRESH, "n_clicks"), Input(buttons, "n_clicks"),
    )
    def answer(_clicks: int | None, clicked: list[int | None]) -> Any:
        return answered(ctx.triggered_id if any(clicked) else None, keeper)


def answered(clicked: Any, keeper: Keeper) -> tuple[Any, str]:
    """The list afterwards, and what was done. `clicked` may be anything: a browser's request can be forged."""
    try:
        said = ""
        if isinstance(clicked, dict) and clicked.get("act") in ("replay", "discard"):
            said = keeper.act(clicked["act"], str(clicked.get("lane")), str(clicked.get("entry")))
        return listed(keeper.entries()), said
    except (BrokerDown, DatabaseDown) as error:
        return [], f"No answer: {error}"
