"""Principal: somebody who was recognised, and the one rule of what it may do.

Open mode: on loopback everybody may do everything, as the person who started the system.
Ingest keys give their holder the right to post to the feeds that they name, and nothing else. Who may see some channels
only has their names, or patterns: `flights.*_by_origin:JFK`.
"""

from __future__ import annotations

from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal

Action = Literal["view", "history", "export", "ingest", "admin"]


@dataclass(frozen=True, slots=True)
class Principal:
    """Somebody who was recognised: a name, roles, the channels to be seen, and for a key the feeds it may post to."""

    name: str
    roles: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()


OPEN = Principal("open", roles=("admin",))
"""The principal of open mode: anyone who reaches the loopback address."""


def can(principal: Principal, action: Action, name: str) -> bool:
    """Whether the principal may do this to the channel or, for `ingest`, the feed of that name."""
    if "admin" in principal.roles:
        return True
    patterns = {"ingest": principal.feeds, "admin": ()}.get(action, principal.channels)
    return any(fnmatchcase(name, pattern) for pattern in patterns)
