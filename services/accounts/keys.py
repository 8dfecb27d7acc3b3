"""Keys: who holds one may post events to the feeds that it names, and nothing else."""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable

from services.accounts.principal import Principal

_KEY = re.compile(r"^([a-z0-9_-]{1,40}):([A-Za-z0-9_-]{16,128}):([a-z0-9_*,-]+)$")
STAGING = "for-staging"
"""Beside the feeds of a key: its holder may also bring the deployment to its limits. No feed can be called so."""


def is_for_staging(holder: Principal) -> bool:
    """Whether the key may load this deployment and hold its sources; no pattern of feeds means it by chance."""
    return STAGING in holder.feeds


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
