"""Broker: whether the server is one that keeps what it was given, has room, and lets every process in."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from app.addresses import is_loopback
from app.doctor.finding import Check, Finding, graded
from app.loading import DEMO, Project, load_declarations, project_of
from app.settings import Settings, SettingsError
from services.broker import (
    MEMORY_LIMIT,
    Broker,
    BrokerDown,
    BrokerTooSmall,
    memory_share,
    persistence_of,
    require_room,
)
from services.declare import DeclarationError
from services.embedded import EmbeddedBrokerError, find_server

VERSION_MIN = {"redis": 7, "valkey": 8}
WARN_MEMORY = 0.65
"""From this share on groups that lag have to give way, well below where ingest stops."""
CONNECTIONS_PER_WEB, CONNECTIONS_PER_WORKER = 2, 3
"""What a process holds at most, where none runs that could be counted."""
_HANGS_UP = ("max number of clients", "Broken pipe", "Connection reset", "Connection closed by server")
"""How it looks when a server has reached its maxclients: some are hung up on before they have read the reason."""
Info = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Reachable:
    """Whether a broker answers, or which one would be started."""

    settings: Settings

    def look(self) -> Iterator[Finding]:
        try:
            url = self.settings.broker_url()
        except SettingsError:
            yield self._to_embed()
            return
        broker = Broker(url)
        try:
            server = broker.server()
        except BrokerDown as error:
            yield _unreachable(str(error))
            return
        finally:
            broker.close()
        yield _version(server)

    def _to_embed(self) -> Finding:
        try:
            return Finding("ok", "broker", f"none runs; `headwater up` will start {find_server()}")
        except EmbeddedBrokerError as error:
            return Finding("fail", "broker", str(error))


def _unreachable(reason: str) -> Finding:
    if any(sign in reason for sign in _HANGS_UP):
        remedy = "it lets nobody in: where no connection is free, run fewer processes, or take one that allows more"
        return Finding("fail", "broker", reason, f"{remedy}; else correct REDIS_URL")
    return Finding("fail", "broker", reason, "start it, or correct REDIS_URL")


def _version(server: Info) -> Finding:
    name = "valkey" if "valkey_version" in server else "redis"
    version = str(server[f"{name}_version"])
    found = re.match(r"\d+", version)
    old = found is None or int(found[0]) < VERSION_MIN[name]
    if old:
        return Finding("fail", "broker", f"{name} {version} is too old", "use Redis 7+ or Valkey 8+")
    if server.get("role") not in (None, "master"):
        return Finding("fail", "broker", f"{name} {version} is a replica", "let REDIS_URL name the primary")
    return Finding("ok", "broker", f"{name} {version} answers")


@dataclass(frozen=True, slots=True)
class Memory:
    """Whether the server may drop what it holds, and how full it is."""

    server: Info

    def look(self) -> Iterator[Finding]:
        policy = str(self.server.get("maxmemory_policy", "unknown"))
        used = self.server.get("used_memory_human")
        yield graded(
            "broker memory", f"{used} used, policy {policy}", fail=policy != "noeviction",
            remedy="it drops data silently when memory is full: set maxmemory-policy noeviction",
        )
        share = memory_share(self.server)
        if share >= WARN_MEMORY:
            full = share >= MEMORY_LIMIT
            yield graded(
                "broker memory", f"{100 * share:.0f} % of maxmemory is used" + (", ingest is refused" if full else ""),
                fail=full, warn=True, remedy="raise maxmemory, keep fewer rows and spans, or see which group lags",
            )


@dataclass(frozen=True, slots=True)
class Room:
    """Whether what is declared fits, once it is full."""

    server: Info
    project: Project = DEMO

    def look(self) -> Iterator[Finding]:
        memory = int(self.server.get("maxmemory") or 0)
        try:
            require_room(load_declarations(self.project), memory)
        except DeclarationError:
            return  # told by the declarations' own finding
        except BrokerTooSmall as error:
            what, _, remedy = str(error).rpartition(": ")
            yield Finding("fail", "broker room", what, remedy)
            return
        limit = f"{memory / 2**20:,.0f} MB" if memory else "no limit"
        yield Finding("ok", "broker room", f"the declared channels fit, maxmemory {limit}")


@dataclass(frozen=True, slots=True)
class Connections:
    """Whether a deployment, during which the old and the new processes run beside each other, gets connections.

    `ours` is what our processes hold now; where none runs, what those of the settings would.
    """

    server: Info
    allowed: int
    ours: int
    web_processes: int

    def look(self) -> Iterator[Finding]:
        held = int(self.server.get("connected_clients", 0))
        needed = self.ours or self.web_processes * CONNECTIONS_PER_WEB + CONNECTIONS_PER_WORKER
        if not self.allowed:
            yield Finding("ok", "broker connections", f"{held} held; the server does not tell how many it allows")
            return
        free = self.allowed - held
        text = f"{held} of {self.allowed} are held, {self.ours} by Headwater; a second release needs {needed} more"
        yield graded(
            "broker connections", text, fail=free < 1 + needed // 4, warn=free < needed,
            remedy="lower WEB_CONCURRENCY, run fewer workers, or take a broker that allows more (maxclients)",
        )


@dataclass(frozen=True, slots=True)
class Persistence:
    """What survives: a killed server, a power cut, a failover."""

    server: Info
    configured: Mapping[str, str]

    def look(self) -> Iterator[Finding]:
        yield self._kept()
        if self.server.get("aof_last_write_status", "ok") != "ok":
            yield Finding("fail", "persistence", "the last write to the append-only file failed", "look at its disk")
        if self.server.get("rdb_last_bgsave_status", "ok") != "ok":
            yield Finding("fail", "persistence", "the last snapshot failed", "look at the server's disk and log")
        if int(self.server.get("connected_slaves", 0)):
            replicas = self.server["connected_slaves"]
            yield Finding(
                "ok", "persistence",
                f"{replicas} replicas: a failover may lose what they did not have yet; it begins a new epoch",
            )

    def _kept(self) -> Finding:
        remedy = "set appendonly yes and appendfsync everysec or always"
        match persistence_of(self.server, self.configured):
            case "always":
                return Finding("ok", "persistence", "what was accepted survives a killed server and a power cut")
            case "everysec":
                text = "what was accepted survives a killed server; a power cut may lose the last second"
                return Finding("ok", "persistence", text)
            case "no":
                text = "append-only, but flushed when the kernel likes: a power cut may lose half a minute"
                return Finding("warn", "persistence", text, remedy)
            case "snapshots":
                changes = int(self.server.get("rdb_changes_since_last_save", 0))
                text = f"snapshots only: a killed server loses what came since the last one, {changes} changes now"
                return Finding("warn", "persistence", text, remedy)
            case "nothing":
                text = "nothing is written to its disk: a killed server loses every event that is not archived"
                return Finding("fail", "persistence", text, remedy)
            case "untold":
                text = "no append-only file, and the server does not tell of snapshots: a killed one may lose events"
                return Finding("warn", "persistence", text, "ask its provider, or take a plan with persistence")


@dataclass(frozen=True, slots=True)
class Encrypted:
    """Whether what goes to the broker can be read on the way."""

    url: str

    def look(self) -> Iterator[Finding]:
        parts = urlsplit(self.url)
        if parts.scheme == "unix" or is_loopback(parts.hostname or ""):
            return
        if parts.scheme == "redis":
            text = f"{parts.hostname} is spoken to unencrypted" + (", the password too" if parts.password else "")
            yield Finding("warn", "broker encryption", text, "use its rediss:// address")
        else:
            yield Finding("ok", "broker encryption", f"{parts.hostname} is spoken to by TLS")


def broker_checks(settings: Settings, broker: Broker) -> list[Check]:
    """What to look at where a broker answers. Raises BrokerDown."""
    server = broker.server()
    told = broker.configured("maxclients", "appendfsync", "save")
    allowed = int(told.get("maxclients") or server.get("maxclients") or 0)
    return [
        Memory(server),
        Room(server, project_of(settings)),
        Connections(server, allowed, broker.our_connections(), settings.web_processes),
        Persistence(server, told),
        Encrypted(settings.broker_url()),
    ]
