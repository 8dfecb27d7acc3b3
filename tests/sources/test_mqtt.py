"""MQTT: what is published to a real Mosquitto becomes events, what was published meanwhile too."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import pytest
from paho.mqtt import publish

from headwater import Feed, Freshness, GivenTime, Mqtt, Number, SourceMapping, Text
from services.declare import DeclarationError, FeedSpec
from services.leash import leashed
from tests.ports import free_port
from tests.sources.programs import environment, program
from tests.sources.running import Running
from tests.waiting import wait_until

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)
PASSWORD = "pass%word of the plant"
MAPPING = SourceMapping({"machine": "mqtt.levels.1", "warm": "value"})


class Mosquitto:
    """One broker that asks for a password; it keeps sessions on disk."""

    def __init__(self, folder: Path) -> None:
        self._folder, self.port = folder, free_port()
        folder.mkdir(parents=True, exist_ok=True)
        passwords = folder / "passwords"
        command = [program("mosquitto_passwd"), "-c", "-b", str(passwords), "plant", PASSWORD]
        subprocess.run(command, check=True, env=environment(), capture_output=True)
        config = [
            f"listener {self.port} 127.0.0.1", "allow_anonymous false", f"password_file {passwords}",
            "persistence true", f"persistence_location {folder}/", "autosave_on_changes true", "autosave_interval 1",
        ]  # fmt: skip
        if os.geteuid() == 0:
            config.append("user root")
        (folder / "mosquitto.conf").write_text("\n".join(config) + "\n")
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with (self._folder / "log").open("ab") as log:
            command = [program("mosquitto"), "-c", str(self._folder / "mosquitto.conf")]
            self._process = subprocess.Popen(leashed(command), env=environment(), stdout=log, stderr=log)
        wait_until(self._answers, what=f"an answer of Mosquitto; log: {self._folder}/log")

    def _answers(self) -> bool:
        try:
            self.publish("started", 1)
        except OSError:
            return False
        return True

    def publish(self, topic: str, value: Any, *, retain: bool = False) -> None:
        publish.single(
            topic, value if isinstance(value, str) else json.dumps(value), qos=1, retain=retain, hostname="127.0.0.1",
            port=self.port, auth={"username": "plant", "password": PASSWORD},
        )  # fmt: skip

    def stop(self) -> None:
        """End it in order, so that it writes its sessions."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(10)
            self._process = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


@pytest.fixture(scope="module")
def mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mosquitto]:
    with Mosquitto(tmp_path_factory.mktemp("mosquitto")) as made:
        yield made


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PLANT_PASSWORD", "pass%25word%20of%20the%20plant")


def address(broker: Mosquitto) -> str:
    return f"mqtt://plant:env:PLANT_PASSWORD@127.0.0.1:{broker.port}"


def machines(source: Mqtt) -> FeedSpec:
    class Machines(Feed, name="machines", key="machine", freshness=RULE, source=source):
        """What a plant's machines publish."""

        machine = Text()
        warm = Number(unit="°C")

    return Machines.declaration


def test_what_is_published_while_nobody_listens_comes_afterwards_and_nothing_twice(
    broker_url: str, mosquitto: Mosquitto
) -> None:
    feed = machines(Mqtt(address(mosquitto), ["plant/+/warm"], client="headwater-a", mapping=MAPPING))
    with Running(broker_url, feed) as running:
        assert running.until_alive(running.alive_at())
        for number in range(5):
            mosquitto.publish(f"plant/m{number}/warm", 20 + number)
        mosquitto.publish("plant/m0/speed", 7)
        running.wait_for(5)
        assert running.values("machine", "warm") == [(f"m{number}", 20 + number) for number in range(5)]
    for number in range(30):
        mosquitto.publish("plant/later/warm", number)
    with Running(broker_url, feed, worker="worker-2") as running:
        running.wait_for(35)
        assert running.until_alive(running.alive_at())
        assert running.values("warm")[5:] == list(range(30))
        assert running.told == []


def test_a_json_object_is_a_record_and_what_was_retained_is_of_no_known_age(
    broker_url: str, mosquitto: Mosquitto
) -> None:
    mosquitto.publish("hall/old", {"machine": "old", "warm": 1, "at": 1_700_000_000}, retain=True)
    with Running(broker_url, machines(Mqtt(address(mosquitto), ["hall/#"], client="headwater-b"))) as running:
        assert running.until_alive(running.alive_at())
        mosquitto.publish("hall/new", {"machine": "new", "warm": 2, "id": "of the machine"})
        running.wait_for(1)
        assert running.values("machine", "warm") == [("new", 2)]
    told = SourceMapping(created_at=GivenTime("at", unit="s"))
    feed = machines(Mqtt(address(mosquitto), ["hall/#"], client="headwater-c", mapping=told))
    with Running(broker_url, feed, worker="worker-2") as running:
        assert running.wait_for(2)[-1]["created_at"] == 1_700_000_000_000


def test_a_broker_that_goes_away_is_silent_and_keeps_what_comes_until_it_is_heard(
    broker_url: str, tmp_path: Path
) -> None:
    with Mosquitto(tmp_path / "mosquitto") as broker:
        feed = machines(Mqtt(address(broker), ["plant/+/warm"], client="headwater", mapping=MAPPING))
        with Running(broker_url, feed) as running:
            assert running.until_alive(running.alive_at())
            broker.publish("plant/a/warm", 1)
            running.wait_for(1)
            broker.stop()
            running.wait_told("source_silent", "")
            broker.start()
            broker.publish("plant/b/warm", 2)
            running.wait_for(2)
            assert running.values("machine") == ["a", "b"]


def test_a_password_that_is_wrong_is_told_and_stands_nowhere(
    broker_url: str, mosquitto: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PLANT_PASSWORD", "a-guess")
    feed = machines(Mqtt(address(mosquitto), ["plant/+/warm"], client="headwater-d"))
    with Running(broker_url, feed) as running:
        assert "a-guess" not in running.wait_told("source_error", "Not authorized")
    assert "PASSWORD" not in feed.source.title


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Mqtt("http://a", ["b"], client="c"), "begin it with mqtt://"),
        (Mqtt("mqtt://a", [], client="c"), "name topics"),
        (Mqtt("mqtt://a", ["b"], client=""), "a client id"),
        (Mqtt("mqtt://a", ["b"], client="c", qos=2), "give 0 or 1"),
        (Mqtt("mqtt://me:hunter22@a", ["b"], client="c"), "a password stands in the file"),
    ],
)
def test_a_subscription_that_cannot_be_meant_is_refused_at_its_declaration(source: Mqtt, said: str) -> None:
    with pytest.raises(DeclarationError, match=said):
        machines(source)
