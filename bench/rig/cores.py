"""Cores: servers on one, everything that loads them on the other; where there is only one, all on that."""

from __future__ import annotations

import os
from collections.abc import Callable

_ALL = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
SERVER, LOAD, BOTH = frozenset(_ALL[:1]), frozenset(_ALL[-1:]), frozenset(_ALL[:1] + _ALL[-1:])


def pin(cores: frozenset[int]) -> None:
    """Keep this process, and what it starts from now on, on these cores."""
    if cores:
        os.sched_setaffinity(0, cores)


def pinned(cores: frozenset[int]) -> Callable[[], None]:
    """The same for a child, as `preexec_fn`."""
    return lambda: pin(cores)
