"""Faults: what a deployment meets, done to real processes by signals, by the network and by the broker itself.

Each does its harm, heals it, and waits until the flow is back; what it measures and finds wrong goes to the arena.
A schedule is a seed's choice of them.
"""

from __future__ import annotations

import random
import signal
import time
from collections.abc import Callable, Sequence

import psutil

from tests.chaos.arena import Arena
from tests.chaos.link import Link
from tests.chaos.replica import Replica
from tests.chaos.viewers import now_ms
from tests.chaos.weather import Weather
from tests.waiting import wait_until

TAKEOVER_LIMIT_S = 3.0
STOP_LIMIT_S = 3.5
"""What SIGTERM may take: 3 s of the product's own, and the scheduler's."""
INGEST, COMMIT, POST = b":ids:new", b":quarantine", b"POST /api/ingest"
"""Bytes by which requests are told apart on their way."""

Fault = Callable[[Arena], None]


def kill_worker(arena: Arena) -> None:
    """`kill -9` of the leading worker; the standby takes over, and a new standby comes."""
    leader, victim = arena.wait_leader(), arena.any_worker()
    arena.system.kill_tree(victim)
    since = now_ms()
    arena.forget(victim)
    if victim == leader:
        arena.wait_takeover("the worker's death", since, TAKEOVER_LIMIT_S)
    arena.start_worker()


def pause_worker(arena: Arena) -> None:
    """SIGSTOP of the leading worker until another leads; then it wakes in the belief that it still does."""
    leader = arena.wait_leader()
    arena.system.signal_tree(leader, signal.SIGSTOP)
    since = now_ms()
    arena.wait_takeover("the worker's sleep", since, TAKEOVER_LIMIT_S)
    arena.let_run(arena.chance.uniform(0.1, 0.8))
    arena.system.signal_tree(leader, signal.SIGCONT)
    arena.let_run(1.5)  # it notices, and publishes what it counted


def cut_worker(arena: Arena) -> None:
    """The leading worker loses the broker for so long that another takes over."""
    leader = arena.wait_leader()
    link = arena.broker_links[leader]
    link.refuse(True)
    link.cut()
    since = now_ms()
    arena.wait_takeover("the worker's cut link", since, TAKEOVER_LIMIT_S)
    link.heal()


def lose_commit_reply(arena: Arena) -> None:
    """A commit is written, and its reply lost."""
    _lose_reply(arena, [arena.broker_links[arena.wait_leader()]], COMMIT)


def kill_web(arena: Arena) -> None:
    """`kill -9` of a web with all its processes; its viewers go elsewhere, and a new one comes."""
    name = arena.any_web()
    arena.system.kill_tree(name)
    since = now_ms()
    arena.forget(name)
    arena.wait_flow("a web's death", since)
    _another_web(arena)


def kill_web_process(arena: Arena) -> None:
    """`kill -9` of the process that serves; gunicorn makes another."""
    for child in psutil.Process(arena.system.pid(arena.any_web())).children():
        child.kill()
    arena.wait_flow("a web process's death", now_ms())


def pause_web(arena: Arena) -> None:
    """SIGSTOP of a web: its viewers hear nothing, its senders wait."""
    name = arena.any_web()
    arena.system.signal_tree(name, signal.SIGSTOP)
    arena.let_run(arena.chance.uniform(0.5, 6.5))
    arena.system.signal_tree(name, signal.SIGCONT)
    arena.wait_flow("a web's sleep", now_ms())


def cut_web(arena: Arena) -> None:
    """A web loses the broker for a while."""
    link = arena.broker_links[arena.any_web()]
    link.refuse(True)
    link.cut()
    arena.let_run(arena.chance.uniform(0.2, 3.0))
    link.heal()
    arena.wait_flow("a web's cut link", now_ms())


def hold_web(arena: Arena) -> None:
    """Nothing passes between a web and the broker, though the link stands."""
    link = arena.broker_links[arena.any_web()]
    link.hold()
    arena.let_run(arena.chance.uniform(0.5, 4.0))
    link.heal()
    arena.wait_flow("a web's half-open link", now_ms())


def lose_ingest_reply(arena: Arena) -> None:
    """Events are written, and the broker's reply to the web is lost; to whichever senders talk to."""
    _lose_reply(arena, [arena.broker_links[name] for name in arena.web_ports], INGEST)


def lose_post_reply(arena: Arena) -> None:
    """Events are accepted, and the web's answer to the sender is lost."""
    _lose_reply(arena, [arena.door], POST)


def cut_viewers(arena: Arena) -> None:
    """All viewers lose their sockets, a few times in a row."""
    for _ in range(arena.chance.randint(1, 3)):
        arena.front.cut()
        arena.let_run(arena.chance.uniform(0.1, 0.7))
    arena.wait_flow("viewers' cut links", now_ms())


def hold_viewers(arena: Arena) -> None:
    """Half-open: nothing passes between viewers and web."""
    arena.front.hold()
    arena.let_run(arena.chance.uniform(0.5, 6.5))
    arena.front.heal()
    arena.wait_flow("viewers' half-open links", now_ms())


def slow_viewers(arena: Arena) -> None:
    """A slow network for all viewers: they get merged frames."""
    arena.front.slow(arena.chance.uniform(0.05, 0.3))
    arena.let_run(arena.chance.uniform(1.0, 3.0))
    arena.front.heal()
    arena.wait_flow("viewers' slow links", now_ms())


