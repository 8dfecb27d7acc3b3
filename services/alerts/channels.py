"""Channels: the rule that reads the channels which thresholds are declared on, as the broker holds them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Protocol

from services.alerts.finding import Finding
from services.alerts.sight import Sight
from services.alerts.thresholds import Reading, Thresholds, reading_of
from services.broker import StoredChannel
from services.contract.alerting import ThresholdRule
from services.declare import ChannelRef, Declarations
from services.state import state_of

KEYS = ("threshold:", "no-event:")


class Stored(Protocol):
    """The part of the broker that holds channels."""

    def read_channel(self, ref: ChannelRef) -> StoredChannel: ...


class Channels:
    """Limits on values of channels. Raises BrokerDown."""

    def __init__(
        self, stored: Stored, declarations: Declarations, declared: Sequence[ThresholdRule], no_data_after_s: int
    ) -> None:
        self._stored, self._declarations, self._declared = stored, declarations, declared
        self._thresholds = Thresholds(declared, no_data_after_s)

    def look(self, sight: Sight) -> Iterator[Finding]:
        """What is beyond its limit now; each channel is read once."""
        refs = {one.channel: self._declarations.resolve(one.channel) for one in self._declared}
        stored = {name: self._stored.read_channel(ref) for name, ref in refs.items() if ref is not None}
        readings = {}
        for threshold in self._declared:
            ref = refs[threshold.channel]
            if ref is not None:
                readings[threshold.name] = _reading(ref, threshold, stored[threshold.channel])
        return self._thresholds.look(readings, sight)


def _reading(ref: ChannelRef, threshold: ThresholdRule, stored: StoredChannel) -> Reading:
    channel = ref.channel
    state = state_of(channel.kind, channel.keep)
    state.load(stored.cells)
    event_at = 0 if stored.times is None else stored.times.created[1]
    return reading_of(channel, channel.columns()[threshold.field], state.data(), event_at)
