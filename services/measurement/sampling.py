"""Sampling: what is measured by looking once a second: each feed's backlog, and the age of each channel."""

from __future__ import annotations

from services.broker import Broker
from services.declare import ChannelRef, Declarations, is_of_clients
from services.freshness import Verdict, judge
from services.positions import Clock
from services.telemetry import Telemetry

UPSTREAM = frozenset({"source_silent", "source_late", "source_error", "rejecting"})
"""Causes of lateness that lie before ingestion."""


class Sampler:
    """Looks at the broker as a viewer's heartbeat does; a second in which it cannot look is not sampled."""

    def __init__(self, broker: Broker, declarations: Declarations, telemetry: Telemetry, clock: Clock) -> None:
        self._broker, self._declarations, self._telemetry, self._clock = broker, declarations, telemetry, clock
        self._refs = [ChannelRef(one) for one in declarations.channels.values() if one.partition is None]

    def step(self) -> None:
        """One look. Raises BrokerDown."""
        now = self._clock()
        progress = self._broker.lane_progress(self._declarations.lanes())
        backlogs = dict.fromkeys(self._declarations.feeds, 0)
        for lane, told in progress.items():
            backlogs[lane.feed] += told.backlog
        clients = (backlog for feed, backlog in backlogs.items() if is_of_clients(feed))
        self._telemetry.note("backlog", max(clients, default=0))
        for channel in self._declarations.channels.values():
            self._telemetry.note("backlog", backlogs[channel.feed.name], channel=channel.name)
        for ref, head in self._broker.read_heads(self._refs).items():
            event_at = head.times.created[1] if head.times is not None else 0
            verdict = judge(ref.channel.freshness, progress.get(ref.lane), event_at=event_at, now=now)
            self._note_age(ref.channel.name, verdict, (now - event_at) / 1000 if event_at else 0.0)

    def _note_age(self, channel: str, verdict: Verdict, age_s: float) -> None:
        if verdict.state == "quiet":
            age_s = 0.0
        self._telemetry.note("event_age_upstream" if verdict.cause in UPSTREAM else "event_age", age_s, channel=channel)
