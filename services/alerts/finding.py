"""Finding: what a rule sees that it should not. Rules find, the watch decides what becomes an alert."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from services.contract.document import Owner, Severity

Stage = Literal["source", "worker", "broker", "gateway", "browser", "database", "measurement", "unknown"]
"""Where a cause lies on the path of an event."""

SEVERITIES: tuple[Severity, ...] = ("minor", "major", "critical")
"""From the mildest on."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A condition that holds now.

    `key` names the condition and never repeats while it holds; findings of one `topic` are told together, as one
    incident. `since` is when it began, as measured; it becomes an alert when seen for `for_ms`. `text` says what
    changed, where, and whether viewers are affected.
    """

    key: str
    topic: str
    severity: Severity
    stage: Stage
    text: str
    since: int
    for_ms: int = 0
    objective: str | None = None
    channel: str | None = None
    owner: Owner = "provider"


def worst(severities: Iterable[Severity]) -> Severity:
    """The most severe of them; minor where there is none."""
    return max(severities, key=SEVERITIES.index, default="minor")


def is_worse(one: Severity, other: Severity | None) -> bool:
    """Whether `one` is more severe than `other`; anything is worse than nothing."""
    return other is None or SEVERITIES.index(one) > SEVERITIES.index(other)
