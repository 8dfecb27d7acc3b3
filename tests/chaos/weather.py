"""Weather: what else goes on while a fault happens, so that faults also meet each other."""

from __future__ import annotations

import threading
from typing import Self

from tests.chaos.arena import Arena

KINDS = ("fair", "fair", "slow broker", "restless viewers")
SLOW_S = 0.008
CUT_EVERY_S = 0.4


class Weather:
    """Begins when entered and is over when left."""

    def __init__(self, arena: Arena) -> None:
        self._arena, self.kind = arena, arena.chance.choice(KINDS)
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._cut_again_and_again, name="weather", daemon=True)

    def __enter__(self) -> Self:
        self._arena.counts[f"weather {self.kind}"] += 1
        if self.kind == "slow broker":
            for link in self._arena.broker_links.values():
                link.slow(SLOW_S)
        if self.kind == "restless viewers":
            self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self.kind == "restless viewers":
            self._thread.join()
        if self.kind == "slow broker":
            for link in self._arena.broker_links.values():
                link.heal()

    def _cut_again_and_again(self) -> None:
        """Every viewer comes back by position, again and again, to whichever web it is led."""
        while not self._over.wait(CUT_EVERY_S):
            self._arena.front.cut()
