"""Callbacks: the click. Each file registers what a reader can do with one part of the page.

Live data never passes through a server callback; the clientside ones stand in `assets/live/`.
"""

from __future__ import annotations

from collections.abc import Iterable

from dash import Dash

from callbacks import live, pages, pause_all, quarantine, shell, table, trace
from callbacks.pages import Frame
from callbacks.pause_all import Pauser
from callbacks.quarantine import Keeper
from callbacks.trace import Follow
from components.callback import PageCallback


def register_all(
    app: Dash, follow: Follow, keeper: Keeper, pauser: Pauser, declared: Iterable[PageCallback], frame: Frame
) -> None:
    """Register every callback on this app, and on no other.

    `follow` traces an event, `keeper` looks after the quarantine, and `pauser` pauses for everybody, for who asks;
    `declared` are those of the project's pages, and `frame` is a channel as who asks has it on the screen.
    """
    pages.register(app, declared, frame)
    trace.register(app, follow)
    quarantine.register(app, keeper)
    pause_all.register(app, pauser)
    for part in (live, shell, table):
        part.register(app)
