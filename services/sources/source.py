"""Source: what a feed declares about where its records come from, and what a running one may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:  # a feed's declaration names its source, and so comes after it
    from services.declare.mapping import SourceMapping
    from services.sources.signature import Signature


class Intake(Protocol):
    """What a running source is given: the way into ingestion, a clock, and the word to stop."""

    def now_ms(self) -> int:
        """The server's time in milliseconds since the Unix epoch."""

    def accept(self, records: Sequence[Any], position: str | None = None) -> None:
        """Hand records over; waits while ingestion refuses them for load, so none is lost.

        `position`: where the source stands after them; kept as soon as all of them are accepted.
        """

    def position(self) -> str | None:
        """Where the source stood at the last records that were accepted, in any process; None at the first start."""

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
    derived: bool = False
    """Whether a worker makes it from other channels: then nobody runs it, and nobody posts to it."""
    mapping: SourceMapping | None = None
    """Where the feed's fields stand in what it gives; None where records have the feed's own shape."""

    consumes: bool = False
    """Whether who reads it takes records away from whoever reads next: then it is run for its feed alone."""
    place: str = ""
    """What its positions are positions in (a table, a file); those of another place are not resumed from."""

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables of the environment that it needs as it runs."""
        return ()

    def hidden(self, text: str) -> str:
        """A text of its trouble, without its secrets."""
        return text

    def split(self, answer: Any) -> list[Any]:
        """The records of one answer: a list of them, one, or what the mapping finds. Raises LookupError."""
        if self.mapping is not None:
            return self.mapping.split(answer)
        return answer if isinstance(answer, list) else [answer]

    def problem(self) -> tuple[str, object, str] | None:
        """What of its own declaration cannot be meant: `source.<name>`, value and remedy; None where all is well."""
        return None

    @property
    def posted(self) -> bool:
        """Whether events are posted to it."""
        return not (self.pulled or self.derived)

    def run(self, intake: Intake) -> None:
        """Read records until `intake.wait` says stop. An exception is shown as the source's error."""
        raise TypeError(f"{type(self).__name__}: a pulled source defines run(intake)")


class Http(Source):
    """Records are posted to `/api/ingest/<feed>`; an empty array is a sign of life.

    Who posts has an ingest key, or signs as `signed` says: that is for webhooks of services that know no key.
    """

    pulled = False

    def __init__(
        self, title: str = "HTTP ingest", *, mapping: SourceMapping | None = None, signed: Signature | None = None
    ) -> None:
        self.title, self.mapping, self.signed = title, mapping, signed

    @property
    def variables(self) -> tuple[str, ...]:
        return () if self.signed is None else self.signed.variables

    def problem(self) -> tuple[str, object, str] | None:
        return None if self.signed is None else self.signed.problem()
