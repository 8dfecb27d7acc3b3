"""Both ways of a fan-out: in volleys through io_uring where this machine has it, and by a send for each viewer."""

from __future__ import annotations

from functools import partial

import pytest

from services.gateway import sockets, transmit
from services.gateway.transmit import make_transmit


def _ways() -> list[bool]:
    best = make_transmit()
    best.close()
    return [False, True] if best.way == "io_uring" else [False]


VOLLEYS = _ways()
"""Whether a fan-out is in volleys, for each way that this machine has."""


@pytest.fixture(params=VOLLEYS, ids=lambda volleys: "io_uring" if volleys else "send")
def each_way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> bool:
    """Every fan-out goes this way, also one to few viewers; whether it is in volleys."""
    volleys: bool = request.param
    monkeypatch.setattr(transmit, "VOLLEY_FROM", 1)
    if not volleys:
        monkeypatch.setattr(sockets, "make_transmit", partial(make_transmit, volleys=False))
    return volleys
