"""Connection: the way to one server or to a cluster, the scripts, and how failures surface.

Nothing is retried here: a retried write after a lost reply would happen twice. Retrying belongs where it is
safe, above. Every failure of the network or the server surfaces as `BrokerDown`.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable, Mapping, Sequence
from functools import wraps
from importlib.resources import files
from typing import Any, Concatenate, ParamSpec, TypeVar

from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.exceptions import OutOfMemoryError, RedisClusterException, RedisError
from redis.retry import Retry

from services.broker.caps import Caps, caps_of
from services.broker.cluster import Cluster
from services.broker.errors import BrokerDown, BrokerFull
from services.broker.one_server import SOCKET_TIMEOUT_S, OneServer
from services.declare import Lane
from services.positions import Clock, wall_clock

MEMORY_LOOK_S = 0.5
CLIENT_NAME = "headwater"
"""With which the names begin by which `CLIENT LIST` shows our connections; the process's number follows."""
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
        except (RedisError, RedisClusterException, OSError) as error:
            raise BrokerDown(f"broker {self.address}: {method.__name__} failed: {error}") from error

    return call


class Connection:
    """The connections of one process: one for commands, and one that blocks where it is read from.

    `url` is a Redis URL (`redis://`, `rediss://`, `unix://`), or several nodes of one cluster joined by commas; `lanes`
    is the number of those that share the broker's memory. Opens nothing until it is used.
    """

    def __init__(
        self,
        url: str,
        *,
        clock: Clock = wall_clock,
        lanes: int = 1,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        self._clock, self._monotonic, self._lanes = clock, monotonic, lanes
        self._memory_due, self._memory_share, self._memory_limit = 0.0, 0.0, 0
        options: dict[str, Any] = {
            "socket_timeout": SOCKET_TIMEOUT_S,
            "socket_connect_timeout": 2.0,
            "protocol": 2,
            "client_name": f"{CLIENT_NAME}-{os.getpid()}",
            "driver_info": None,  # CLIENT SETINFO is an error to Redis before 7.2
        }
        urls = re.split(r",(?=rediss?://)", url)
        # The client library repeats by itself what failed, up to ten times, writes as well: it must not.
        retry = Retry(NoBackoff(), 0)
        self._server = Cluster(urls, options, retry) if len(urls) > 1 else OneServer(url, options, retry, monotonic)
        self.address = ", ".join(one.rpartition("@")[2].partition("?")[0] for one in urls)
        folder = files("services.broker") / "scripts"
        nobody: Any = None  # who runs a script says by whom
        self._scripts = {name: Script(nobody, (folder / f"{name}.lua").read_bytes()) for name in SCRIPTS}

    @property
    def _redis(self) -> Any:
        """The client for commands: of one server or of a cluster, which answer alike."""
        return self._server.client

    def close(self) -> None:
        """Give the connections back; the broker may be used again afterwards."""
        self._server.close()

    def _run(self, script: str, keys: Sequence[str], args: Sequence[Any]) -> Any:
        return self._server.run(self._scripts[script], keys, args)

    def _look_at_memory(self) -> None:
        """Keep the used share of the server's memory, and its limit in bytes, not older than half a second."""
        now = self._monotonic()
        if now >= self._memory_due:
            self._memory_due = now + MEMORY_LOOK_S
            info = self._server.info("memory")
            self._memory_share, self._memory_limit = memory_share(info), int(info.get("maxmemory") or 0)

    @property
    def caps(self) -> Caps:
        """What each use of the broker's memory may take of it, by its present `maxmemory` and fill."""
        if not self._memory_due:
            self._look_at_memory()
        return caps_of(self._memory_limit, self._lanes, self._memory_share)

    @surfacing
    def server(self) -> dict[str, Any]:
        """`INFO` of the server: version, memory and policy; in a cluster of the node whose memory is fullest."""
        return self._server.info()

    @surfacing
    def run_id(self, lane: Lane) -> str:
        """Which server holds the lane: its random name, another one after each of its starts."""
        return self._server.run_id(key_of(lane))


def memory_share(info: Mapping[str, Any]) -> float:
    """Used share of `maxmemory` by `INFO`; 0 where the server has no limit."""
    limit = int(info.get("maxmemory") or 0)
    return int(info["used_memory"]) / limit if limit else 0.0


def key_of(lane: Lane) -> str:
    """The beginning of the lane's keys; the braces are the hash tag that keeps them in one slot."""
    return f"hw:{{{lane}}}:"
