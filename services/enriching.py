"""Enriching: the events of a led lane through its feed's steps, and their memory in the lane's commits.

What is remembered lies in the broker as the cells of a channel that nobody sees, so that it moves with state and
checkpoint or not at all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from services.batch import Event, Span
from services.broker import MEMORY, Broker, ChannelCommit
from services.declare import FeedSpec, Lane
from services.enrichment import Enrichment, EnrichmentFailed
from services.positions import Times

_NEVER = Times((0, 0), (0, 0), 0, 0)


class Enriching:
    """The steps of a lane's feed, with what they remembered at its checkpoint."""

    def __init__(self, broker: Broker, feed: FeedSpec, lane: Lane) -> None:
        self._broker, self._lane, self._enrichment = broker, lane, Enrichment(feed)
        self._filtered = 0
        self.filtered_span: Span = (0, 0)
        """(event time, ingest time) of the newest event that was left out: it came, all the same."""

    def signatures(self) -> dict[str, str]:
        """What the lane's memory is known by beside its channels; nothing where there is none."""
        return {MEMORY: self._enrichment.signature} if self._enrichment.signature else {}

    def load(self) -> None:
        """Go on with what was committed."""
        if self._enrichment.signature:
            self._enrichment.load(self._broker.read_memory(self._lane))

    def passed(self, events: Sequence[Event], put_aside: Callable[[Event, str], None]) -> Sequence[Event]:
        """The events as their channels see them. What a step leaves out is counted, what it fails on put aside."""
        if not self._enrichment.has_steps:
            return events
        passed = []
        for event in events:
            try:
                found = self._enrichment.passed(event)
            except EnrichmentFailed as failed:
                put_aside(event, str(failed))
                continue
            if found is None:
                self._leave_out(event)
            else:
                passed.append(found)
        return passed

    def _leave_out(self, event: Event) -> None:
        self._filtered += 1
        created, ingested = self.filtered_span
        self.filtered_span = max(created, event["created_at"]), max(ingested, event["ingested_at"])

    def forget(self, key: str) -> None:
        """Let go of what is remembered of a key."""
        self._enrichment.forget(key)

    def take_filtered(self) -> int:
        """How many events were left out since the last commit."""
        taken, self._filtered = self._filtered, 0
        return taken

    def commit(self) -> list[ChannelCommit]:
        """What the memory's part of a commit is, if there is any."""
        cells, dropped = self._enrichment.take()
        if not (cells or dropped):
            return []
        return [ChannelCommit(MEMORY, self._enrichment.signature, 0, b"", _NEVER, _NEVER, 0, cells, dropped)]
