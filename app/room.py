"""Room: whether what is declared fits into the broker that is there; asked before a process starts."""

from __future__ import annotations

import contextlib

from app.settings import Settings
from services.broker import Broker, BrokerDown, require_room
from services.declare import Declarations


def require_broker_room(settings: Settings, declarations: Declarations) -> None:
    """Raise BrokerTooSmall where the channels cannot fit; a broker that is away is waited for, not judged."""
    broker = Broker(settings.broker_url())
    with contextlib.closing(broker), contextlib.suppress(BrokerDown):
        require_room(declarations, int(broker.server().get("maxmemory") or 0))
