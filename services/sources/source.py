"""Source: what a feed declares about where its records come from, and what a running one may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Intake(Protocol):
    """What a running source is given: the way into ingestion, a clock, and the word to stop."""

    def now_ms(self) -> int:
        """The server's time in milliseconds since the Unix epoch."""

    def accept(self, records: Sequence[Any]) -> None:
        """Hand records over; waits while ingestion refuses them for load, so none is lost."""

    def newest_ms(self) -> int:
        """The time of the feed's newest processed event, to resume from; 0 where there is none."""

    def alive(self) -> None:
        """Give a sign of life without data."""

    def wait(self, seconds: float) -> bool:
        """Wait; True as soon as the source is to stop."""


class Source:
    """A place that records come from. Its `run` is called in the one worker that leads the feed."""

    title: str = ""
    """What a page says the data is."""
    recorded: bool = False
    """Recorded data, replayed: labelled so on every page and export."""
    pulled: bool = True
    """Whether a worker runs it; a pushed source (HTTP ingest) is only listened to."""

    def run(self, intake: Intake) -> None:
        """Read records until `intake.wait` says stop. An exception is shown as the source's error."""
        raise TypeError(f"{type(self).__name__}: a pulled source defines run(intake)")


class Http(Source):
    """Records are posted to `/api/ingest/<feed>`; an empty array is a sign of life."""

    pulled = False

    def __init__(self, title: str = "HTTP ingest") -> None:
        self.title = title
