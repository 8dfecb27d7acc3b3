"""Embedded broker: a real server that keeps what it accepted and never outlives or doubles itself."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
import redis

from services.embedded import EmbeddedBroker, EmbeddedBrokerError, read_address
from tests.waiting import wait_until


def _client(broker: EmbeddedBroker) -> redis.Redis:
    return redis.Redis.from_url(broker.url)


def test_what_was_written_survives_a_kill_at_the_same_address(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        address = broker.url
        with _client(broker) as client:
            client.set("a", "1")
        broker.kill()
        assert broker.start() == address
        with _client(broker) as client:
            assert client.get("a") == b"1"


def test_it_is_told_to_answer_no_write_that_is_not_on_the_disk(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker, _client(broker) as client:
        durability = client.config_get("append*")
        assert (durability["appendonly"], durability["appendfsync"]) == ("yes", "always")


def test_its_address_is_known_while_it_runs_and_forgotten_afterwards(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        assert read_address(tmp_path) == broker.url
        broker.kill()
        assert read_address(tmp_path) is None
        broker.start()
        socket_folder = Path(broker.url.removeprefix("unix://")).parent
    assert read_address(tmp_path) is None
    assert not socket_folder.exists()


def test_it_refuses_writes_rather_than_evict_when_memory_is_full(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path, memory_mb=64) as broker, _client(broker) as client:
        assert client.config_get("maxmemory*") == {
            "maxmemory": str(64 << 20),
            "maxmemory-policy": "noeviction",
            "maxmemory-samples": "5",
            "maxmemory-clients": "0",
            "maxmemory-eviction-tenacity": "10",
        }


def test_it_listens_on_no_port(tmp_path: Path) -> None:
    with EmbeddedBroker(tmp_path) as broker:
        assert broker.pid is not None
        server = psutil.Process(broker.pid)
        assert not [one for one in server.net_connections("tcp") if one.status == psutil.CONN_LISTEN]


def test_it_ends_with_a_starter_that_is_killed_and_a_successor_takes_over_its_data(tmp_path: Path) -> None:
    script = (
        "import sys, signal; from pathlib import Path; from services.embedded import EmbeddedBroker\n"
        f"broker = EmbeddedBroker(Path({str(tmp_path)!r})); broker.start(); print(broker.url, broker.pid, flush=True)\n"
        "signal.pause()\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()) as starter:
        assert starter.stdout is not None
        address, pid = starter.stdout.readline().split()
        with redis.Redis.from_url(address) as client:
            client.set("a", "1")
        starter.send_signal(signal.SIGKILL)
        starter.wait()
    with EmbeddedBroker(tmp_path) as successor, _client(successor) as client:
        assert client.get("a") == b"1"
        wait_until(lambda: not psutil.pid_exists(int(pid)), what="end of the first server")
        assert not Path(address.removeprefix("unix://")).parent.exists()


def test_a_server_that_does_not_come_up_is_explained_by_its_own_words(tmp_path: Path) -> None:
    impostor = tmp_path / "server"
    impostor.write_text("#!/bin/sh\necho cannot serve today\nexit 3\n")
    impostor.chmod(0o755)
    broker = EmbeddedBroker(tmp_path / "data", server=impostor)
    with pytest.raises(EmbeddedBrokerError, match="cannot serve today"):
        broker.start()
    broker.close()


def test_a_long_temporary_directory_does_not_lengthen_the_sockets_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deep = tmp_path / ("d" * 120)
    deep.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(deep))
    with EmbeddedBroker(tmp_path / "data") as broker:
        assert len(broker.url.removeprefix("unix://")) <= 107