def slow_broker(arena: Arena) -> None:
    """A slow network between every process and the broker."""
    for link in arena.broker_links.values():
        link.slow(arena.chance.uniform(0.005, 0.06))
    arena.let_run(arena.chance.uniform(1.0, 3.0))
    for link in arena.broker_links.values():
        link.heal()
    arena.wait_flow("slow links to the broker", now_ms())


def restart_broker(arena: Arena) -> None:
    """`kill -9` of the broker, which comes back with its data."""
    arena.broker.kill()
    arena.let_run(arena.chance.uniform(0.0, 1.0))
    arena.broker.start()
    arena.identities += 1
    arena.wait_flow("the broker's restart", now_ms())


def empty_broker(arena: Arena) -> None:
    """The broker dies and comes back without its data: what was acknowledged before is lost, and that is announced."""
    before = arena.epochs()
    gone_at = time.monotonic()
    arena.empty()
    arena.lose(gone_at, time.monotonic(), keeps_former=False)
    arena.wait_flow("the broker's empty restart", now_ms())
    arena.demand_new_epochs(before, "the broker was emptied")


def fail_over(arena: Arena) -> None:
    """A replica that was behind takes over: the newest is lost, and that is announced."""
    before = arena.epochs()
    with Replica(arena) as replica:
        held_until = replica.fall_behind(arena.chance.uniform(0.4, 1.5))
        replica.take_over()
    arena.lose(held_until, time.monotonic(), keeps_former=True)
    arena.wait_flow("the failover", now_ms())
    arena.demand_new_epochs(before, "a replica that was behind took over")


def fill_memory(arena: Arena) -> None:
    """The broker has no memory left: senders are told to come again, and nothing acknowledged is lost."""
    limit = arena.server.config_get("maxmemory")["maxmemory"]
    refused = arena.counts["answers 429"] + arena.counts["answers 503"]
    arena.server.config_set("maxmemory", int(arena.server.info("memory")["used_memory"] * 0.97))
    try:
        wait_until(lambda: arena.counts["answers 429"] + arena.counts["answers 503"] > refused, 10, "a refusal")
        if arena.status(arena.any_web(), "/readyz") != 503:
            arena.record.violation("readiness", "a web says that it is ready while the broker is full")
        arena.let_run(arena.chance.uniform(0.2, 1.5))
    finally:
        arena.server.config_set("maxmemory", limit)
    arena.wait_flow("full memory", now_ms())


def deploy(arena: Arena) -> None:
    """A rolling restart by SIGTERM: first each web, then each worker, a new one before the old one goes."""
    for name in sorted(arena.web_ports):
        _another_web(arena)
        arena.lead_to(*(port for other, port in arena.web_ports.items() if other != name))
        _end(arena, name)
    for name in list(arena.workers):
        arena.start_worker()
        _end(arena, name)
    arena.wait_flow("a deployment", now_ms())


def stop_worker(arena: Arena) -> None:
    """SIGTERM of a worker, which hands over; a new one came before."""
    name = arena.any_worker()
    arena.start_worker()
    _end(arena, name)
    arena.wait_flow("a worker's stop", now_ms())


def stop_web(arena: Arena) -> None:
    """SIGTERM of a web, which sends its viewers away; a new one came before."""
    name = arena.any_web()
    _another_web(arena)
    arena.lead_to(*(port for other, port in arena.web_ports.items() if other != name))
    _end(arena, name)
    arena.wait_flow("a web's stop", now_ms())


def _end(arena: Arena, name: str) -> None:
    began = time.monotonic()
    arena.system.end_process(name, signal.SIGTERM)
    took_s = time.monotonic() - began
    arena.forget(name)
    if took_s > STOP_LIMIT_S * arena.patience():
        arena.record.violation("too slow", f"{name} took {took_s:.1f} s to stop")


def _another_web(arena: Arena) -> None:
    arena.wait_ready(arena.start_web())
    arena.lead_to(*arena.web_ports.values())


def _lose_reply(arena: Arena, links: Sequence[Link], request: bytes) -> None:
    lost = sum(link.lost for link in links)
    for link in links:
        link.lose_reply(request)
    wait_until(lambda: sum(link.lost for link in links) > lost, 10, f"a reply to {request!r} that can be lost")
    for link in links:
        link.heal()
    arena.wait_flow("a lost reply", now_ms())


FAULTS: dict[str, Fault] = {
    fault.__name__: fault
    for fault in (
        kill_worker, pause_worker, cut_worker, lose_commit_reply, kill_web, kill_web_process, pause_web, cut_web,
        hold_web, lose_ingest_reply, lose_post_reply, cut_viewers, hold_viewers, slow_viewers, slow_broker,
        restart_broker, empty_broker, fail_over, fill_memory, deploy, stop_worker, stop_web,
    )
}


def schedule_of(seed: int, length: int = 6) -> list[str]:
    """A seed's faults, in order. As many seeds in a row begin with each of them once."""
    names = sorted(FAULTS)
    return [names[seed % len(names)], *random.Random(seed).choices(names, k=length - 1)]


def play(arena: Arena, names: Sequence[str]) -> None:
    """Do them one after the other, under load and in weather all the while."""
    for name in names:
        arena.let_run(arena.chance.uniform(0.1, 0.8))
        arena.faults[name] += 1
        with Weather(arena):
            FAULTS[name](arena)
