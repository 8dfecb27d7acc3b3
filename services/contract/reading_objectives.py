"""Reading of objectives: what is promised, where it is measured, and which exclusions can touch it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.contract.clauses import File, ObjectiveClause
from services.contract.document import OVERALL, POINTS, Kind, Objective, Point
from services.contract.exclusions import ExclusionKind, Exclusions
from services.contract.places import Path as Place
from services.contract.refusals import Refusals
from services.contract.sentences import breach_of, degraded_of
from services.declare import Declarations

_MEASURED: dict[ExclusionKind, frozenset[Kind]] = {
    "upstream": frozenset({"latency", "freshness", "update_interval"}),
    "viewer_network": frozenset({"latency", "freshness", "reconnect", "first_value"}),
}
"""Exclusions that are measured; the others are intervals of time and apply to every kind."""


def applies(kind: ExclusionKind, objective: Kind, point: Point) -> bool:
    """Whether an exclusion can touch what such an objective counts.

    At the gateway an event counts from its receipt until it is sent: neither upstream nor the viewer's network is in
    it, so there is nothing to exclude.
    """
    kinds = _MEASURED.get(kind)
    if kinds is None:
        return True
    return objective in kinds and not (objective == "latency" and point == "gateway")


def read_objectives(
    file: File, exclusions: Exclusions, declarations: Declarations, refusals: Refusals
) -> tuple[Objective, ...]:
    """All objectives in the order of the file."""
    refusals.unique(("objective",), (one.name for one in file.objective))
    production = file.contract.phase == "production"
    return tuple(
        _Reading(("objective", number), said, exclusions, declarations, refusals).objective(production)
        for number, said in enumerate(file.objective)
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    at: Place
    said: ObjectiveClause
    exclusions: Exclusions
    declarations: Declarations
    refusals: Refusals

    def objective(self, production: bool) -> Objective:
        said, point, limit = self.said, self._point(), self._limit()
        self._check(production)
        return Objective(
            name=said.name,
            kind=said.kind,
            channel=said.channel,
            share=float(Decimal(repr(said.target_percent)) / 100),
            limit=limit,
            window_days=said.window_days,
            point=point,
            owner=said.owner,
            breach=said.breach or breach_of(said.kind, point, limit),
            exception=said.exception,
            degraded=degraded_of(said.degraded),
            binding=production and said.binding is not False,
            line=self.refusals.line(self.at),
            tolerated_minutes=said.tolerated_minutes,
            excluding=self._excluding(point),
        )

    def _check(self, production: bool) -> None:
        said = self.said
        if said.channel is not None and said.kind in OVERALL:
            self.refusals.add((*self.at, "channel"), said.channel, f"{said.kind} belongs to no channel; leave it out")
        elif said.channel is not None:
            self.refusals.known((*self.at, "channel"), said.channel, self.declarations.channels, "channel")
        if said.binding and not production:
            self.refusals.add((*self.at, "binding"), True, "nothing binds in phase mvp; leave it out")
        if said.tolerated_minutes and said.exception == "none":
            self.refusals.add((*self.at, "tolerated_minutes"), said.tolerated_minutes, "say with exception = what for")

    def _point(self) -> Point:
        said, points = self.said, POINTS[self.said.kind]
        if said.measured_at is None:
            if len(points) > 1:
                self.refusals.missing((*self.at, "measured_at"), f"say where: {' or '.join(points)}")
            return points[0]
        if said.measured_at not in points:
            remedy = f"{said.kind} is measured at {' or '.join(points)}"
            self.refusals.add((*self.at, "measured_at"), said.measured_at, remedy)
        return said.measured_at

    def _limit(self) -> float:
        limits: dict[str, float | None] = {"within_s": self.said.within_s, "within_events": self.said.within_events}
        wanted, other = ("within_events", "within_s") if self.said.kind == "backlog" else ("within_s", "within_events")
        if limits[other] is not None:
            self.refusals.add((*self.at, other), limits[other], f"{self.said.kind} is limited by {wanted}")
        if limits[wanted] is None:
            self.refusals.missing((*self.at, wanted), f"{self.said.kind} needs {wanted} = <limit>")
        return float(limits[wanted] or 0)

    def _excluding(self, point: Point) -> tuple[ExclusionKind, ...]:
        kinds, said = self.exclusions.kinds, self.said
        if said.excluding is None:
            return tuple(sorted(kind for kind in kinds if applies(kind, said.kind, point)))
        for kind in said.excluding:
            if kind not in kinds:
                self.refusals.add((*self.at, "excluding"), kind, f"give its rule, [exclusions.{kind}]")
            elif not applies(kind, said.kind, point):
                remedy = f"no part of {said.kind} measured at {point}; leave it out"
                self.refusals.add((*self.at, "excluding"), kind, remedy)
        return tuple(sorted(set(said.excluding)))
