"""Principal: somebody who was recognised, and the one rule of what it may do.

Open mode: on loopback everybody may do everything, as the person who started the system.
Ingest keys give their holder the right to post to the feeds that they name, and nothing else. Everybody else may do
what his roles say: actions on channels, by name or pattern: `flights.*` is whole channels with all their parts,
`flights.*:EWR` one part of each channel that is kept in parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Literal, get_args

Action = Literal["view", "history", "export", "pause-all", "ingest", "admin"]
ON_CHANNELS: tuple[Action, ...] = ("view", "history", "export", "pause-all")
ACTIONS: tuple[Action, ...] = tuple(one for one in get_args(Action) if one != "ingest")
"""What a role may allow; posting is a key's matter."""
ADMIN = "admin"
"""The role that is always there and may do everything."""


@dataclass(frozen=True, slots=True)
class Grant:
    """What one role allows: these actions on the channels of these names or patterns."""

    channels: tuple[str, ...]
    actions: frozenset[Action] = frozenset(ON_CHANNELS)


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Principal:
    """Somebody who was recognised: a name, roles with what they allow, and for a key the feeds it may post to.

    `channels` are allowed every action on channels. `session` names the session by which it was recognised, '' without
    one.
    """

    name: str
    roles: tuple[str, ...] = ()
    feeds: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    grants: tuple[Grant, ...] = ()
    session: str = field(default="", repr=False)


OPEN = Principal("open", roles=(ADMIN,))
"""The principal of open mode: anyone who reaches the loopback address."""


def can(principal: Principal, action: Action, name: str) -> bool:
    """Whether the principal may do this to the channel or, for `ingest`, the feed of that name."""
    if ADMIN in principal.roles:
        return True
    if action == "ingest":
        return any(fnmatchcase(name, pattern) for pattern in principal.feeds)
    return any(covers(pattern, name) for pattern in _patterns(principal, action))


def can_some(principal: Principal, action: Action, channel: str) -> bool:
    """Whether the principal may do this to the channel or to some part of it, whichever parts there are."""
    if ADMIN in principal.roles:
        return True
    return any(fnmatchcase(channel, pattern.partition(":")[0]) for pattern in _patterns(principal, action))


def covers(pattern: str, name: str) -> bool:
    """Whether a pattern means the channel or part of that name.

    Channel and part are compared each for itself: a part's value comes with the events, and whoever chooses it must not
    reach into the channel's name.
    """
    of_channel, parted, of_part = pattern.partition(":")
    channel, has_part, part = name.partition(":")
    if not fnmatchcase(channel, of_channel):
        return False
    return not parted or (bool(has_part) and fnmatchcase(part, of_part))


def _patterns(principal: Principal, action: Action) -> Iterator[str]:
    if action in ON_CHANNELS:
        yield from principal.channels
    for grant in principal.grants:
        if action in grant.actions:
            yield from grant.channels
