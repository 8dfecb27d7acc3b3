"""Turns: viewers that are served one by one, a bounded while at a time, in the order in which they came.

A herd of reconnects is a row of turns: whoever is at head gets its frames between any two rounds.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from services.gateway.viewers import Viewer

ROUND_S = 0.005


class Turns:
    """The row; a viewer stands in it once."""

    def __init__(self) -> None:
        self._row: dict[Viewer, None] = {}

    def add(self, viewer: Viewer) -> None:
        """To the end of the row, unless it stands in it."""
        self._row.setdefault(viewer)

    def discard(self, viewer: Viewer) -> None:
        """Out of the row."""
        self._row.pop(viewer, None)

    def take(self, serve: Callable[[Viewer], None]) -> bool:
        """Serve from the front, for about `ROUND_S`; True where some still stand in the row."""
        until = time.monotonic() + ROUND_S
        while self._row:
            viewer = next(iter(self._row))
            del self._row[viewer]
            serve(viewer)
            if time.monotonic() > until:
                break
        return bool(self._row)
