"""Incident: one trouble from its first moment to its last, as the report and the status page tell it."""

from __future__ import annotations

from dataclasses import dataclass

from services.contract.document import Owner, Severity


@dataclass(frozen=True, slots=True)
class Incident:
    """Times are milliseconds since the Unix epoch; 0 is not yet.

    `stage` is where the cause lies (source, worker, broker, gateway, database, …), `text` says what changed, where, and
    whether viewers are affected; `minutes_down` is counted by the objective, not by the clock of who noticed.
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
