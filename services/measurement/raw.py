"""Raw: what was received of a minute, before anything is concluded from it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, Self

from services.declare import is_of_clients
from services.sheets import Key, Line, Sheet


@dataclass(frozen=True, slots=True)
class ProbeSample:
    """One probe's way through one lane: `took_s` from sending to the viewer, None where it did not arrive in time.

    `place` is where it was sent from, `worker` who leads the lane (empty where nobody said), `fault` what went wrong.
    """

    at: int
    place: str
    lane: str
    worker: str
    took_s: float | None
    fault: str = ""

    def as_json(self) -> list[Any]:
        return [self.at, self.place, self.lane, self.worker, self.took_s, self.fault]

    @classmethod
    def from_json(cls, raw: list[Any]) -> Self:
        return cls(*raw)


@dataclass(frozen=True, slots=True)
class RawMinute:
    """The sheets and probe samples of the minute that begins at `at`."""

    at: int
    sheets: tuple[Sheet, ...] = ()
    probes: tuple[ProbeSample, ...] = ()

    def lines(self, stage: str, channel: str | None, transport: str = "socket") -> list[Line]:
        """The lines of a stage: of a channel, or of all that belong to the client."""
        return [line for key, line in self._found(stage, transport) if _concerns(key, channel)]

    def lines_of(self, stage: str, feed: str, channel: str | None) -> list[Line]:
        """The lines of a stage that come from one feed: of a channel, or of all its channels."""
        found = self._found(stage, "socket")
        return [line for key, line in found if key.channel.partition(".")[0] == feed and _concerns(key, channel)]

    def _found(self, stage: str, transport: str) -> Iterator[tuple[Key, Line]]:
        for sheet in self.sheets:
            for key, line in sheet.lines.items():
                if key.stage == stage and key.transport == transport:
                    yield key, line

    def counted(self, stage: str, channel: str | None) -> int:
        """How much processes themselves counted at a stage."""
        return sum(line.own.count for line in self.lines(stage, channel))

    def has_role(self, role: str) -> bool:
        """Whether a process of that role told anything: `web`, or a part of a worker."""
        return any(sheet.role == role or (role != "web" and role in sheet.role) for sheet in self.sheets)


def _concerns(key: Key, channel: str | None) -> bool:
    """The probe's own channel belongs to no client: it counts only where an objective names it."""
    return is_of_clients(key.channel) if channel is None else key.channel == channel


class Raw(Protocol):
    """Where raw minutes lie: the database, or a file that was exported from one."""

    def began_at(self) -> int | None:
        """The first minute of which anything was received; None where nothing was yet."""

    def received(self, since: int, until: int) -> Mapping[int, int]:
        """How much was received of each of those minutes by now; what was received stays."""

    def minutes(self, since: int, until: int) -> Iterator[RawMinute]:
        """Those minutes from `since` to before `until` of which anything was received, in order."""


@dataclass(frozen=True, slots=True)
class Held:
    """Raw minutes in memory, in order: what was read from a file."""

    began: int | None
    held: tuple[RawMinute, ...]

    def began_at(self) -> int | None:
        return self.began

    def received(self, since: int, until: int) -> Mapping[int, int]:
        return {raw.at: len(raw.sheets) + len(raw.probes) for raw in self.minutes(since, until)}

    def minutes(self, since: int, until: int) -> Iterator[RawMinute]:
        return (raw for raw in self.held if since <= raw.at < until)
