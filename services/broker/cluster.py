"""Cluster: the connections of one process to a Redis Cluster, where each lane's keys live on the node of its slot.

A command goes to the node that owns its key; a blocking read can span one slot only, so each slot that is read has a
connection of its own, and all of them are waited for together.
"""

from __future__ import annotations

import select
import threading
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from redis.cluster import ClusterNode, RedisCluster
from redis.commands.core import Script
from redis.connection import parse_url
from redis.crc import key_slot
from redis.exceptions import MovedError, NoScriptError, RedisError
from redis.retry import Retry

from services.broker.one_server import SOCKET_TIMEOUT_S, Answer, Streams, ask, was_closed, xread

DEFAULT_PORT = 6379
GRACE_S = 0.1
"""How much longer than they may block the reads are waited for."""


class Cluster:
    """Opens nothing until it is used. `urls` are some of the nodes; the others are found by them."""

    def __init__(self, urls: Sequence[str], options: Mapping[str, Any], retry: Retry) -> None:
        self._nodes = [parse_url(url) for url in urls]
        said = {name: one for name, one in self._nodes[0].items() if name not in ("host", "port", "db")}
        secure = said.pop("connection_class", None) is not None
        self._options = {**options, **said, "ssl": secure, "retry": retry}
        self._making = threading.Lock()
        self._client: RedisCluster | None = None
        self._lines: dict[int, _Line] = {}

    @property
    def client(self) -> RedisCluster:
        """The client for commands. Raises RedisClusterException while no node answers."""
        with self._making:
            if self._client is None:
                nodes = [ClusterNode(one["host"], one.get("port", DEFAULT_PORT)) for one in self._nodes]
                self._client = RedisCluster(startup_nodes=nodes, dynamic_startup_nodes=False, **self._options)
            return self._client

    def close(self) -> None:
        """Give the connections back."""
        for line in self._lines.values():
            line.close()
        self._lines = {}
        with self._making:
            if self._client is not None:
                self._client.close()
                self._client = None

    def run(self, script: Script, keys: Sequence[str], args: Sequence[Any]) -> Any:
        """A node that was started anew knows no script: it is then given the text."""
        try:
            return self.client.evalsha(script.sha, len(keys), *keys, *args)
        except NoScriptError:
            text: Any = script.script
            return self.client.eval(text, len(keys), *keys, *args)

    def run_each(self, script: Script, calls: Sequence[tuple[Sequence[str], Sequence[Any]]]) -> list[Any]:
        """Several calls of one script, one after the other: their keys are on several nodes."""
        return [self.run(script, keys, args) for keys, args in calls]

    def info(self, section: str | None = None) -> dict[str, Any]:
        """`INFO` of the node whose memory is fullest: it is the first to refuse what is written."""
        said = [self._of(node).info(*([section] if section else [])) for node in self.client.get_primaries()]
        return dict(max(said, key=_fullness))

    def run_id(self, key: str) -> str:
        """Which server holds the key: its random name, another one after each of its starts."""
        return str(self._of(self.client.get_node_from_key(key)).info("server")["run_id"])

    def time(self, key: str) -> tuple[int, int]:
        """The time of the node that holds the key: seconds and microseconds."""
        seconds, micros = self._of(self.client.get_node_from_key(key)).time()
        return seconds, micros

    def _of(self, node: Any) -> Any:
        return self.client.get_redis_connection(node)

    def read_streams(self, streams: Streams, count: int, block_ms: int) -> Answer:
        """What the streams hold beyond the ids, at most `count` of each; waits for it where `block_ms` is above 0.

        A read that has not answered stays asked, and its answer belongs to a later call.
        """
        wanted: dict[int, dict[bytes, str]] = defaultdict(dict)
        for key, beyond in streams.items():
            wanted[key_slot(key)][key] = beyond
        for slot in self._lines.keys() - wanted.keys():
            self._lines.pop(slot).close()
        found: Answer = []
        for slot, part in wanted.items():
            self._ask(slot, part, count, block_ms)
        wait_s = block_ms / 1_000 + GRACE_S if block_ms > 0 else SOCKET_TIMEOUT_S
        ready, _, _ = select.select(list(self._lines.values()), [], [], wait_s)
        for line in ready:
            found += self._take(line, streams)
        return found

    def _ask(self, slot: int, part: Streams, count: int, block_ms: int) -> None:
        line = self._lines.get(slot)
        if line is None:
            node = self.client.nodes_manager.get_node_from_slot(slot)
            line = self._lines[slot] = _Line(slot, node, self._of(node))
        try:
            line.ask(part, count, block_ms)
        except (RedisError, OSError):
            self._drop(line)
            raise

    def _take(self, line: _Line, streams: Streams) -> Answer:
        try:
            return line.take(streams)
        except MovedError:
            self._drop(line)
            return []
        except (RedisError, OSError):
            self._drop(line)
            raise

    def _drop(self, line: _Line) -> None:
        """The slot may have another owner now: ask who."""
        self._lines.pop(line.slot, None)
        line.close()
        self.client.nodes_manager.initialize()

    def unblock(self) -> None:
        """Wake blocked reads, from any thread; harmless where none is blocked."""
        for line in list(self._lines.values()):
            if line.asked and line.id is not None:
                self._of(line.node).client_unblock(line.id)


class _Line:
    """The connection that reads one slot; `asked` is what its answer will be about, empty where none is due."""

    def __init__(self, slot: int, node: Any, client: Any) -> None:
        self.slot, self.node = slot, node
        self.asked: dict[bytes, str] = {}
        self.id: int | None = None
        pool = client.connection_pool
        self._line: Any = pool.connection_class(**pool.connection_kwargs)

    def fileno(self) -> int:
        descriptor: int = self._line._sock.fileno()  # the client library names no other way to wait for several
        return descriptor

    def ask(self, streams: Streams, count: int, block_ms: int) -> None:
        """Send the read unless an answer is still due."""
        if self.asked:
            return
        if self.id is None or was_closed(self._line):
            self.id = ask(self._line, "CLIENT", "ID")
        self._line.send_command(*xread(streams, count, block_ms))
        self.asked = dict(streams)

    def take(self, wanted: Streams) -> Answer:
        """The answer, of those streams alone that are still read beyond what was asked."""
        asked, self.asked = self.asked, {}
        answer: Answer = self._line.read_response() or []
        return [(key, entries) for key, entries in answer if wanted.get(key) == asked[key]]

    def close(self) -> None:
        self.id = None
        self._line.disconnect()


def _fullness(info: Any) -> float:
    return int(info.get("used_memory", 0)) / (int(info.get("maxmemory") or 0) or 2**60)
