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


def prepare_windowed(channel: type[Channel], windows: Windows, event: Mapping[str, Any]) -> Any:
    """The arguments of `Windows.add` for the event, or None where it does not concern the channel."""
    if channel.where is not None and not channel.where.holds(event):
        return None
    group = group_of(channel.by, event)
    if group is None:
        return None
    additions: Additions = windows.additions(event)
    return group, [event[name] for name in channel.by], event["created_at"], event["id"], additions
