"""What every reducer does.

It prepares an event (which may fail on a poison one, and then has changed nothing), applies it, and hands
out what changed since the last commit: cells for the broker, data for the viewers.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from services.declare import Channel
from services.state import Data
from services.windows import Additions, Windows, group_of

_INTERNAL = ("id", "ingested_at", "clamped")


@dataclass(slots=True)
class Change:
    """What one commit changes in a channel. `data` is None where nothing visible changed."""

    data: Data | None
    cells: dict[str, bytes] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


class Reducer(Protocol):
    """Folds events into one channel."""

    too_late: int

    def load(self, cells: Mapping[str, bytes]) -> None:
        """Continue from what the broker holds."""

    def prepare(self, event: Mapping[str, Any]) -> Any:
        """What `apply` needs, or None where the event does not concern the channel. Changes nothing."""

    def apply(self, prepared: Any) -> None:
        """Fold a prepared event."""

    def take(self) -> Change | None:
        """What changed since the last call, or None."""


def row_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a viewer sees of an event."""
    return {name: value for name, value in event.items() if name not in _INTERNAL}


class Windowed:
    """What reducers of windows share: they prepare and apply alike, and differ in what they show."""

    def __init__(self, channel: type[Channel]) -> None:
        self.channel, self.windows = channel, Windows(channel)
        self._changed = False

    @property
    def too_late(self) -> int:
        """Events that came after their window could be corrected."""
        return self.windows.too_late

    @too_late.setter
    def too_late(self, events: int) -> None:
        self.windows.too_late = events

    def prepare(self, event: Mapping[str, Any]) -> Any:
        """The arguments of `Windows.add` for the event, or None where it does not concern the channel."""
        if self.channel.where is not None and not self.channel.where.holds(event):
            return None
        by = self.channel.by
        group = group_of(by, event)
        if group is None:
            return None
        additions: Additions = self.windows.additions(event)
        return group, [event[name] for name in by], event["created_at"], event["id"], additions

    def apply(self, prepared: Any) -> None:
        """Fold a prepared event."""
        self.windows.add(*prepared)
        self._changed = True

    def take_changed(self) -> bool:
        """Whether anything was folded since the last call."""
        changed, self._changed = self._changed, False
        return changed
