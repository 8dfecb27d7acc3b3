"""Degraded: what viewers have while something is not as it should be: a slower rate, long poll."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import requests

from services.acceptance.outcome import Outcome, judged
from services.acceptance.staging import TIMEOUT_S, Staging
from services.contract.document import Degraded

NAME = "degraded-modes"
SLOW_S = 4.0
"""So long a slow viewer takes nothing, while much comes."""
SLOW_TURNS, SLOW_KEYS = 30, 20


def degraded(staging: Staging, modes: frozenset[Degraded], within_s: float) -> Outcome:
    """Each mode that the contract promises; that a last value stays and is marked is the stale warning's criterion."""
    looks: Mapping[Degraded, Callable[[Staging, float], str]] = {"long_poll": _by_long_poll, "slower_rate": _slowly}
    faults, seen = [], []
    for mode, look in looks.items():
        if mode not in modes:
            continue
        fault = look(staging, within_s)
        seen.append(mode.replace("_", " "))
        if fault:
            faults.append(f"{mode.replace('_', ' ')}: {fault}")
    said = "; ".join(faults) or f"{', '.join(seen) or 'none is promised'}: values are right and in time"
    return judged(NAME, not faults, said)


def _by_long_poll(staging: Staging, within_s: float) -> str:
    """What is wrong where WebSockets are blocked; nothing where an event comes by long poll."""
    key = f"accept-{uuid4().hex[:8]}"
    name, headers = staging.channel.name, {"Cookie": staging.cookie} if staging.cookie else {}
    position: dict[str, Any] | None = None
    rows, posted, began = dict[str, object](), False, time.monotonic()
    while time.monotonic() - began < within_s + TIMEOUT_S:
        body: dict[str, Any] = {"op": "subscribe", "channels": {name: position}, "wait_s": 1}
        answer = requests.post(f"{staging.url}/api/changes", json=body, headers=headers, timeout=TIMEOUT_S)
        if answer.status_code != 200:
            return f"answered {answer.status_code}"
        for frame in answer.json():
            if frame.get("channel") == name and "data" in frame:
                position = {"epoch": frame["epoch"], "seq": frame["seq"]}
                rows |= frame["data"].get("rows", frame["data"].get("set", {}))
        if position is not None and not posted:
            posted, began = True, time.monotonic()
            staging.post([staging.event(key, 1)])
        elif key in rows:
            took = time.monotonic() - began
            return "" if took <= within_s + 1 else f"an event took {took:.1f} s"
    return "an event did not come" if posted else "no snapshot came"


def _slowly(staging: Staging, within_s: float) -> str:
    """What is wrong with a viewer that takes nothing for a while; nothing where it ends with the newest values."""
    viewer, token = staging.opened(), uuid4().hex[:8]
    keys, began = [f"accept-{token}-{number}" for number in range(SLOW_KEYS)], time.monotonic()
    newest: dict[str, int] = {}
    for turn in range(SLOW_TURNS):
        newest = {key: turn * SLOW_KEYS + number for number, key in enumerate(keys)}
        staging.post([staging.event(key, number) for key, number in newest.items()])
        time.sleep(max(0.0, began + SLOW_S * turn / SLOW_TURNS - time.monotonic()))
    wrong, since = set(newest), time.monotonic()
    while wrong and time.monotonic() - since < within_s + TIMEOUT_S:
        viewer.look(0.5)
        wrong = {key for key, number in newest.items() if not staging.shows(viewer, key, number)}
    gaps = viewer.gaps
    viewer.drop()
    if wrong:
        return f"{len(wrong)} of {SLOW_KEYS} rows of a slow viewer are not the newest"
    return f"a slow viewer was sent {gaps} gaps" if gaps else ""
