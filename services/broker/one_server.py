"""One server: the connections of one process to a broker that is a single Redis or Valkey.

One connection for commands, which threads take in turn, and one that a blocking read keeps for itself: small hosts
allow twenty connections in all.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import redis
from redis.commands.core import Script
from redis.exceptions import RedisError
from redis.retry import Retry

SOCKET_TIMEOUT_S = 5.0
IDLE_S = 1.0
"""After so long without a command a connection is looked at before it is used."""

Streams = Mapping[bytes, str]
"""Keys of streams, and the id beyond which each is read."""
Answer = list[tuple[bytes, list[tuple[bytes, list[bytes]]]]]
"""Per stream its entries: id, and field and value in turn."""


class OneServer:
    """Opens nothing until it is used."""

    def __init__(
        self, url: str, options: Mapping[str, Any], retry: Retry, monotonic: Callable[[], float] = time.monotonic
    ) -> None:
        options = {**options, "retry": retry}
        commands = redis.BlockingConnectionPool.from_url(url, max_connections=1, timeout=SOCKET_TIMEOUT_S, **options)
        self.client = redis.Redis(connection_pool=commands)
        self._lines = redis.ConnectionPool.from_url(url, **options)
        self._monotonic = monotonic
        self._line: Any = None
        self._line_id: int | None = None
        self._line_used = 0.0

    def close(self) -> None:
        """Give the connections back."""
        self.client.connection_pool.disconnect()
        if self._line is not None:
            self._line.disconnect()
            self._line_id = None

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        return script(keys=keys, args=args, client=self.client)

    def run_each(self, script: Script, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        """Several calls of one script in one round trip."""
        with self.client.pipeline(transaction=False) as pipe:
            for keys, args in calls:
                script(keys=keys, args=args, client=pipe)
            return list(pipe.execute())

    def info(self, section: str | None = None) -> dict[str, Any]:
        found: Any = self.client.info(section) if section else self.client.info()
        return dict(found)

    def run_id(self, _: str) -> str:
        """Which server holds a key: its random name, another one after each of its starts."""
        return str(self.info("server")["run_id"])

    def time(self, _: str) -> tuple[int, int]:
        """The time of the server that holds a key: seconds and microseconds."""
        seconds, micros = self.client.time()
        return seconds, micros

    def read_streams(self, streams: Streams, count: int, block_ms: int) -> Answer:
        """What the streams hold beyond the ids, at most `count` of each; waits for it where `block_ms` is above 0.

        The client takes a connection out of its pool and puts it back for each command, which costs more than a read
        itself: this one is kept, and has one user.
        """
        if self._line is None:
            self._line = self._lines.connection_class(**self._lines.connection_kwargs)
        if self._monotonic() - self._line_used > IDLE_S and was_closed(self._line):
            self._line_id = None
        try:
            if self._line_id is None:
                self._line_id = ask(self._line, "CLIENT", "ID")
            return ask(self._line, *xread(streams, count, block_ms)) or []
        except BaseException:
            self._line.disconnect()
            self._line_id = None
            raise
        finally:
            self._line_used = self._monotonic()

    def unblock(self) -> None:
        """Wake a blocked read, from any thread; harmless where none is blocked."""
        if self._line_id is not None:
            self.client.client_unblock(self._line_id)


def ask(line: Any, *command: Any) -> Any:
    """One command on a connection of one's own, and the bare answer."""
    line.send_command(*command)
    return line.read_response()


def xread(streams: Streams, count: int, block_ms: int) -> list[Any]:
    """The command that reads them; never blocks for longer than half of what a socket waits."""
    block = ["BLOCK", min(block_ms, int(SOCKET_TIMEOUT_S * 500))] if block_ms > 0 else []
    return ["XREAD", "COUNT", count, *block, "STREAMS", *streams.keys(), *streams.values()]


def was_closed(line: Any) -> bool:
    """Whether the server, which may close what is idle, has done so; then it is made ready to be opened again."""
    try:
        closed = not line.is_connected or line.can_read()
    except (RedisError, OSError):
        closed = True
    if closed:
        line.disconnect()
    return closed
