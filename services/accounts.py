"""Accounts: who asks, and what they may do. One function answers for every door.

Open mode: on loopback everybody may do everything, as the person who started the system.
Ingest keys give their holder the right to post to the feeds that they name, and nothing else. Who may see some channels
only has their names, or patterns: `flights.*_by_origin:JFK`.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Literal, Protocol

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


class Grants(Protocol):
    """What principals were given, as it is now; whoever serves them for long asks again when it changes."""

    @property
    def generation(self) -> int:
        """Another number after every change. Asked very often: it must cost nothing."""

    def renewed(self, principal: Principal) -> Principal | None:
        """The principal with its present roles, None where it is signed out."""


class SettledGrants:
    """Grants that never change, as in open mode."""

    generation = 0

    def renewed(self, principal: Principal) -> Principal | None:
        return principal


SETTLED = SettledGrants()

_KEY = re.compile(r"^([a-z0-9_-]{1,40}):([A-Za-z0-9_-]{16,128}):([a-z0-9_*,]+)$")


class IngestKeys:
    """The keys that may post events. Declared as `name:secret:feeds`, feeds being names or patterns."""

    def __init__(self, declared: Iterable[str]) -> None:
        self._keys: list[tuple[bytes, Principal]] = []
        for text in declared:
            found = _KEY.match(text)
            if found is None:
                raise ValueError(
                    f"ingest key {text.partition(':')[0]!r}: write name:secret:feeds, the secret being 16 to 128"
                    " letters, digits, - or _, feeds names or patterns joined by commas"
                )
            name, secret, feeds = found.groups()
            self._keys.append((secret.encode(), Principal(name, feeds=tuple(feeds.split(",")))))

    def holder(self, secret: str) -> Principal | None:
        """The principal of a secret, or None. Every key is compared, in constant time."""
        given, holder = secret.encode("utf-8", "replace"), None
        for known, principal in self._keys:
            if hmac.compare_digest(known, given):
                holder = principal
        return holder
