"""Callbacks: the click. Each file registers what a reader can do with one part of the page.

Live data never passes through a server callback; the clientside ones stand in `assets/live/`.
"""

from __future__ import annotations

from dash import Dash

from callbacks import live, shell, table


def register_all(app: Dash) -> None:
    """Register every callback on this app, and on no other."""
    for part in (live, shell, table):
        part.register(app)
