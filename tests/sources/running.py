"""Running: one feed's source under its runner, over a real broker; what it accepted, and what it told."""

from __future__ import annotations

import threading
from typing import Any, Self

import orjson

from services.broker import Broker
from services.declare import Declarations, FeedSpec, Lane
from services.freshness import Progress
from services.ingestion import FeedIntake, Ingestion
from services.positions import wall_clock
from services.processor import Processor
from services.sources.runner import SourceRunner
from services.telemetry import Telemetry
from tests.waiting import PATIENCE_S, wait_until


class Running:
    """A worker that runs a feed's source. Each is a worker of its own: a second one takes over from the first."""

    def __init__(self, url: str, feed: FeedSpec, worker: str = "worker-1") -> None:
        self.feed, self.broker = feed, Broker(url)
        declarations, self.telemetry = Declarations({feed.name: feed}, {}), Telemetry("test", "worker", wall_clock)
        self.ingestion = Ingestion(self.broker, declarations, self.telemetry)
        self._processor = Processor(Broker(url), declarations, self.telemetry, worker=worker)
        self.told: list[tuple[str, str]] = []
        self._stop = threading.Event()
        runner = SourceRunner(self.broker, [feed], self._intake, self._tell, worker=worker)
        self._thread = threading.Thread(target=runner.run, args=(self._stop,))

    def _intake(self, feed: FeedSpec, stop: threading.Event) -> FeedIntake:
        return FeedIntake(self.ingestion, feed, stop, wall_clock)

    def _tell(self, feed: FeedSpec, text: str, cause: str) -> None:
        self.told.append((cause, text))
        self.broker.source_error(Lane(feed.name, 0), text, cause)

    def events(self) -> list[dict[str, Any]]:
        """Every event that was accepted, in the order of acceptance."""
        entries = self.broker.read_entries(Lane(self.feed.name, 0), "0-0", 10_000)
        return [event for entry in entries for event in orjson.loads(entry.events)]

    def values(self, *names: str) -> list[Any]:
        """The fields of the events; of a single name its values alone."""
        events = self.events()
        return [event.get(names[0]) if len(names) == 1 else tuple(map(event.get, names)) for event in events]

    def wait_for(self, count: int, timeout_s: float = PATIENCE_S) -> list[dict[str, Any]]:
        """The events, as soon as there are so many; what was told stands in the failure."""
        wait_until(lambda: len(self.events()) >= count, timeout_s, f"{count} events; told: {self.told}")
        return self.events()

    def wait_told(self, cause: str, part: str, timeout_s: float = PATIENCE_S) -> str:
        """The text of the trouble, as soon as it is told."""
        def found() -> str:
            return next((text for told, text in self.told if told == cause and part in text), "")

        return wait_until(found, timeout_s, f"{cause} with {part!r}; told: {self.told}")

    def progress(self) -> Progress:
        """How the lane stands, with all that was accepted processed."""
        self._processor.drain()
        lane = Lane(self.feed.name, 0)
        return self.broker.lane_progress([lane])[lane]

    def processed(self) -> int:
        return self.progress().processed

    def duplicates(self) -> int:
        return self.progress().duplicates

    def alive_at(self) -> int:
        """When it last gave a sign of life."""
        return self.progress().alive_at

    def until_alive(self, before: int) -> bool:
        """Wait for a sign of life after that."""
        return wait_until(lambda: self.alive_at() > before, what=f"a sign of life; told: {self.told}")

    def rejection(self) -> str:
        """The newest of what was refused, with its reason."""
        return self.progress().rejection

    def wait_rejected(self, reason: str) -> str:
        return wait_until(lambda: (text := self.rejection()).startswith(reason) and text, what=f"a rejection {reason}")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stop.set()
        self._thread.join(10)
        assert not self._thread.is_alive()

    def __exit__(self, *_: object) -> None:
        self.stop()
        self._processor.hand_over()
        self.broker.close()
