"""Memory: what processes hold, watched from outside while something happens to them."""

from __future__ import annotations

import statistics
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from contextlib import suppress
from itertools import combinations
from pathlib import Path
from typing import Self

import psutil

Reading = Mapping[str, float]
"""Megabytes by name, at one moment."""


def resident_mb(pid: int) -> float:
    """Resident memory of a process with its children, what they share counted once for each; 0 where it is gone."""
    try:
        return sum(float(one.memory_info().rss) for one in _family(pid)) / 1e6
    except psutil.Error:
        return 0.0


def charged_mb(pid: int) -> float:
    """What a container is charged for a process with its children: a page that they share counts once.

    Pages of their own, or shared since a fork, by the share that the kernel gives each; those of files, as libraries
    are, as often as the one that has most of them. Where the kernel does not tell (macOS), resident memory.
    """
    if not Path("/proc/self/smaps_rollup").exists():
        return resident_mb(pid)
    own, files = 0, [0]
    with suppress(psutil.Error, OSError):
        for one in _family(pid):
            found = _kilobytes(f"/proc/{one.pid}/smaps_rollup") | _kilobytes(f"/proc/{one.pid}/status")
            own += found.get("Pss_Anon", 0) + found.get("Pss_Shmem", 0)
            files.append(found.get("RssFile", 0))
    return (own + max(files)) * 1_024 / 1e6


def _family(pid: int) -> list[psutil.Process]:
    process = psutil.Process(pid)
    return [process, *process.children(recursive=True)]


def _kilobytes(path: str) -> dict[str, int]:
    lines = (line.split() for line in Path(path).read_text().splitlines() if line.endswith(" kB"))
    return {name.rstrip(":"): int(amount) for name, amount, _ in lines}


def resident_apart_mb(name: str, pid: int) -> dict[str, float]:
    """Resident memory of a process and of each of its children, by `name` and the last word that started the child."""
    try:
        process = psutil.Process(pid)
        found = {name: float(process.memory_info().rss) / 1e6}
        for child in process.children():
            found[f"{name} {child.cmdline()[-1]}"] = resident_mb(child.pid)
        return found
    except (psutil.Error, IndexError):
        return {}


class MemoryWatch:
    """Reads again and again, in a thread, until it is left."""

    def __init__(self, read: Callable[[], Reading], every_s: float) -> None:
        self._read, self._every_s = read, every_s
        self._stopping = threading.Event()
        self.course: dict[str, list[tuple[float, float]]] = defaultdict(list)
        self._thread = threading.Thread(target=self._run, name="memory-watch", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join(10)

    def _run(self) -> None:
        while not self._stopping.wait(self._every_s):
            at = time.monotonic()
            for name, megabytes in self._read().items():
                if megabytes > 0:
                    self.course[name].append((at, megabytes))

    def is_level(self, span_s: float, by_mb: float) -> bool:
        """Whether everything read has been about the same for so long."""
        courses = [list(course) for course in list(self.course.values())]
        since = time.monotonic() - span_s
        recent = [[mb for at, mb in course if at >= since] for course in courses]
        return bool(courses) and all(
            course[0][0] <= since and held and max(held) - min(held) <= by_mb
            for course, held in zip(courses, recent, strict=True)
        )

    def most(self) -> dict[str, float]:
        """The peak of each."""
        return {name: max(megabytes for _, megabytes in course) for name, course in self.course.items()}

    def growth_mb(self) -> dict[str, float]:
        """Each peak over the first reading."""
        return {name: max(mb for _, mb in course) - course[0][1] for name, course in self.course.items()}


def slope_mb_per_min(course: list[tuple[float, float]]) -> float:
    """The median slope between readings (Theil and Sen), which a single jump does not move."""
    step = max(1, len(course) // 200)
    pairs = combinations(course[::step], 2)
    return 60 * statistics.median((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairs if b[0] - a[0] >= 5)
