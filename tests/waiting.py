"""Waiting: the only place in the tests that sleeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")

PATIENCE_S = 60.0
"""How long a slow machine is waited for; no promise of the product: what promises seconds names them."""

ASKS_EVERY_S = (0.02, 0.1)
"""At first, and after a while: to ask a browser takes it several milliseconds, which whoever is waited for lacks."""


def wait_until(condition: Callable[[], T], timeout_s: float = PATIENCE_S, what: str = "the condition") -> T:
    """Ask again and again until the answer is truthy, and return it; fails with the last answer."""
    deadline = time.monotonic() + timeout_s
    pause_s, longest_s = ASKS_EVERY_S
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"{what}: not within {timeout_s:g} s; last answer: {answer!r}")
        time.sleep(pause_s)
        pause_s = min(1.2 * pause_s, longest_s)


def be_slow(seconds: float) -> None:
    """What makes a server of the tests slow."""
    time.sleep(seconds)


async def slowness(seconds: float) -> None:
    """What makes a link or a reader of the tests slow: never a way to wait for the system under test."""
    await asyncio.sleep(seconds)
