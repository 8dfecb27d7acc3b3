"""Timing: how long an incident took to be answered and resolved, in the hours in which support answers."""

from __future__ import annotations

from dataclasses import dataclass

from services.alerts.incident import Incident
from services.contract.calendar import support_deadline, support_seconds
from services.contract.document import Contract


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing that support owes for an incident: `done_at` is 0 while it is open, `due_at` when it had to be done.

    `taken_s` is support time from detection until it was done, or until now. Times are in ms since the Unix epoch.
    """

    due_at: int
    done_at: int
    allowed_s: int
    taken_s: float

    @property
    def in_time(self) -> bool:
        """Whether it was done within what the contract allows, or still may be."""
        return self.taken_s <= self.allowed_s


@dataclass(frozen=True, slots=True)
class Timing:
    """What is owed for one incident by its severity."""

    response: Answer
    resolution: Answer


def timing_of(incident: Incident, contract: Contract, now: int) -> Timing | None:
    """None where the contract owes nothing for that severity.

    Whoever resolved it without a word before has answered it by that.
    """
    rule = contract.severity(incident.severity)
    if rule is None:
        return None

    def answer(allowed_s: int, done_at: int) -> Answer:
        taken_s = support_seconds(contract.support, incident.detected_at, done_at or now)
        due_at = support_deadline(contract.support, incident.detected_at, allowed_s)
        return Answer(due_at, done_at, allowed_s, taken_s)

    return Timing(
        answer(rule.response_s, incident.acknowledged_at or incident.resolved_at),
        answer(rule.resolution_s, incident.resolved_at),
    )
