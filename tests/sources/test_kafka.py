"""Kafka: messages of librdkafka's own mock cluster, which speaks the protocol on sockets, become events once."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from confluent_kafka import Producer

from app.cli import main
from headwater import Feed, Freshness, Kafka, Number, SourceMapping, Text
from services.declare import DeclarationError, FeedSpec
from tests.ports import free_port
from tests.sources.running import Running
from tests.waiting import wait_until

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10, may_be_quiet=True)


class Cluster:
    """The mock cluster of one producer, which others reach by its address."""

    def __init__(self) -> None:
        self._producer = Producer({"test.mock.num.brokers": 1, "bootstrap.servers": "", "log_level": 0})
        [broker] = self._producer.list_topics(timeout=10).brokers.values()
        self.address = f"{broker.host}:{broker.port}"

    def send(self, topic: str, value: Any, key: str = "k") -> None:
        raw = value if isinstance(value, bytes) else json.dumps(value).encode()
        self._producer.produce(topic, raw, key=key)
        assert self._producer.flush(10) == 0


@pytest.fixture(scope="module")
def cluster() -> Cluster:
    return Cluster()


def kafka(cluster: Cluster, topic: str, group: str, mapping: SourceMapping | None = None) -> Kafka:
    """The mock cluster gives a group's partitions to the next member only when the last one's session is over."""
    return Kafka(cluster.address, [topic], group=group, mapping=mapping, options={"session.timeout.ms": "6000"})


def payments(source: Kafka) -> FeedSpec:
    class Payments(Feed, name="payments", key="payer", freshness=RULE, source=source):
        """What a shop's other systems write to Kafka."""

        payer = Text()
        amount = Number(unit="EUR")

    return Payments.declaration


def test_another_worker_goes_on_behind_what_was_accepted_and_an_event_is_named_by_its_place(
    broker_url: str, cluster: Cluster
) -> None:
    feed = payments(kafka(cluster, "paid", "headwater"))
    before = round(time.time() * 1000)
    for number in range(3):
        cluster.send("paid", {"payer": f"p{number}", "amount": number, "id": "of the payment"})
    with Running(broker_url, feed) as running:
        found = running.wait_for(3)
        assert sorted(running.values("payer")) == ["p0", "p1", "p2"]
        assert all(event["id"].startswith("paid/") for event in found)
        assert all(before - 1_000 <= event["created_at"] <= time.time() * 1000 for event in found)
        assert running.until_alive(running.alive_at())
    cluster.send("paid", {"payer": "p3", "amount": 3})
    with Running(broker_url, feed, worker="worker-2") as running:
        running.wait_for(4)
        assert running.values("payer")[3:] == ["p3"]
        assert running.duplicates() == 0
        assert running.told == []


def test_what_is_no_record_is_refused_and_counted_and_the_rest_goes_on(broker_url: str, cluster: Cluster) -> None:
    cluster.send("mixed", b"\xff no json")
    cluster.send("mixed", 12.5, key="keyed")
    mapping = SourceMapping({"payer": "kafka.key", "amount": "value"})
    with Running(broker_url, payments(kafka(cluster, "mixed", "g", mapping))) as running:
        running.wait_for(1)
        assert running.values("payer", "amount") == [("keyed", 12.5)]
        running.wait_rejected("wrong_type")


def test_a_commit_that_was_lost_brings_the_same_events_again_and_they_count_once(
    broker_url: str, cluster: Cluster
) -> None:
    for number in range(3):
        cluster.send("again", {"payer": f"p{number}", "amount": number})
    feed = payments(kafka(cluster, "again", "g1"))
    with Running(broker_url, feed) as running:
        running.wait_for(3)
    elsewhere = payments(kafka(cluster, "again", "g2"))  # which knows nothing of those offsets
    with Running(broker_url, elsewhere, worker="worker-2") as running:
        wait_until(lambda: running.duplicates() == 3, what="three duplicates")
        assert len(running.events()) == 3


def test_what_would_take_messages_away_from_its_feed_is_not_profiled(tmp_path: Path) -> None:
    given = {"HEADWATER_PROJECT": str(tmp_path), "HEADWATER_DATA": str(tmp_path / "data")}
    assert CliRunner().invoke(main, ["new", "feed", "paid", "--source", "kafka"], env=given).exit_code == 0
    refused = CliRunner().invoke(main, ["profile", "paid", "--for", "1s"], env=given)
    assert refused.exit_code == 2
    assert "would take its records away from the feed" in refused.output


def test_a_cluster_that_is_not_there_is_silent(broker_url: str) -> None:
    with Running(broker_url, payments(Kafka(f"127.0.0.1:{free_port()}", ["paid"], group="g"))) as running:
        running.wait_told("source_silent", "")


def test_a_secret_of_the_environment_goes_to_the_client_and_into_no_title(
    broker_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = {"security.protocol": "SASL_PLAINTEXT", "sasl.mechanism": "PLAIN", "sasl.username": "me",
               "sasl.password": "env:KAFKA_PASSWORD"}  # fmt: skip
    source = Kafka("127.0.0.1:1", ["paid"], group="g", options=options)
    with Running(broker_url, payments(source)) as running:
        running.wait_told("source_error", "KAFKA_PASSWORD is not set")
        monkeypatch.setenv("KAFKA_PASSWORD", "never-shown")
        assert "never" not in running.wait_told("source_silent", "")


@pytest.mark.parametrize(
    ("source", "said"),
    [
        (Kafka("a:9092", [], group="g"), "name topics"),
        (Kafka("a:9092", ["t"], group=""), "a consumer group"),
        (Kafka("", ["t"], group="g"), "give an address"),
        (Kafka("a:9092", ["t"], group="g", options={"sasl.password": "hunter22"}), "give env:NAME"),
    ],
)
def test_topics_that_cannot_be_meant_are_refused_at_their_declaration(source: Kafka, said: str) -> None:
    with pytest.raises(DeclarationError, match=said) as refused:
        payments(source)
    assert "hunter22" not in str(refused.value)

