"""Courier: carries what is in the outbox to the sinks, again and again until it arrives."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import structlog

from services.alerts.message import Message
from services.alerts.outbox import Delivery, Outbox
from services.alerts.sinks import Sender, SinkError, sender_of
from services.contract.alerting import Sink
from services.positions import Clock

AT_ONCE_MAX = 20
"""How many deliveries one step tries: each may take as long as its sink lets it."""

log = structlog.get_logger("alerts")


class Courier:
    """Any number of them may work on one outbox. `patience_ms` leaves what is just due to others."""

    def __init__(
        self,
        outbox: Outbox,
        sinks: Sequence[Sink],
        environment: Mapping[str, str],
        clock: Clock,
        *,
        patience_ms: int = 0,
    ) -> None:
        self._outbox, self._sinks = outbox, {sink.name: sink for sink in sinks}
        self._environment, self._clock, self._patience_ms = environment, clock, patience_ms

    def step(self) -> int:
        """Try what is due; how many arrived. Raises DatabaseDown."""
        arrived = 0
        for _ in range(AT_ONCE_MAX):
            delivery = self._outbox.take(self._clock(), patience_ms=self._patience_ms, sinks=list(self._sinks))
            if delivery is None:
                break
            arrived += self._try(delivery)
        return arrived

    def _try(self, delivery: Delivery) -> bool:
        try:
            self._sender(delivery.sink).send(delivery.message, delivery.reference)
        except SinkError as error:
            retry_after_ms = int(1_000 * error.retry_after_s)
            next_at = self._outbox.failed(delivery, self._clock(), str(error), retry_after_ms)
            told = "message not delivered, it is tried again" if next_at else "message given up"
            log.warning(told, sink=delivery.sink, attempt=delivery.attempts, error=str(error))
            return False
        self._outbox.delivered(delivery, self._clock())
        return True

    def _sender(self, name: str) -> Sender:
        return sender_of(self._sinks[name], self._environment)

    def send_now(self, message: Message, sink: str) -> None:
        """Send outside the outbox, and record what became of it. Raises SinkError."""
        at = self._clock()
        try:
            self._sender(sink).send(message, f"{at}-{sink}")
        except SinkError as error:
            self._outbox.record(message, sink, at, str(error))
            raise
        self._outbox.record(message, sink, at)
