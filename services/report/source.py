"""Source of the built-in feed `contract`: the standing, as records for the SLA page, as soon as it is written anew.

It travels as every feed does, so the page has freshness and its cause for it too.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, Protocol

from services.sources.source import Intake, Source

if TYPE_CHECKING:
    from services.report.standing import ObjectiveStanding, PublicIncident, Standing


class Standings(Protocol):
    """Where the standing is read."""

    def read(self) -> Standing | None: ...


class StandingSource(Source):
    """A record for the contract, each objective and each incident; silent while the contract station is."""

    title = "Measurement of the contract, every 15 seconds"

    def __init__(self, every_s: float = 3.0) -> None:
        self.every_s = every_s
        self._standings: Standings | None = None

    def observe(self, standings: Standings) -> None:
        """Be told where to read; the worker does this before it runs the source."""
        self._standings = standings

    def run(self, intake: Intake) -> None:
        if self._standings is None:
            raise RuntimeError("contract source: call observe(standings) before run")
        told = 0
        while not intake.wait(self.every_s if told else 0.0):
            standing = self._standings.read()
            if standing is None or standing.at <= told:
                told = told or 1  # nothing yet: look again at leisure
                continue
            told = standing.at
            intake.accept(list(records_of(standing)))


def records_of(standing: Standing) -> Iterator[dict[str, Any]]:
    """The standing as records of the feed; their ids make what several workers read one."""
    found = [
        _contract(standing),
        *(_objective(one) for one in standing.objectives),
        *(_incident(one) for one in standing.incidents),
    ]
    for record in found:
        yield {"id": f"{standing.at}-{record['name']}", "created_at": standing.at, **record}


def _contract(standing: Standing) -> dict[str, Any]:
    counted = [one for one in standing.objectives if one.verdict != "nothing counted"]
    burns = [one.burns[0] for one in standing.objectives if one.burns[0] is not None]
    return {
        "kind": "contract",
        "name": "contract",
        "title": standing.contract,
        "phase": "MVP" if standing.phase == "mvp" else standing.phase,
        "period": standing.period,
        "now": standing.state,
        "met": f"{sum(one.verdict in ('met', 'tolerated') for one in counted)} of {len(counted)}",
        "open_incidents": sum(not one.resolved_at for one in standing.incidents),
        **({"burn_1h": max(burns)} if burns else {}),
    }


def _objective(one: ObjectiveStanding) -> dict[str, Any]:
    measured = {
        "measured_percent": _cut(one.share),
        "excluded_percent": _cut(one.excluded_share),
        "budget_percent": _cut(one.budget_left),
        **dict(zip(("burn_1h", "burn_6h", "burn_3d"), one.burns, strict=True)),
    }
    return {
        "kind": "objective",
        "name": one.name,
        "title": one.title,
        "promise": one.sentence,
        "window": one.window,
        "now": one.now,
        "verdict": one.verdict if one.binding or one.verdict == "nothing counted" else f"{one.verdict} (not binding)",
        "target_percent": round(one.target * 100, 9),
        "minutes_down": one.minutes_down,
        **{name: value for name, value in measured.items() if value is not None},
    }


def _incident(one: PublicIncident) -> dict[str, Any]:
    ended = {"ended_at": one.resolved_at} if one.resolved_at else {}
    return {
        "kind": "incident",
        "name": f"incident {one.number}",
        "title": one.concerns,
        "severity": one.severity,
        "now": "over" if one.resolved_at else "open",
        "began_at": one.began_at,
        "means": one.means,
        **ended,
    }


def _cut(share: float | None) -> float | None:
    """A share as per cent, cut and not rounded, as the report prints it."""
    return None if share is None else math.floor(share * 100_000 + 1e-6) / 1_000
