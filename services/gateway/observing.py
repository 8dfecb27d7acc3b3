"""Observing: how long events took to be sent, and how often a channel changed; which channels are always observed."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from services.broker import StoredDelta
from services.declare import ChannelRef, is_built_in
from services.gateway.publications import Publication
from services.positions import Clock
from services.telemetry import Telemetry


class Observer:
    """Tells telemetry of every delta that was sent, or that is ready to be, where a channel has an objective."""

    def __init__(self, telemetry: Telemetry, clock: Clock) -> None:
        self._telemetry, self._clock = telemetry, clock
        self.always: Collection[ChannelRef] = frozenset()

    def sent(self, deltas: Iterable[tuple[Publication, StoredDelta]]) -> None:
        """Deltas of one write; told after it, so that it delays none."""
        now = self._clock()
        for publication, delta in deltas:
            channel, times = delta.ref.channel.name, delta.times
            waited_s = max(0, now - times.processed) / 1000
            if not is_built_in(channel):
                self._telemetry.observe("processed_to_sent", waited_s, times.events)
            self._telemetry.note("processed_to_sent", waited_s, times.events, channel)
            self._telemetry.note("ingested_to_sent", (now - times.ingested[0]) / 1000, times.events, channel)
            if publication.observed_at:
                self._telemetry.note("update_interval", (now - publication.observed_at) / 1000, 1, channel)
            publication.observed_at = now
