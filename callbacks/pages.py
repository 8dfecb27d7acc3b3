"""Page callbacks: what a team's pages do on the server; guarded as every callback is."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from dash import Dash

from components.callback import PageCallback
from services.declare import ChannelRef

if TYPE_CHECKING:
    from pandas import DataFrame

Frame = Callable[[ChannelRef], "DataFrame"]
"""A channel as it is on the screen of whoever asks; it refuses the request of who may not see it."""


def register(app: Dash, declared: Iterable[PageCallback], frame: Frame) -> None:
    """Register each on this app."""
    for one in declared:
        app.callback(*one.dependencies, prevent_initial_call=one.prevent_initial_call)(_run(one, frame))


def _run(declared: PageCallback, frame: Frame) -> Callable[..., Any]:
    def run(*given: Any) -> Any:
        frames = [frame(ref) for ref in declared.shown]  # before the function: who may not see them runs nothing
        return declared.function(*given, *frames)

    return run
