"""Broker: the only room that speaks Redis.

Each station has its own few verbs here, a file each; the Lua beside them (`scripts/`) makes each of them one
step. Keys of a lane carry the lane as hash tag, `hw:{flights.0}:...`, so that a commit stays in one slot.
"""

from services.broker.accepting import IDS_WINDOW_MS, MEMORY_LIMIT, Accepting
from services.broker.admitting import Admitting
from services.broker.archiving import Archiving
from services.broker.caps import BrokerTooSmall, Caps, require_room
from services.broker.connection import memory_share
from services.broker.errors import BacklogFull, BrokerDown, BrokerFull, LaneLost, MemoryHigh, Overloaded
from services.broker.examining import Examining, persistence_of
from services.broker.forgetting import Forgetting
from services.broker.holding import Holding
from services.broker.leading import Leading, Station
from services.broker.limiting import Limiting
from services.broker.measuring import Measuring
from services.broker.pausing import Paused, Pausing
from services.broker.quarantining import Quarantining
from services.broker.serving import Serving
from services.broker.stored import (
    FORGET,
    MEMORY,
    REPLAY,
    ArchiveStanding,
    ChannelCommit,
    Entry,
    LaneCommit,
    Leader,
    OpenLane,
    Quarantined,
    StoredChannel,
    StoredDelta,
)
from services.broker.tracing import Tracing

__all__ = [
    "FORGET",
    "IDS_WINDOW_MS",
    "MEMORY",
    "MEMORY_LIMIT",
    "REPLAY",
    "ArchiveStanding",
    "BacklogFull",
    "Broker",
    "BrokerDown",
    "BrokerFull",
    "BrokerTooSmall",
    "Caps",
    "ChannelCommit",
    "Entry",
    "LaneCommit",
    "LaneLost",
    "Leader",
    "MemoryHigh",
    "OpenLane",
    "Overloaded",
    "Paused",
    "Quarantined",
    "Station",
    "StoredChannel",
    "StoredDelta",
    "memory_share",
    "persistence_of",
    "require_room",
]


class Broker(
    Accepting, Admitting, Archiving, Examining, Forgetting, Holding, Leading, Limiting, Measuring, Pausing,
    Quarantining, Serving, Tracing,
):  # fmt: skip
    """The door to Redis for one process: one connection for commands, and one that blocks where it is read from.

    `url` is a Redis URL (`redis://`, `rediss://`, `unix://`), `lanes` the number of those that share the broker's
    memory. Opens nothing until it is used.
    """
