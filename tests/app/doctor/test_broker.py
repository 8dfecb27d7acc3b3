"""The doctor's checks of the broker, on real servers that are set up wrongly."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis

from app.doctor.broker import Encrypted, Memory, Reachable, broker_checks
from app.doctor.finding import Check
from app.doctor.running import ClockOffset, Workers
from app.settings import Settings
from services.broker import Broker
from services.embedded import EmbeddedBroker
from tests.app.doctor.said import found, passes
from tests.system import System, order


@pytest.fixture
def client(own_broker: EmbeddedBroker) -> Iterator[Any]:
    with redis.Redis.from_url(own_broker.url) as opened:
        yield opened


def _checks(broker: EmbeddedBroker, processes: int = 1) -> dict[str, Check]:
    asked = Broker(broker.url)
    settings = Settings(redis_url=broker.url, web_processes=processes)
    made = {type(check).__name__: check for check in broker_checks(settings, asked)}
    asked.close()
    return made


def test_our_own_server_passes(own_broker: EmbeddedBroker) -> None:
    for check in _checks(own_broker).values():
        passes(check)
    assert passes(Reachable(Settings(redis_url=own_broker.url)))[0].endswith("answers")
    assert passes(_checks(own_broker)["Persistence"]) == ["what was accepted survives a killed server and a power cut"]


def test_a_server_that_may_drop_data_fails(own_broker: EmbeddedBroker, client: Any) -> None:
    client.config_set("maxmemory-policy", "allkeys-lru")
    assert "policy allkeys-lru" in found(_checks(own_broker)["Memory"]).text


def test_a_full_server_fails_and_one_that_fills_warns() -> None:
    server = {"maxmemory": 100, "used_memory_human": "70B", "maxmemory_policy": "noeviction"}
    assert "70 % of maxmemory" in found(Memory({**server, "used_memory": 70}), "warn").text
    assert "ingest is refused" in found(Memory({**server, "used_memory": 85})).text


def test_a_server_that_keeps_nothing_fails_and_one_with_snapshots_or_lazy_flushes_warns(
    own_broker: EmbeddedBroker, client: Any
) -> None:
    client.config_set("appendfsync", "no")
    assert "half a minute" in found(_checks(own_broker)["Persistence"], "warn").text
    client.config_set("appendonly", "no")
    assert "nothing is written to its disk" in found(_checks(own_broker)["Persistence"]).text
    client.config_set("save", "3600 1")
    assert "snapshots only" in found(_checks(own_broker)["Persistence"], "warn").text


def test_a_server_whose_connections_are_nearly_taken_fails_and_one_that_is_full_lets_nobody_in(
    own_broker: EmbeddedBroker, client: Any
) -> None:
    client.config_set("maxclients", 12)
    others = [redis.Redis.from_url(own_broker.url, single_connection_client=True) for _ in range(9)]
    finding = found(_checks(own_broker)["Connections"])
    assert "11 of 12 are held, 0 by Headwater; a second release needs 5 more" in finding.text
    assert "WEB_CONCURRENCY" in finding.remedy
    others.append(redis.Redis.from_url(own_broker.url, single_connection_client=True))
    others.append(redis.Redis.from_url(own_broker.url, single_connection_client=True))
    assert "lets nobody in" in found(Reachable(Settings(redis_url=own_broker.url))).remedy
    for other in others:
        other.close()


def test_connections_of_ours_are_counted(own_broker: EmbeddedBroker, client: Any) -> None:
    client.config_set("maxclients", 18)
    ours = [Broker(own_broker.url) for _ in range(9)]
    for one in ours:
        one.server()
    text = found(_checks(own_broker)["Connections"], "warn").text
    assert "9 by Headwater; a second release needs 9 more" in text
    for one in ours:
        one.close()


def test_a_broker_that_is_away_fails() -> None:
    assert "correct REDIS_URL" in found(Reachable(Settings(redis_url="redis://127.0.0.1:1"))).remedy


def test_without_any_broker_the_one_that_would_be_started_is_named(tmp_path: Path) -> None:
    assert "will start" in passes(Reachable(Settings(data=tmp_path)))[0]


def test_a_password_on_an_open_network_warns() -> None:
    assert "the password too" in found(Encrypted("redis://:canary@broker.example:6379"), "warn").text
    assert "canary" not in found(Encrypted("redis://:canary@broker.example:6379"), "warn").line()
    assert passes(Encrypted("rediss://broker.example:6379"))


def test_lanes_without_a_worker_fail_once_anything_runs(system: System) -> None:
    workers = Workers(system.broker, system.declarations.lanes(), system.clock)
    assert "none runs here yet" in found(workers, "warn").text
    system.broker.write_telemetry("web-1", system.telemetry.payload())
    assert "and 1 other processes do" in found(workers).text
    system.drain()
    assert "no standby" in passes(workers)[0]
    system.now_ms += 4_000  # its worker is silent longer than a lease lives, and lives by the broker's clock
    assert "nobody leads" in found(workers).text


def test_events_that_wait_too_long_fail(system: System) -> None:
    system.drain()
    system.post([order(1)])
    system.now_ms += 31_000
    system.processor._report_progress()
    waiting = list(Workers(system.broker, system.declarations.lanes(), system.clock).look())
    assert any(one.subject == "backlog" and "the oldest for 31 s" in one.text for one in waiting), waiting


def test_a_clock_that_is_off_warns_and_a_minute_off_fails(own_broker: EmbeddedBroker) -> None:
    broker = Broker(own_broker.url)
    passes(ClockOffset(broker))
    assert "5.0 s behind the broker's" in found(ClockOffset(broker, lambda: time.time() - 5), "warn").text
    assert "90.0 s ahead of the broker's" in found(ClockOffset(broker, lambda: time.time() + 90)).text
    broker.close()
