"""Cluster: three real servers of our own that share the slots of one Redis Cluster; each can be killed and started."""

from __future__ import annotations

import signal
import subprocess
from pathlib import Path
from typing import Self

import redis
from redis.crc import key_slot

from services.embedded import find_server
from services.leash import leashed
from tests.ports import free_port
from tests.waiting import wait_until

SLOTS = 16_384


class ClusterOfThree:
    """Three primaries without replicas. The others go on while one is away."""

    def __init__(self, folder: Path) -> None:
        self._folders = [folder / f"node-{number}" for number in range(3)]
        self.ports, self._buses = ([free_port() for _ in self._folders] for _ in range(2))
        self._running: dict[int, subprocess.Popen[bytes]] = {}

    @property
    def url(self) -> str:
        """All nodes, as `REDIS_URL` names them."""
        return ",".join(f"redis://127.0.0.1:{port}" for port in self.ports)

    def node(self, number: int) -> redis.Redis:
        return redis.Redis(port=self.ports[number], socket_timeout=2)

    def owner(self, key: str) -> int:
        """The node that owns the key's slot."""
        return key_slot(key.encode()) * len(self.ports) // SLOTS

    def start(self) -> None:
        """Start all, share out the slots, and wait until every node says that all are served."""
        for number in range(len(self.ports)):
            self.start_node(number)
        for number in range(len(self.ports)):
            first = -(-number * SLOTS // len(self.ports))
            last = -(-(number + 1) * SLOTS // len(self.ports)) - 1
            with self.node(number) as node:
                node.execute_command("CLUSTER", "ADDSLOTSRANGE", first, last)
                node.execute_command("CLUSTER", "MEET", "127.0.0.1", self.ports[0], self._buses[0])
        self.wait_whole()

    def wait_whole(self) -> None:
        wait_until(lambda: all(map(self._knows_all, range(len(self.ports)))), what="a whole cluster")

    def _knows_all(self, number: int) -> bool:
        try:
            with self.node(number) as node:
                info = node.execute_command("CLUSTER", "INFO")
        except redis.RedisError:
            return False
        text = info.decode() if isinstance(info, bytes) else "".join(f"{name}:{said}\n" for name, said in info.items())
        return "cluster_state:ok" in text and f"cluster_known_nodes:{len(self.ports)}" in text

    def start_node(self, number: int) -> None:
        folder = self._folders[number]
        folder.mkdir(parents=True, exist_ok=True)
        settings = {
            "port": str(self.ports[number]), "cluster-port": str(self._buses[number]), "bind": "127.0.0.1",
            "dir": str(folder),
            "cluster-enabled": "yes", "cluster-require-full-coverage": "no", "cluster-node-timeout": "2000",
            "appendonly": "yes", "appendfsync": "always", "save": "", "maxmemory": "64mb",
            "maxmemory-policy": "noeviction",
        }
        command = [str(find_server()), *(part for name, one in settings.items() for part in (f"--{name}", one))]
        with (folder / "log").open("ab") as log:
            self._running[number] = subprocess.Popen(leashed(command), stdout=log, stderr=log)
        wait_until(lambda: self._answers(number), what=f"an answer of the node; log: {folder}/log")

    def _answers(self, number: int) -> bool:
        try:
            with self.node(number) as node:
                return bool(node.ping())
        except redis.RedisError:
            return False

    def kill_node(self, number: int, by: int = signal.SIGKILL) -> None:
        process = self._running.pop(number)
        process.send_signal(by)
        process.wait(10)

    def stop(self) -> None:
        for number in list(self._running):
            self.kill_node(number, signal.SIGTERM)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
