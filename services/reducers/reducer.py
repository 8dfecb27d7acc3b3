"""What every reducer does.

It prepares a batch of events (which may fail on a poison one, and then has changed nothing), applies it, and
hands out what changed since the last commit: cells for the broker, data for the viewers.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from services.batch import Batch
from services.declare import Channel
from services.state import Data
from services.windows import Windows

_INTERNAL = ("id", "ingested_at", "clamped", "correlation")


@dataclass(slots=True)
class Change:
    """What one commit changes in a channel. `data` is None where nothing visible changed."""

    data: Data | None
    cells: dict[str, bytes] = field(default_factory=dict)
    dropped: list[str] = field(default_factory=list)


class Prepared(NamedTuple):
    """Events that concern a channel, and what its reducer made of them; nothing where there are none."""

    concerned: Batch
    parts: Any = None


class Reducer(Protocol):
    """Folds events into one channel."""

    too_late: int

    def load(self, cells: Mapping[str, bytes]) -> None:
        """Continue from what the broker holds."""

    def prepare(self, batch: Batch) -> Prepared:
        """What `apply` needs, of the events that concern the channel. Changes nothing; raises on a poison event."""

    def apply(self, prepared: Prepared) -> None:
        """Fold prepared events; cannot fail. Nothing else was applied since they were prepared."""

    def forget(self, field: str, key: str) -> bool:
        """Let go of what is of the events whose field, as text, is the key; whether there was any.

        Goes with the next `take`. A latest tells its viewers by `del`; what log and series lose, no delta can tell.
        """

    def take(self) -> Change | None:
        """What changed since the last call, or None."""


def concerned_by(channel: type[Channel], batch: Batch) -> Batch:
    """The events that pass the channel's condition and hold the fields that it groups by."""
    concerned = batch.where(channel.where)
    for name in channel.by:
        concerned = concerned.having(name)
    return concerned


def row_of(event: Mapping[str, Any]) -> dict[str, Any]:
    """What a viewer sees of an event."""
    row = dict(event)
    for name in _INTERNAL:
        row.pop(name, None)
    return row


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

    def prepare(self, batch: Batch) -> Prepared:
        """The events that belong to a group, and what they make of its windows."""
        concerned = concerned_by(self.channel, batch)
        return Prepared(concerned, self.windows.parts(concerned, self.channel.by) if concerned else None)

    def apply(self, prepared: Prepared) -> None:
        """Fold prepared events."""
        self.windows.add(prepared.parts)
        self._changed = True

    def forget(self, field: str, key: str) -> bool:
        """Let go of the windows of the key's own groups; what others share with it is a number of many."""
        if field not in self.channel.by:
            return False
        gone = self.windows.forget(self.channel.by.index(field), key)
        self._forget_groups(gone)
        self._changed = self._changed or bool(gone)
        return bool(gone)

    def _forget_groups(self, groups: Collection[str]) -> None:
        """What a reducer shows of groups that are gone."""

    def take_changed(self) -> bool:
        """Whether anything was folded since the last call."""
        changed, self._changed = self._changed, False
        return changed
