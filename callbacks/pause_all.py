"""Pause-all callbacks: the list of feeds is asked for, and one is paused or resumed, by whoever may do that."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from dash import ALL, Dash, Input, Output, ctx

from components.pause_all import PauseAct, PauseAllId, pausable
from services.broker import BrokerDown, Paused
from services.database import DatabaseDown


class Pauser(Protocol):
    """Who pauses for everybody, as far as whoever asks may."""

    def feeds(self) -> Mapping[str, Paused | None]:
        """The feeds that may be paused, each with its pause, None where it is live."""

    def act(self, act: PauseAct, feed: str) -> str:
        """Do it, and say what became of it."""


def register(app: Dash, pauser: Pauser) -> None:
    """Answer the opening of the page and each click."""
    buttons = {"type": PauseAllId.ACT, "act": ALL, "feed": ALL}

    @app.callback(
        Output(PauseAllId.LIST, "children"), Output(PauseAllId.SAID, "children"),
        Input(PauseAllId.REFRESH, "n_clicks"), Input(buttons, "n_clicks"),
    )
    def answer(_clicks: int | None, clicked: list[int | None]) -> Any:
        return answered(ctx.triggered_id if any(clicked) else None, pauser)


def answered(clicked: Any, pauser: Pauser) -> tuple[Any, str]:
    """The list afterwards, and what was done. `clicked` may be anything: a browser's request can be forged."""
    try:
        said = ""
        if isinstance(clicked, dict) and clicked.get("act") in ("pause", "resume"):
            said = pauser.act(clicked["act"], str(clicked.get("feed")))
        return pausable(pauser.feeds()), said
    except (BrokerDown, DatabaseDown) as error:
        return [], f"No answer: {error}"
