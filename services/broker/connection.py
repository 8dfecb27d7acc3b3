"""Connection: the two ways to the server, the scripts, and how failures surface.

Nothing is retried here: a retried write after a lost reply would happen twice. Retrying belongs where it is
safe, above. Every failure of the network or the server surfaces as `BrokerDown`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib.resources import files
from typing import Any, Concatenate, ParamSpec, TypeVar

import redis
from redis.backoff import NoBackoff
from redis.exceptions import OutOfMemoryError, RedisError
from redis.retry import Retry

from services.broker.errors import BrokerDown, BrokerFull
from services.declare import Lane
from services.positions import Clock, wall_clock

SOCKET_TIMEOUT_S = 5.0
MEMORY_LOOK_S = 0.5
CLIENT_NAME = "headwater"
"""As which `CLIENT LIST` shows our connections."""
SCRIPTS = (
    "ingest",
    "lease",
    "note",
    "presence",
    "open_lane",
    "try_entry",
    "commit",
    "shed",
    "read_channel",
    "archived",
    "replay",
    "spend",
)

P = ParamSpec("P")
R = TypeVar("R")
C = TypeVar("C", bound="Connection")


def surfacing(
    method: Callable[Concatenate[C, P], R],
) -> Callable[Concatenate[C, P], R]:
    """Turn the client library's errors into ours, with the address and the remedy."""

    @wraps(method)
    def call(self: C, /, *args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return method(self, *args, **kwargs)
        except OutOfMemoryError as error:
            raise BrokerFull(f"broker {self.address}: out of memory ({error}); raise maxmemory") from error
        except (RedisError, OSError) as error:
            raise BrokerDown(f"broker {self.address}: {method.__name__} failed: {error}") from error

    return call


class Connection:
    """The connections of one process: at most `commands_max` for commands and one that blocks.

    `url` is a Redis URL (`redis://`, `rediss://`, `unix://`). Opens nothing until it is used.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock = wall_clock,
        commands_max: int = 2,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._monotonic = clock, monotonic
        self._memory_due, self._memory_share, self._memory_limit = 0.0, 0.0, 0
        options: dict[str, Any] = {
            "socket_timeout": SOCKET_TIMEOUT_S,
            "socket_connect_timeout": 2.0,
            "retry": Retry(NoBackoff(), 0),
            "protocol": 2,
            "client_name": CLIENT_NAME,
        }
        pool = redis.BlockingConnectionPool.from_url(url, max_connections=commands_max, timeout=5, **options)
        self._redis = redis.Redis(connection_pool=pool)
        self._waiting = redis.Redis.from_url(url, single_connection_client=False, max_connections=1, **options)
        self._waiting_id: int | None = None
        self._line: Any = None
        # a password may stand before the one sign, and behind the other
        self.address = url.rpartition("@")[2].partition("?")[0]
        self._scripts = {
            name: self._redis.register_script((files("services.broker") / "scripts" / f"{name}.lua").read_bytes())
            for name in SCRIPTS
        }

    def close(self) -> None:
        """Give the connections back; the broker may be used again afterwards."""
        self._redis.connection_pool.disconnect()
        self._waiting.connection_pool.disconnect()
        if self._line is not None:
            self._line.disconnect()

    def _wait(self, *command: Any) -> Any:
        """One command on a connection that its only user keeps, and the bare answer.

        The client takes one out of its pool and puts it back for each command, which costs more than a read itself.
        """
        if self._line is None:
            pool = self._waiting.connection_pool
            self._line = pool.connection_class(**pool.connection_kwargs)
        try:
            self._line.send_command(*command)
            return self._line.read_response()
        except BaseException:
            self._line.disconnect()
            raise

    def _run(self, script: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        return self._scripts[script](keys=keys, args=args)

    def _look_at_memory(self) -> None:
        """Keep the used share of the server's memory, and its limit in bytes, not older than half a second."""
        now = self._monotonic()
        if now >= self._memory_due:
            self._memory_due = now + MEMORY_LOOK_S
            info: Any = self._redis.info("memory")
            self._memory_share, self._memory_limit = memory_share(info), int(info.get("maxmemory") or 0)

    @surfacing
    def server(self) -> dict[str, Any]:
        """`INFO` of the server: version, run_id, memory and policy."""
        found: Any = self._redis.info()
        return dict(found)


def memory_share(info: Mapping[str, Any]) -> float:
    """Used share of `maxmemory` by `INFO`; 0 where the server has no limit."""
    limit = int(info.get("maxmemory") or 0)
    return int(info["used_memory"]) / limit if limit else 0.0


def key_of(lane: Lane) -> str:
    """The beginning of the lane's keys; the braces are the hash tag that keeps them in one slot."""
    return f"hw:{{{lane}}}:"
