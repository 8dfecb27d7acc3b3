"""Trace: one event's way through the stages, as nouns. It holds no field's value: nothing has to be redacted."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Literal

from services.declare import Lane

Place = Literal["stream", "archive"]
State = Literal["waiting", "processed", "quarantined"]


@dataclass(frozen=True, slots=True)
class Painting:
    """A frame with the event on one viewer's screen; times by the server's clock, in ms since the Unix epoch."""

    viewer: str
    page: str
    channel: str
    epoch: str
    after: int
    seq: int
    sent: int
    received: int
    painted: int

    def shows(self, channel: str, epoch: str, seq: int) -> bool:
        """Whether that seq was in the frame."""
        return (self.channel, self.epoch) == (channel, epoch) and self.after < seq <= self.seq


@dataclass(frozen=True, slots=True)
class Committed:
    """The change of a channel that the event is in. `exact` is False where only the archive's times tell it: then it
    is the first change after the event was accepted."""

    channel: str
    epoch: str
    seq: int
    at: int
    exact: bool


@dataclass(frozen=True, slots=True)
class Trace:
    """One event. `entry` is its place on the lane's stream; `channels` are those that fold it."""

    id: str
    correlation: str
    lane: Lane
    entry: str
    place: Place
    state: State
    created_at: int
    accepted_at: int
    clamped: bool
    channels: tuple[str, ...]
    committed: tuple[Committed, ...]
    painted: tuple[Painting, ...]
    why: str = ""
    """Why it is in quarantine."""

    def as_json(self) -> dict[str, Any]:
        return {**asdict(self), "lane": str(self.lane)}

    def steps(self) -> list[tuple[str, int | None, str]]:
        """Stage, its time where there is one, and what happened, in the order of the stages."""
        clamped = ", set to the time of arrival" if self.clamped else ""
        told: list[tuple[str, int | None, str]] = [
            ("created", self.created_at, f"as its sender stamped it{clamped}"),
            ("accepted", self.accepted_at, f"lane {self.lane}, entry {self.entry}"),
        ]
        if self.state == "quarantined":
            return [*told, ("quarantined", None, self.why)]
        if self.state == "waiting":
            return [*told, ("processed", None, "not yet: it waits on the stream")]
        told += [("processed", one.at, _change(one)) for one in self.committed]
        silent = [name for name in self.channels if name not in {one.channel for one in self.committed}]
        if silent:
            told.append(("processed", None, f"no change is kept of {', '.join(silent)}"))
        for one in self.painted:
            told.append(("sent", one.sent, f"{one.channel} seq {one.seq} to viewer {one.viewer}"))
            told.append(("received", one.received, f"by viewer {one.viewer}"))
            told.append(("painted", one.painted, f"by viewer {one.viewer} on {one.page or 'a page'}"))
        return told if self.painted else [*told, ("painted", None, "not sampled: no browser told of that frame")]


def _change(one: Committed) -> str:
    if one.exact:
        return f"{one.channel} seq {one.seq}, epoch {one.epoch}"
    return f"{one.channel} seq {one.seq} or later, epoch {one.epoch}: the archive tells only times"
