"""Dyno: a control group of 512 MB and 256 threads around the web processes, as small hosts give them."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

MEMORY_BYTES, THREADS = 512 * 1024 * 1024, 256
_GROUPS = Path("/sys/fs/cgroup")


@dataclass(frozen=True, slots=True)
class Dyno:
    """`command` starts what follows it inside; empty where this machine lets us make no group."""

    command: tuple[str, ...]
    how: str


@contextmanager
def small_dyno(which: str = "web") -> Iterator[Dyno]:
    """A group of our own, version 2 or 1, for `which` of several; its limits are the kernel's to enforce."""
    name = f"headwater-bench-{os.getpid()}-{which}"
    limits = _limits(name)
    made: list[Path] = []
    try:
        for path, value in limits.items():
            if path.parent not in made:
                path.parent.mkdir()
                made.append(path.parent)
            path.write_text(str(value))
    except OSError as refusal:
        _remove(made)
        yield Dyno((), f"no control group here ({refusal.strerror}): memory and threads are only counted")
        return
    try:
        enter = " && ".join(f"echo $$ > {folder}/cgroup.procs" for folder in made)
        yield Dyno(("/bin/sh", "-c", f'{enter} && exec "$@"', "sh"), "limits by control group")
    finally:
        _remove(made)


def _limits(name: str) -> dict[Path, int]:
    if (_GROUPS / "cgroup.controllers").exists():
        return {_GROUPS / name / "memory.max": MEMORY_BYTES, _GROUPS / name / "pids.max": THREADS}
    return {
        _GROUPS / "memory" / name / "memory.limit_in_bytes": MEMORY_BYTES, _GROUPS / "pids" / name / "pids.max": THREADS
    }


def _remove(made: list[Path]) -> None:
    for folder in made:
        for _ in range(50):  # the kernel lets a group go a moment after its last process
            with contextlib.suppress(OSError):
                folder.rmdir()
                break
            time.sleep(0.1)
