"""Reading of objectives: what is promised, where it is measured, and which exclusions can touch it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from services.contract.clauses import File, ObjectiveClause
from services.contract.document import OVERALL, POINTS, Kind, Objective, Point
from services.contract.exclusions import ExclusionKind, Exclusions
from services.contract.refusals import Refusals
from services.contract.sentences import breach_of, degraded_of
from services.declare import Declarations
from services.places import Path as Place


def applies(kind: ExclusionKind, objective: Kind, point: Point) -> bool:
    """Whether an exclusion can touch what such an objective counts.

    Intervals of time apply to every kind. Upstream and the viewer's network are measured: they are part of what is
    painted, upstream also of how old a shown value is; up to the gateway neither is in it, so nothing is excluded.
    """
    painted = objective == "latency" and point == "browser"
    if kind == "viewer_network":
        return painted
    return painted or objective == "freshness" if kind == "upstream" else True


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
        excluding = self._excluding(point)
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
            excluding=excluding,
            upstream=self._upstream() if "upstream" in excluding else (),
            together_percent=self.exclusions.viewer_network.together_percent
            if self.exclusions.viewer_network
            else 10.0,
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
            if said.kind == "latency":
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

    def _upstream(self) -> tuple[tuple[str, float], ...]:
        """The upstream rules of the feeds that the objective counts."""
        channel = self.declarations.channels.get(self.said.channel or "")
        rules = self.exclusions.upstream
        return tuple((one.feed, one.late_after_s) for one in rules if channel is None or channel.feed.name == one.feed)

    def _excluding(self, point: Point) -> tuple[ExclusionKind, ...]:
        kinds, said = self.exclusions.kinds, self.said
        if not self._upstream():
            kinds -= {"upstream"}
        if said.excluding is None:
            return tuple(sorted(kind for kind in kinds if applies(kind, said.kind, point)))
        for kind in said.excluding:
            if not applies(kind, said.kind, point):
                remedy = f"no part of {said.kind} measured at {point}; leave it out"
                self.refusals.add((*self.at, "excluding"), kind, remedy)
            elif kind not in kinds:
                self.refusals.add((*self.at, "excluding"), kind, f"there is no rule for it; give [exclusions.{kind}]")
        return tuple(sorted(set(said.excluding)))
