"""Replica: a second broker that follows the first over a link, falls behind, and takes over."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Self

import redis

from services.embedded import EmbeddedBroker
from tests.chaos.link import Link, path_of
from tests.waiting import wait_until

if TYPE_CHECKING:
    from tests.chaos.arena import Arena


class Replica:
    """Used once: `fall_behind`, then `take_over`; after that it is the arena's broker."""

    def __init__(self, arena: Arena) -> None:
        self._arena = arena

    def __enter__(self) -> Self:
        arena = self._arena
        self._link = Link(arena.world, *path_of(arena.broker.url))
        self._broker = EmbeddedBroker(arena.new_broker_folder())
        self._broker.start()
        self._server = redis.Redis.from_url(self._broker.url)
        self._server.replicaof("127.0.0.1", self._link.port)
        wait_until(lambda: self._server.info("replication")["master_link_status"] == "up", 20, "the replica follows")
        return self

    def __exit__(self, *_: object) -> None:
        self._link.close()

    def fall_behind(self, seconds: float) -> float:
        """Let nothing more through for a while; what was acknowledged until the answer (monotonic) is held here."""
        held_until = time.monotonic()
        reached = self._arena.server.info("replication")["master_repl_offset"]
        wait_until(lambda: self._server.info("replication")["slave_repl_offset"] >= reached, 10, "the replica's offset")
        self._link.hold()
        self._arena.let_run(seconds)
        return held_until

    def take_over(self) -> None:
        """The first broker dies; the replica, which never saw the last of it, becomes what all are led to."""
        arena = self._arena
        arena.broker.kill()
        self._link.cut()
        self._server.replicaof("NO", "ONE")
        arena.adopt_broker(self._broker, self._server)
