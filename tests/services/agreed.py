"""Agreed: a contract between two invented parties, and minutes written by hand, for the tests of report and pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, time
from pathlib import Path
from zoneinfo import ZoneInfo

from services.contract.alerting import Alerting
from services.contract.document import Contract, Objective, Party, Reporting, SeverityRule, SupportCalendar
from services.contract.exclusions import Exclusions
from services.measurement.minutes import MINUTE_MS, Minute

ZONE = ZoneInfo("Europe/Berlin")
LATENCY = Objective(
    name="board-latency",
    kind="latency",
    channel="flights.board",
    share=0.95,
    limit=2.0,
    window_days=None,
    point="gateway",
    owner="provider",
    breach="an event that is sent later",
    exception="none",
    degraded="updates at a slower rate",
    binding=True,
    line=10,
)
AVAILABILITY = Objective(
    name="availability",
    kind="availability",
    channel=None,
    share=0.999,
    limit=10.0,
    window_days=28,
    point="probe",
    owner="provider",
    breach="a probe that does not arrive",
    exception="the yearly stock count",
    degraded="none",
    binding=True,
    line=20,
    tolerated_minutes=30,
)
AGREED = Contract(
    path=Path("contract.toml"), name="Live board", phase="production",
    provider=Party("Headwater Ltd", "operations@provider.example"),
    client=Party("Żabka & Söhne", "it@client.example"),
    begins=date(2026, 9, 1), ends=date(2027, 8, 31), period="month", zone=ZONE, objectives=(LATENCY, AVAILABILITY),
    exclusions=Exclusions(), support=SupportCalendar(ZONE, {day: (time(9), time(17)) for day in range(5)},
                                                     frozenset(), "proactive"),
    severities=(SeverityRule("critical", "no viewer sees live values", 1_800, 14_400),),
    alerting=Alerting((), (), 50, 600, 14_400, (), None), reporting=Reporting(0, time(7), (), 90),
)  # fmt: skip


def agreed(**changes: object) -> Contract:
    """The contract with some of its terms changed."""
    return replace(AGREED, **changes)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class Even:
    """A ledger in which every minute since `since` counts the same, but for the minutes that are given by hand."""

    counted: Mapping[str, float]
    given: Mapping[str, Mapping[int, Minute]] = field(default_factory=dict)
    since: int = 0

    def minutes(self, objective: Objective, since: int, until: int) -> Sequence[Minute]:
        total = self.counted.get(objective.name)
        if total is None:
            return []
        given = self.given.get(objective.name, {})
        first = -(-max(since, self.since) // MINUTE_MS) * MINUTE_MS
        return [given.get(at, Minute(at, total, total)) for at in range(first, until, MINUTE_MS)]
