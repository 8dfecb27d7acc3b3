"""Limiting: what ingest keys may still post, counted for all web processes together."""

from __future__ import annotations

from typing import Any

from services.broker.connection import Connection, surfacing


class Limiting(Connection):
    """What the limits of ingest keys ask of the broker."""

    @surfacing
    def spend(
        self, name: str, rates: tuple[int, int], asked: tuple[int, int], ahead_ms: int
    ) -> tuple[int, tuple[int, int]]:
        """Take (events, bytes) out of a key's allowance: (ms to wait, what was given ahead).

        `rates` are events and bytes a second, 0 for no limit. Nothing is taken where there is a wait.
        """
        found: Any = self._run("spend", [f"hw:allowance:{name}"], [*rates, *asked, ahead_ms])
        return int(found[0]), (int(found[1]), int(found[2]))
