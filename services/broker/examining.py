"""Examining: the verbs of the doctor and of the operations page: how the server is set up, who leads which lane."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Literal, cast

from redis.exceptions import ResponseError

from services.broker.connection import CLIENT_NAME, Connection, surfacing
from services.broker.leading import Station, lease_keys
from services.broker.stored import Leader
from services.declare import Lane


class Examining(Connection):
    """What those ask of the broker who look at the system from outside."""

    @surfacing
    def configured(self, *names: str) -> dict[str, str]:
        """Settings of the server; those that it does not know or does not tell (managed ones tell none) are left out.

        Names may be patterns, as `CONFIG GET` has them.
        """
        try:
            found: Any = self._redis.config_get(*names)
        except ResponseError:
            return {}
        return {_text(name): _text(value) for name, value in found.items()}

    @surfacing
    def our_connections(self) -> int:
        """How many connections processes of ours hold, this one's aside. 0 where the server does not tell."""
        try:
            own: Any = self._redis.client_id()
            found: Any = self._redis.client_list()
        except ResponseError:
            return 0
        named = [one for one in found if str(one.get("name", "")).startswith(CLIENT_NAME)]
        return sum(int(one["id"]) != own for one in named)

    @surfacing
    def leaders(self, station: Station, lanes: Sequence[Lane]) -> dict[Lane, Leader]:
        """Who leads the lanes for that station's work; lanes that nobody leads are left out."""
        if not lanes:
            return {}
        with self._redis.pipeline(transaction=False) as pipe:
            for lane in lanes:
                lease, _, leader = lease_keys(station, lane)
                pipe.get(leader)
                pipe.pttl(lease)
            answers = iter(pipe.execute())
        said = zip(lanes, answers, answers, strict=True)
        return {lane: _leader(lease, left_ms) for lane, lease, left_ms in said if lease}


def _leader(lease: bytes, left_ms: int) -> Leader:
    token, _, worker = lease.decode().partition("|")
    return Leader(worker, int(token), max(0, left_ms))


def _text(found: Any) -> str:
    return found.decode() if isinstance(found, bytes) else str(found)


Persistence = Literal["always", "everysec", "no", "snapshots", "nothing", "untold"]


def persistence_of(info: Mapping[str, Any], configured: Mapping[str, str]) -> Persistence:
    """What the server puts on its disk: each write before its answer, each second, or when the kernel likes; snapshots
    now and then; nothing; or what it does not tell.

    See https://valkey.io/topics/persistence/.
    """
    if int(info.get("aof_enabled", 0)):
        told = configured.get("appendfsync", "everysec")  # a server that does not tell: the usual setting, and no worse
        return cast(Persistence, told)
    save = configured.get("save")
    if save is None:
        return "untold"
    return "snapshots" if save else "nothing"
