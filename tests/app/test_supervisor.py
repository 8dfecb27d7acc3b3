"""Supervisor: one command brings everything up, keeps it up, and leaves nothing behind."""

from __future__ import annotations

import json
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.app.running import Running, headwater, running
from tests.waiting import wait_until


@pytest.fixture(scope="module")
def up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A running system for what changes nothing of it that is not back afterwards."""
    with running("up", tmp_path_factory.mktemp("up")) as started:
        started.wait_until_ready()
        yield started


def _gone(family: list[psutil.Process]) -> bool:
    return not any(process.is_running() and process.status() != psutil.STATUS_ZOMBIE for process in family)


def test_one_command_shows_live_data_and_ctrl_c_leaves_no_process(tmp_path: Path) -> None:
    with running("up", tmp_path) as up:
        up.wait_until_ready()
        wait_until(lambda: up.url in up.output, what="the printed URL")
        rows = wait_until(lambda: up.get("/api/channels/host.now/snapshot")[1]["data"]["rows"], what="a live row")
        assert "cpu_percent" in rows["machine"]
        family = up.descendants()
        assert len(family) >= 4, "broker, worker, web and its process"

        assert up.stop(signal.SIGINT) == 0
        assert _gone(family)
        assert not (up.data / "broker.json").exists()


def test_a_killed_supervisor_takes_its_processes_with_it_and_what_was_accepted_is_there_after_a_second_start(
    tmp_path: Path,
) -> None:
    post = {"Authorization": "", "Content-Type": "application/json"}
    with running("up", tmp_path) as up:
        up.wait_until_ready()
        post["Authorization"] = f"Bearer {(up.data / 'ingest.key').read_text().strip()}"
        assert up.get("/api/ingest/signals", post, json.dumps({"id": "s1", "name": "a", "value": 7}).encode())[0] == 202
        wait_until(lambda: _value_of_a(up) == 7, what="the posted value")
        family = up.descendants()
        up.stop(signal.SIGKILL)
        wait_until(lambda: _gone(family), 15, what="end of all processes")
    with running("up", tmp_path) as up:
        up.wait_until_ready()
        assert _value_of_a(up) == 7
        again = up.get("/api/ingest/signals", post, json.dumps({"id": "s1", "name": "a", "value": 8}).encode())
        assert again == (202, {"accepted": 0, "duplicates": 1, "rejected": []})


def _value_of_a(up: Running) -> float | None:
    rows = up.get("/api/channels/signals.newest/snapshot")[1]["data"]["rows"]
    return rows.get("a", {}).get("value")


@pytest.mark.parametrize("name", ["worker", "web"])
def test_a_process_that_dies_is_started_again(up: Running, name: str) -> None:
    killed = up.child(name)
    killed.kill()
    wait_until(lambda: _other_child(up, name, killed.pid), 20, what=f"another {name}")
    up.wait_until_ready()


def _other_child(up: Running, name: str, pid: int) -> bool:
    try:
        return up.child(name).pid != pid
    except (StopIteration, psutil.NoSuchProcess):
        return False


def test_a_second_supervisor_of_the_same_directory_is_refused(up: Running) -> None:
    second = headwater("up", HEADWATER_DATA=str(up.data))
    assert second.returncode == 1
    assert f"already running for {up.data} (process {up.process.pid})" in second.stderr
    assert up.is_ready()


def test_a_taken_port_is_named_before_anything_starts(up: Running, tmp_path: Path) -> None:
    other = headwater("up", HEADWATER_DATA=str(tmp_path / "other"), PORT=str(up.port))
    assert other.returncode == 1
    assert f"PORT: {up.port} on 127.0.0.1 is taken" in other.stderr


def test_the_local_ingest_key_is_for_its_owner_only(up: Running) -> None:
    key = up.data / "ingest.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert key.read_text().strip() not in up.output
