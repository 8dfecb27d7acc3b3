"""Kafka: messages of topics, read as one consumer group whose offsets follow what was accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import orjson

from services.declare.mapping import SourceMapping
from services.declare.stamps import GivenTime
from services.sources.reached import Reached
from services.sources.source import Intake
from services.sources.trouble import SourceTrouble

if TYPE_CHECKING:
    from confluent_kafka import Consumer, Message, TopicPartition

_LOOK_S = 0.5
_BATCH = 1_000
_ANSWER_S = 10.0


class Kafka(Reached):
    """Reads `topics` of the cluster at `address` (`host:port`, several joined by commas); needs
    `pip install 'headwater[kafka]'`.

    Offsets are kept in the cluster under `group`, and committed once the events are accepted. At the first start all
    that is there is read, or what comes `from_now` on. A message's value is JSON: an object is a record, anything else
    its `value`. `kafka.topic`, `kafka.partition`, `kafka.offset`, `kafka.key` and `kafka.timestamp` (ms) are where it
    came from; topic, partition and offset are the event's id, and the timestamp its `created_at`, where `mapping` makes
    no other. `options` go to librdkafka as they are: `{"security.protocol": "SASL_SSL", "sasl.password": "env:NAME"}`.
    """

    consumes = True

    def __init__(
        self,
        address: str,
        topics: Sequence[str],
        *,
        group: str,
        from_now: bool = False,
        options: Mapping[str, str] | None = None,
        mapping: SourceMapping | None = None,
        title: str = "",
    ) -> None:
        super().__init__()
        self.address, self.topics, self.group, self.from_now = address, tuple(topics), group, from_now
        self.options = dict(options or {})
        mapping = mapping or SourceMapping()
        if mapping.id is None:
            mapping = replace(mapping, id=("kafka.topic", "kafka.partition", "kafka.offset"))
        if mapping.created_at is None:
            mapping = replace(mapping, created_at=GivenTime("kafka.timestamp", unit="ms"))
        self.mapping = mapping
        self.title = title or f"Kafka topics {', '.join(topics)}"

    def run(self, intake: Intake) -> None:
        try:
            from confluent_kafka import Consumer, KafkaException
        except ImportError:
            raise SourceTrouble("the Kafka client is not installed; run pip install 'headwater[kafka]'") from None
        trouble: list[SourceTrouble] = []
        options = {
            "bootstrap.servers": self.filled(self.address), "group.id": self.group, "enable.auto.commit": False,
            "auto.offset.reset": "latest" if self.from_now else "earliest", "log_level": 0,
            **{name: self.filled(value) for name, value in self.options.items()},
            "error_cb": lambda error: trouble.append(_of(error)),
        }  # fmt: skip
        try:
            consumer = Consumer(options)
        except KafkaException as error:
            raise _of(error.args[0]) from None
        try:
            consumer.subscribe(list(self.topics), on_assign=_tell_lost)
            self._follow(consumer, intake, trouble)
        except KafkaException as error:
            raise _of(error.args[0]) from None
        finally:
            consumer.close()

    def _follow(self, consumer: Consumer, intake: Intake, trouble: list[SourceTrouble]) -> None:
        while not intake.wait(0):
            messages = consumer.consume(_BATCH, _LOOK_S)
            if trouble:
                raise trouble[0]
            if not messages:
                if consumer.assignment():
                    intake.alive()
                continue
            for message in messages:
                if (error := message.error()) is not None:
                    raise _of(error)
            intake.accept([_record(message) for message in messages])
            if intake.wait(0):
                return  # perhaps not accepted: who comes next reads them again, and they are known by their ids
            consumer.commit(offsets=_behind(messages), asynchronous=False)

    def problem(self) -> tuple[str, object, str] | None:
        if not self.topics or not all(self.topics):
            return "source.topics", self.topics, "name topics"
        if not self.group:
            return "source.group", self.group, "give a consumer group, of this feed alone"
        plain = [name for name, value in self.options.items() if "password" in name and not value.startswith("env:")]
        if plain:
            return "source.options", plain[0], "a password stands in the file; give env:NAME in its place"
        return super().problem()


def _behind(messages: Sequence[Message]) -> list[TopicPartition]:
    """Where each partition goes on."""
    from confluent_kafka import TopicPartition

    newest: dict[tuple[str, int], int] = {}
    for message in messages:
        newest[str(message.topic()), int(message.partition() or 0)] = int(message.offset() or 0) + 1
    return [TopicPartition(topic, partition, offset) for (topic, partition), offset in newest.items()]


def _tell_lost(consumer: Consumer, partitions: list[TopicPartition]) -> None:
    """Where the cluster let messages go before they were read: their number is told, and reading goes on."""
    lost, behind = 0, []
    for one in consumer.committed(partitions, timeout=_ANSWER_S):
        oldest, _ = consumer.get_watermark_offsets(one, timeout=_ANSWER_S)
        if 0 <= one.offset < oldest:
            lost += oldest - one.offset
            one.offset = oldest
            behind.append(one)
    if behind:
        consumer.commit(offsets=behind, asynchronous=False)
        raise SourceTrouble(f"{lost:,} messages were deleted before they were read", again_s=0.0)


def _of(error: Any) -> SourceTrouble:
    """What the client says of the cluster."""
    from confluent_kafka import KafkaError

    silent = (KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT, KafkaError._TIMED_OUT, KafkaError._RESOLVE)
    return SourceTrouble(str(error.str()), cause="source_silent" if error.code() in silent else "source_error")


def _record(message: Message) -> Any:
    kind, stamp = message.timestamp()
    key = message.key()
    came = {
        "topic": message.topic(), "partition": message.partition(), "offset": message.offset(),
        "key": key.decode("utf-8", "replace") if isinstance(key, bytes) else key,
        **({"timestamp": stamp} if kind else {}),
    }  # fmt: skip
    raw = message.value() or b"null"
    try:
        found = orjson.loads(raw)
    except orjson.JSONDecodeError:
        found = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else raw
    return {**(found if isinstance(found, dict) else {"value": found}), "kafka": came}
