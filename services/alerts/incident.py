"""Incident: one trouble from its first moment to its last, as the report and the status page tell it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from services.contract.document import Owner, Severity


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are milliseconds since the Unix epoch; 0 is not yet.

    `stage` is where the cause lies (source, worker, broker, gateway, database, …), `text` says what changed, where, and
    whether viewers are affected; `minutes_down` is counted by the objective, not by the clock of who noticed.

    `began_at` is when it could be measured first, `detected_at` when an alert fired; `mitigated_at` when all its alerts
    had ended, or a person said so; `resolved_at` when it had stayed so, or a person closed it. `topic` is what its
    alerts have in common.
    """

    id: int
    severity: Severity
    objective: str | None
    stage: str
    text: str
    began_at: int
    detected_at: int
    acknowledged_at: int
    mitigated_at: int
    resolved_at: int
    owner: Owner
    acknowledged_by: str
    topic: str = ""
    channel: str | None = None


What = Literal["detected", "worse", "again", "acknowledged", "mitigated", "resolved", "owner", "note", "told"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an incident's timeline; `person` is '' where Headwater did it."""

    at: int
    what: What
    person: str
    text: str
