"""Commands: help for each, exit codes 0, 1 and 2, and one clear line when one fails."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from app.cli import main
from app.settings import markdown_table
from services.embedded import EmbeddedBroker
from tests.app.running import headwater
from tests.ports import free_port


@pytest.mark.parametrize("command", sorted(main.commands))
def test_every_command_has_help(command: str) -> None:
    answer = CliRunner().invoke(main, [command, "--help"])
    assert answer.exit_code == 0
    assert "Usage:" in answer.output


@pytest.mark.parametrize("arguments", [["fly"], ["up", "--fast"], ["worker", "--only"]])
def test_bad_usage_exits_with_2(arguments: list[str]) -> None:
    assert CliRunner().invoke(main, arguments).exit_code == 2


@pytest.mark.parametrize("command", ["up", "web", "worker", "release", "doctor", "check"])
def test_a_bad_setting_exits_with_2_and_one_line(command: str) -> None:
    ended = headwater(command, PORT="abc")
    assert ended.returncode == 2
    assert ended.stderr == "headwater: PORT: 'abc': give a whole number from 1 to 65535\n"
    assert not ended.stdout


@pytest.mark.parametrize("command", ["web", "worker"])
def test_a_process_without_a_broker_says_what_is_missing(command: str, tmp_path: Path) -> None:
    ended = headwater(command, HEADWATER_DATA=str(tmp_path))
    assert ended.returncode == 2
    assert len(ended.stderr.splitlines()) == 1
    assert "REDIS_URL: not set" in ended.stderr


def test_a_worker_for_an_unknown_station_names_the_known_ones(own_broker: EmbeddedBroker) -> None:
    ended = headwater("worker", "--only", "nope", REDIS_URL=own_broker.url)
    assert ended.returncode == 2
    assert "'nope': no such station; name some of sources,processor,archive,contract" in ended.stderr


def test_check_needs_no_broker_and_counts_what_is_declared(tmp_path: Path) -> None:
    ended = headwater("check", HEADWATER_DATA=str(tmp_path), REDIS_URL="redis://127.0.0.1:1")
    assert ended.returncode == 0, ended.stdout
    assert "ok    declarations: 5 feeds" in ended.stdout


def test_the_doctor_finds_a_good_broker(own_broker: EmbeddedBroker) -> None:
    ended = headwater("doctor", PORT=str(free_port()), REDIS_URL=own_broker.url)
    assert ended.returncode == 0, ended.stdout
    assert "answers" in ended.stdout
    assert "policy noeviction" in ended.stdout


def test_the_doctor_names_the_remedy_for_a_broker_that_is_away() -> None:
    ended = headwater("doctor", PORT=str(free_port()), REDIS_URL="redis://127.0.0.1:1")
    assert ended.returncode == 1
    assert "fail  broker: broker 127.0.0.1:1" in ended.stdout or "fail  broker:" in ended.stdout
    assert "correct REDIS_URL" in ended.stdout
    assert len(ended.stderr.splitlines()) == 1


def test_the_doctor_warns_of_a_misspelt_setting() -> None:
    assert "warn  settings: HEADWATER_PROT: no such setting" in headwater("check", HEADWATER_PROT="1").stdout


def test_a_release_fails_where_the_broker_would_drop_data(own_broker: EmbeddedBroker, tmp_path: Path) -> None:
    import redis

    client = redis.Redis.from_url(own_broker.url)
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.close()
    ended = headwater("release", REDIS_URL=own_broker.url, HEADWATER_DATA=str(tmp_path / "data"))
    assert ended.returncode == 1
    assert "set maxmemory-policy noeviction" in ended.stdout
    assert not (tmp_path / "data").exists()


def test_a_release_migrates_the_database_once(own_broker: EmbeddedBroker, tmp_path: Path) -> None:
    def release() -> str:
        ended = headwater("release", REDIS_URL=own_broker.url, HEADWATER_DATA=str(tmp_path / "data"))
        assert ended.returncode == 0, ended.stdout
        return ended.stdout

    assert "headwater.db migrated from nothing: at revision" in release()
    assert "headwater.db is at revision" in release()


def test_outside_loopback_a_release_needs_a_database_that_outlives_the_disk(
    own_broker: EmbeddedBroker, tmp_path: Path
) -> None:
    ended = headwater(
        "release", REDIS_URL=own_broker.url, HEADWATER_DATA=str(tmp_path), HOST="0.0.0.0", HEADWATER_INSECURE="1"
    )
    assert ended.returncode == 1
    assert "fail  database: DATABASE_URL: not set, and 0.0.0.0" in ended.stdout
    assert "history of 'flights'" in ended.stdout
    assert not (tmp_path / "headwater.db").exists()


def test_the_doctor_names_the_remedy_for_a_database_that_is_away(own_broker: EmbeddedBroker) -> None:
    ended = headwater("doctor", PORT=str(free_port()), REDIS_URL=own_broker.url, DATABASE_URL="postgres://u:canary@127.0.0.1:1/hw")
    assert ended.returncode == 1
    assert "fail  database: database postgresql+psycopg://u:***@127.0.0.1:1/hw" in ended.stdout
    assert "start it, or correct DATABASE_URL" in ended.stdout
    assert "canary" not in ended.stdout + ended.stderr


def test_settings_prints_the_table_of_the_readme() -> None:
    assert CliRunner().invoke(main, ["settings", "--markdown"]).output == markdown_table() + "\n"
