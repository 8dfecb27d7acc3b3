"""Pause-all: which feeds whoever asks may pause for everybody, and the act, for the operations page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from app.doors import Doors
from components.pause_all import PauseAct
from services.accounts.audit import Audit
from services.broker import Broker, Paused
from services.declare import Declarations, is_built_in
from services.positions import Clock


@dataclass(frozen=True, slots=True)
class PauseAll:
    """The pauses of an installation; the audit log keeps each."""

    broker: Broker
    declarations: Declarations
    doors: Doors
    audit: Audit
    clock: Clock

    def feeds(self) -> Mapping[str, Paused | None]:
        """The feeds all of whose channels who asks may pause. Raises BrokerDown."""
        names = self._allowed()
        paused = self.broker.paused(names)
        return {name: paused.get(name) for name in names}

    def act(self, act: PauseAct, feed: str) -> str:
        """Do it in the name of who asks. Raises BrokerDown, or DatabaseDown with nothing done."""
        principal = self.doors.principal()
        if principal is None or feed not in self._allowed():
            return f"There is no feed {feed[:60]!r} that you may pause for everybody."
        self.audit.record("feed_paused" if act == "pause" else "feed_resumed", who=principal.name, subject=feed)
        if act == "pause":
            done = self.broker.pause(feed, Paused(principal.name, self.clock()))
            return f"Paused {feed} for everybody." if done else f"{feed} is paused already."
        return f"Resumed {feed} for everybody." if self.broker.resume(feed) else f"{feed} is live already."

    def _allowed(self) -> list[str]:
        may = self.doors.may()
        of_feed: dict[str, list[str]] = {}
        for channel in self.declarations.channels.values():
            of_feed.setdefault(channel.feed.name, []).append(channel.name)
        return [
            feed for feed, channels in sorted(of_feed.items())
            if not is_built_in(feed) and all(may("pause-all", name) for name in channels)
        ]
