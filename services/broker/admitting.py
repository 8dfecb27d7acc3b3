"""Admitting: the verbs of accounts: sessions, the count of what changed in them, attempts to sign in.

Nothing here is worth keeping: who signed in signs in again. What must last is the database's.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.broker.connection import Connection, surfacing

CHANGES = "hw:grants"


class Admitting(Connection):
    """What sign-in asks of the broker. A session's name is the hash of what the browser holds, never that itself."""

    @surfacing
    def put_session(self, name: str, body: bytes, ttl_s: int) -> None:
        """Keep a session for so long, unless it is used meanwhile."""
        self._redis.set(f"hw:session:{name}", body, ex=ttl_s)

    @surfacing
    def read_sessions(self, names: Sequence[str]) -> tuple[int, list[bytes | None]]:
        """How many changes there have been, and the sessions as they are since at least that many."""
        with self._redis.pipeline(transaction=False) as pipe:
            pipe.get(CHANGES)
            for name in names:
                pipe.get(f"hw:session:{name}")
            changes, *found = pipe.execute()
        return int(changes or 0), found

    @surfacing
    def use_sessions(self, names: Sequence[str], ttl_s: int) -> None:
        """They are in use: each is kept for so long from now on."""
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.expire(f"hw:session:{name}", ttl_s)
            pipe.execute()

    @surfacing
    def drop_session(self, name: str) -> None:
        """It is over, and everybody is told so."""
        self._redis.delete(f"hw:session:{name}")
        self._redis.incr(CHANGES)

    @surfacing
    def put_asked(self, name: str, body: bytes, ttl_s: int) -> None:
        """Keep for so long what a sign-in asked an identity provider for."""
        self._redis.set(f"hw:asked:{name}", body, ex=ttl_s)

    @surfacing
    def take_asked(self, name: str) -> bytes | None:
        """What it asked for, once: whoever comes second finds nothing."""
        with self._redis.pipeline(transaction=True) as pipe:
            pipe.get(f"hw:asked:{name}")
            pipe.delete(f"hw:asked:{name}")
            found: Any = pipe.execute()[0]
        return None if found is None else bytes(found)

    @surfacing
    def grants_changes(self) -> int:
        """How many changes there have been to accounts, roles and sessions."""
        found: Any = self._redis.get(CHANGES)
        return int(found or 0)

    @surfacing
    def tell_grants_changed(self) -> None:
        """An account changed: whoever serves it looks again."""
        self._redis.incr(CHANGES)

    @surfacing
    def count_attempt(self, names: Sequence[str], window_s: int) -> list[tuple[int, int]]:
        """Count an attempt under each name: how many there were within the window, and in how many s it ends."""
        counted = []
        for name in names:  # one by one, since their keys may live on several nodes
            with self._redis.pipeline(transaction=True) as pipe:
                pipe.set(f"hw:attempts:{name}", 0, ex=window_s, nx=True)
                pipe.incr(f"hw:attempts:{name}")
                pipe.ttl(f"hw:attempts:{name}")
                _, count, ttl = pipe.execute()
            counted.append((int(count), max(1, int(ttl))))
        return counted

    @surfacing
    def forget_attempts(self, names: Sequence[str]) -> None:
        """Who has signed in starts anew."""
        with self._redis.pipeline(transaction=False) as pipe:
            for name in names:
                pipe.delete(f"hw:attempts:{name}")
            pipe.execute()
