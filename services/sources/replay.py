"""Replay: recorded events played again, endlessly, with their clock shifted to now.

Where the replay stands is computed from the wall clock alone: no state to keep, so that a restarted or a
standby worker goes on where the other stopped, and events it sends twice are known by their ids.
"""

from __future__ import annotations

from abc import abstractmethod
from array import array
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from services.sources.source import Intake, Source

_LOOK_EVERY_S = 0.1
_CHUNK = 1_000
_OVERLAP_MS = 5_000


@dataclass(frozen=True, slots=True)
class Recording:
    """Recorded events in order of time. `offsets_ms`: when each plays, from the start of a loop; wall time."""

    offsets_ms: Sequence[int]
    loop_ms: int

    @classmethod
    def of(cls, times_s: Sequence[float], speed: float, gap_max_s: float) -> Recording:
        """Play recorded times (seconds, ascending) at a speed; no gap lasts longer than `gap_max_s` of wall time."""
        offsets, at = array("q"), 0.0
        before = times_s[0]
        for time_s in times_s:
            at += min((time_s - before) / speed, gap_max_s)
            before = time_s
            offsets.append(int(at * 1000))
        return cls(offsets, offsets[-1] + int(gap_max_s * 1000))

    def between(self, after_ms: int, until_ms: int) -> Iterator[tuple[int, int, int]]:
        """(loop, row, wall time in ms) of what plays after one wall time and up to another."""
        for loop in range(after_ms // self.loop_ms, until_ms // self.loop_ms + 1):
            start = loop * self.loop_ms
            first = bisect_right(self.offsets_ms, after_ms - start)
            last = bisect_right(self.offsets_ms, until_ms - start)
            for row in range(first, last):
                yield loop, row, start + self.offsets_ms[row]


class Replay(Source):
    """Plays a recording; `lead_s` of it at once at the start, so that a page opens full."""

    recorded = True

    def __init__(self, title: str, *, lead_s: float) -> None:
        self.title, self.lead_s = title, lead_s
        self._recording: Recording | None = None

    @abstractmethod
    def recording(self) -> Recording:
        """Read the recording; called once, in the worker."""

    @abstractmethod
    def record(self, row: int) -> dict[str, Any]:
        """The fields of a recorded event."""

    def run(self, intake: Intake) -> None:
        self._recording = self._recording or self.recording()  # read once, also where leadership comes back
        recording = self._recording
        # What a former run played last may not be processed yet: overlap a little, ids tell the duplicates.
        played = max(intake.now_ms() - int(self.lead_s * 1000), intake.newest_ms() - _OVERLAP_MS)
        while True:
            now = intake.now_ms()
            due = [
                {"id": f"{loop}-{row}", "created_at": at, **self.record(row)}
                for loop, row, at in recording.between(played, now)
            ]
            for first in range(0, len(due), _CHUNK):
                intake.accept(due[first : first + _CHUNK])
            if not due:
                intake.alive()
            played = now
            if intake.wait(_LOOK_EVERY_S):
                return
