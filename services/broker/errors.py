"""What can go wrong at the broker, each with the remedy in its text."""

from __future__ import annotations

from services.declare import Lane


class BrokerDown(Exception):
    """The broker cannot be reached or does not answer as it must; the text says which and why."""


class BrokerFull(BrokerDown):
    """The broker has no memory left for a write."""


class LaneLost(Exception):
    """A lane's lease or expected position is not ours any more; open the lane again."""


class Overloaded(Exception):
    """No more events are taken for now; nothing of this call was written, and it may be sent again later."""


class BacklogFull(Overloaded):
    """A lane holds as many unprocessed bytes as it may."""

    def __init__(self, lane: Lane, backlog_bytes: int) -> None:
        super().__init__(f"lane {lane}: {backlog_bytes:,} bytes are waiting to be processed; send again later")


class MemoryHigh(Overloaded):
    """The broker's memory is so full that the rest is kept for commits and trimming."""

    def __init__(self, share: float) -> None:
        super().__init__(f"the broker's memory is {100 * share:.0f} % full; send again later, or raise maxmemory")
