"""Viewers: many of them in one C process, which counts what they got and checks each frame's sequence and values."""

from __future__ import annotations

import json
import math
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from bench.rig.built import client
from bench.rig.cores import LOAD, pinned


class Unsound(AssertionError):
    """A viewer got what it must not get; a figure of such a run would be worth nothing."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What all viewers together got since the last tally.

    `reached` are the ticks that every viewer has, and when the last one got them, in ns of the monotonic clock.
    """

    viewers: int
    frames: int
    bytes: int
    gaps: int
    wrong: int
    merged: int
    snapshots: int
    others: int
    closed: int
    reached: tuple[tuple[int, int], ...]

    def latencies_ms(self, ticked: Mapping[int, int]) -> list[float]:
        """From each tick's commit to its last viewer, the shortest first. Raises Unsound where one is missing."""
        last = dict(self.reached)
        if missing := ticked.keys() - last.keys():
            raise Unsound(f"{len(missing)} of {len(ticked)} ticks did not reach every viewer")
        return sorted((last[seq] - at) / 1e6 for seq, at in ticked.items())

    def sound(self) -> Self:
        """Itself. Raises Unsound where a sequence or a value was wrong, or a viewer was lost."""
        if self.gaps or self.wrong or self.closed:
            raise Unsound(f"gaps {self.gaps}, wrong values {self.wrong}, closed {self.closed}")
        return self


class Viewers:
    """`count` viewers of one server, opened in a `with`."""

    def __init__(
        self, port: int, count: int, channels: Sequence[str], *, deflate: bool = False, greeted: bool = True
    ) -> None:
        self._command = [
            client("viewers", "z"), str(port), str(count), str(int(deflate)), str(int(greeted)), ",".join(channels)
        ]

    def __enter__(self) -> Self:
        self._process = subprocess.Popen(
            self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1, preexec_fn=pinned(LOAD)
        )
        if self._line() != "ready":
            raise Unsound("the viewers could not be opened")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.kill()
        self._process.communicate()

    def _line(self) -> str:
        assert self._process.stdout is not None
        return self._process.stdout.readline().strip()

    def tally(self) -> Tally:
        """What happened since the last one."""
        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return Tally(**json.loads(self._line()))


def at_share(values: Sequence[float], share: float) -> float:
    """The value that `share` of the sorted values do not exceed."""
    return values[min(len(values) - 1, math.ceil(share * len(values)) - 1)]
