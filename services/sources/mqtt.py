"""MQTT: messages of topics, held by the broker until they are accepted here."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import orjson

from services.declare.mapping import SourceMapping
from services.sources.reached import Reached
from services.sources.secret import without_secrets
from services.sources.source import Intake
from services.sources.trouble import SourceTrouble, said_by_system

if TYPE_CHECKING:
    from paho.mqtt.client import Client, MQTTMessage

_LOOK_S = 0.2
_ANSWER_S = 10.0
_KEEPALIVE_S = 30
_ALIVE_EVERY = 5
_CLOSING = 5
_NOT_LET_IN = frozenset({"Bad user name or password", "Not authorized", "Client identifier not valid"})


class Mqtt(Reached):
    """Subscribes to `topics` at `address` (`mqtt://`, or `mqtts://` with TLS); needs `pip install 'headwater[mqtt]'`.

    The session is kept by the broker under `client`, and a message is acknowledged once its event is accepted: with
    `qos=1` what is published while nobody listens comes afterwards, as long as the broker holds it. MQTT numbers no
    messages, so one that is sent again counts twice unless `mapping` makes an id. A JSON object is a record, anything
    else its `value`; `mqtt.topic`, and `mqtt.levels.0` and so on, are where it came from. What the broker retained is
    of no known age, and is taken only where `mapping` has a `created_at`.
    """

    schemes = ("mqtt", "mqtts")
    consumes = True

    def __init__(
        self,
        address: str,
        topics: Sequence[str],
        *,
        client: str,
        qos: int = 1,
        mapping: SourceMapping | None = None,
        title: str = "",
    ) -> None:
        super().__init__()
        self.address, self.topics, self.client, self.qos = address, tuple(topics), client, qos
        mapping = mapping or SourceMapping()
        # a payload's own id names a thing, as likely as a message
        self.mapping = replace(mapping, id=()) if mapping.id is None else mapping
        self._is_dated = mapping.created_at is not None
        self.title = title or f"{', '.join(topics)} of {without_secrets(address)}"

    def run(self, intake: Intake) -> None:
        held: deque[MQTTMessage] = deque()
        client = self._client(held)
        try:
            self._enter(client)
            self._follow(client, held, intake)
        except OSError as error:
            raise SourceTrouble(f"no connection: {said_by_system(error)}", cause="source_silent") from None
        finally:
            _leave(client)

    def _client(self, held: deque[MQTTMessage]) -> Client:
        try:
            from paho.mqtt.client import Client
            from paho.mqtt.enums import CallbackAPIVersion
        except ImportError:
            raise SourceTrouble("the MQTT client is not installed; run pip install 'headwater[mqtt]'") from None
        client = Client(
            CallbackAPIVersion.VERSION2, client_id=self.client, clean_session=False, manual_ack=True,
            reconnect_on_failure=False,
        )  # fmt: skip
        client.on_message = lambda _client, _data, message: held.append(message)
        return client

    def _enter(self, client: Client) -> None:
        """Connect, and subscribe; the broker's own words where it refuses."""
        parts = urlsplit(self.filled(self.address))
        if parts.username:
            client.username_pw_set(unquote(parts.username), unquote(parts.password or ""))
        secure = parts.scheme == "mqtts"
        if secure:
            client.tls_set()
        answers: dict[str, Any] = {}
        client.on_connect = lambda *given: answers.update(connected=given[3])
        client.on_subscribe = lambda *given: answers.update(subscribed=given[3])
        client.connect(parts.hostname or "", parts.port or (8883 if secure else 1883), _KEEPALIVE_S)
        self._turn_until(client, answers, "connected")
        if answers["connected"].is_failure:
            raise self._refused(answers["connected"])
        client.subscribe([(topic, self.qos) for topic in self.topics])
        self._turn_until(client, answers, "subscribed")
        refused = [topic for topic, code in zip(self.topics, answers["subscribed"], strict=False) if code.is_failure]
        if refused:
            raise SourceTrouble(f"not let subscribe to {', '.join(refused)}")

    def _turn_until(self, client: Client, answers: dict[str, Any], wanted: str) -> None:
        for _ in range(round(_ANSWER_S / _LOOK_S)):
            self._turn(client, answers)
            if wanted in answers:
                return
        raise SourceTrouble(f"no answer in {_ANSWER_S:g} s", cause="source_silent")

    def _turn(self, client: Client, answers: Mapping[str, Any]) -> None:
        """Read and write what is there to be read and written."""
        from paho.mqtt.client import MQTT_ERR_SUCCESS, error_string

        code = client.loop(_LOOK_S)
        if code != MQTT_ERR_SUCCESS:
            if "connected" in answers and answers["connected"].is_failure:
                raise self._refused(answers["connected"])
            raise SourceTrouble(f"the connection was cut: {error_string(code)}", cause="source_silent")

    def _refused(self, reason: Any) -> SourceTrouble:
        return SourceTrouble(str(reason), cause="source_error" if str(reason) in _NOT_LET_IN else "source_silent")

    def _follow(self, client: Client, held: deque[MQTTMessage], intake: Intake) -> None:
        quiet = 0
        while not intake.wait(0):
            self._turn(client, {})
            if not held:
                quiet += 1
                if quiet % _ALIVE_EVERY == 0:
                    intake.alive()
                continue
            messages = [held.popleft() for _ in range(len(held))]
            taken = [one for one in messages if self._is_dated or not one.retain]
            intake.accept([_record(one) for one in taken])
            if intake.wait(0):
                return  # perhaps not accepted: the broker sends them to who comes next
            for message in messages:
                client.ack(message.mid, message.qos)

    def problem(self) -> tuple[str, object, str] | None:
        if not self.topics or not all(self.topics):
            return "source.topics", self.topics, 'name topics, such as ["plant/+/temperature"]'
        if not self.client:
            return "source.client", self.client, "give a client id, of this feed alone: the broker keeps its session"
        if self.qos not in (0, 1):
            return "source.qos", self.qos, "give 0 or 1; who recognises a resend by its id needs no 2"
        return super().problem()


def _leave(client: Client) -> None:
    """Say so, and close the socket as soon as the broker did."""
    client.disconnect()
    for _ in range(_CLOSING):
        if client.socket() is None:
            return
        client.loop(_LOOK_S)


def _record(message: MQTTMessage) -> Any:
    came = {"topic": message.topic, "levels": message.topic.split("/"), "retained": message.retain}
    try:
        found = orjson.loads(message.payload)
    except orjson.JSONDecodeError:
        found = message.payload.decode("utf-8", "replace")
    return {**(found if isinstance(found, dict) else {"value": found}), "mqtt": came}
