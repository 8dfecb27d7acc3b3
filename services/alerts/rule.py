"""Rule: one kind of trouble that a watch looks for, and the beginnings of the keys that its findings have."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from services.alerts.builtin import (
    Shedding,
    backlogs,
    broker_down,
    broker_full,
    database_down,
    nobody_watches,
    without_worker,
)
from services.alerts.finding import Finding
from services.alerts.sight import Sight

Look = Callable[[Sight], Iterable[Finding]]
"""Raises BrokerDown or DatabaseDown where it could not look."""


@dataclass(frozen=True, slots=True)
class Rule:
    """`look` finds; where it needs the broker it is not asked while that is down."""

    keys: tuple[str, ...]
    look: Look
    needs_broker: bool = True


BROKER_DOWN = Rule(("broker:down",), broker_down, needs_broker=False)
DATABASE_DOWN = Rule(("database:down",), database_down, needs_broker=False)
WITHOUT_WORKER = Rule(("lane:",), without_worker)
NOBODY_WATCHES = Rule(("watch:",), nobody_watches)


def everywhere() -> list[Rule]:
    """What every worker looks for, also one that leads nothing: without a broker nobody does."""
    return [BROKER_DOWN]


def by_web() -> list[Rule]:
    """What web looks for, since no worker may be there to do it."""
    return [BROKER_DOWN, WITHOUT_WORKER, NOBODY_WATCHES]


def in_sight() -> list[Rule]:
    """What the one worker that leads alerts looks for in the broker and around it."""
    return [
        DATABASE_DOWN,
        Rule(("broker:full",), broker_full),
        WITHOUT_WORKER,
        Rule(("watch:",), lambda _: ()),  # it watches, so somebody does
        Rule(("backlog:",), backlogs),
        Rule(("shed:",), Shedding().look),
    ]
