"""A system for tests: ingestion and a processor over a real broker, on a clock that the test moves."""

from __future__ import annotations

from collections.abc import Sequence
from types import ModuleType
from typing import Any

from services.broker import Broker
from services.declare import Declarations
from services.ingestion import Ingestion, Receipt
from services.processor import Processor
from services.state import Data, state_of
from services.telemetry import Telemetry
from tests import feeds

START_MS = 1_700_000_000_000


class System:
    """`post` events, `drain` the processor, read `data` of a channel. Time stands until it is moved."""

    def __init__(self, url: str, *modules: ModuleType, worker: str = "worker-1") -> None:
        self.now_ms = START_MS
        self.url = url
        self.declarations = Declarations.read(modules or (feeds,))
        self.broker = Broker(url, clock=self.clock)
        self.telemetry = Telemetry("test", "worker", self.clock)
        self.ingestion = Ingestion(self.broker, self.declarations, self.telemetry, self.clock)
        self.processor = self.new_processor(worker)

    def clock(self) -> int:
        return self.now_ms

    def new_processor(self, worker: str, broker: Broker | None = None, *, tick_ms: int = 16) -> Processor:
        return Processor(
            broker or self.broker, self.declarations, self.telemetry, worker=worker, tick_ms=tick_ms, clock=self.clock
        )

    def post(self, records: Sequence[Any], feed: str = "orders") -> Receipt:
        return self.ingestion.accept(self.declarations.feeds[feed], records)

    def drain(self) -> None:
        self.processor.drain()

    def data(self, name: str) -> Data:
        """The state of a channel as a viewer's snapshot would show it."""
        ref = self.declarations.resolve(name)
        assert ref is not None, name
        state = state_of(ref.channel.kind, ref.channel.keep)
        state.load(self.broker.read_channel(ref).cells)
        return state.data()

    def close(self) -> None:
        self.broker.close()


def order(number: int, *, shop: str = "north", price: float = 10.0, at: int = START_MS, **more: Any) -> dict[str, Any]:
    """An order event with an id of its own."""
    return {"id": f"e{number}-{at}", "created_at": at, "order": f"o{number}", "shop": shop, "price": price, **more}
