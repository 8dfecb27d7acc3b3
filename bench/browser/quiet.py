"""Quiet: whether anybody else used this machine while something was measured."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import TypeVar

import psutil

T = TypeVar("T")

OTHERS_MAX = 0.15
"""Cores that all other processes together may have used, on average, in a run that counts. Those that gave way
(`nice`) are passed over: they take what is left."""
_TRIES = 3


def in_quiet(measure: Callable[[], T]) -> T:
    """What `measure` returns, from a run in which this machine was ours; said and taken as it is where it never was."""
    for attempt in range(_TRIES):
        before, began = _others_s(), time.monotonic()
        found = measure()
        used = sum(seconds - before.get(process, 0.0) for process, seconds in _others_s().items())
        others = used / (time.monotonic() - began)
        if others <= OTHERS_MAX:
            break
        verdict = "measured again" if attempt < _TRIES - 1 else "taken all the same"
        print(f"   other processes used {others:.2f} cores meanwhile: {verdict}", flush=True)
    return found


def _others_s() -> dict[tuple[int, float], float]:
    """Seconds of all cores that each process used that is none of ours, by number and start.

    What is left over when our own are taken from the machine's seconds would hold our own dead too: a browser has a new
    process for each visit.
    """
    me, found = psutil.Process(), dict[tuple[int, float], float]()
    ours = {me.pid, *(one.pid for one in me.children(recursive=True))}
    for one in psutil.process_iter():
        with suppress(psutil.NoSuchProcess):
            if one.pid not in ours and one.nice() <= 0:
                times = one.cpu_times()
                found[one.pid, one.create_time()] = times.user + times.system
    return found
