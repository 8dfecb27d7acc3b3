"""Reading of scope and prices: what the clauses mean together, and whether what they name is there."""

from __future__ import annotations

from services.contract.clauses import File
from services.contract.clauses_scope import DependencyClause, PhaseClause, PriceClause, ScopeClause
from services.contract.prices import Band, BuildDays, Prices, RiskDays, SupportPrice
from services.contract.refusals import Refusals
from services.contract.scope import (
    ChangeTerms,
    Criterion,
    Deliverable,
    Dependency,
    Envelope,
    Hosting,
    Milestone,
    Named,
    PhasePlan,
    Scope,
)
from services.declare import Declarations
from services.places import Path as Place


def read_scope(file: File, declarations: Declarations, refusals: Refusals) -> Scope:
    """All of it. Pages and roles are known to the web process alone: `check_named` looks at them."""
    hosting, envelope, change, price = file.hosting, file.envelope, file.change, file.price
    return Scope(
        named=_named(file.scope, declarations, refusals),
        hosting=None if hosting is None else Hosting(**hosting.model_dump()),
        envelope=None if envelope is None else Envelope(**envelope.model_dump(), line=refusals.line(("envelope",))),
        deliverables=_deliverables(file, refusals),
        criteria=_criteria(file, refusals),
        dependencies=_dependencies(file, refusals),
        phases=_phases(file, refusals),
        change=None if change is None else ChangeTerms(**change.model_dump()),
        prices=None if price is None else _prices(price, refusals),
    )


def _named(said: ScopeClause, declarations: Declarations, refusals: Refusals) -> Named:
    known = {"feed": (said.feeds, declarations.feeds), "channel": (said.channels, declarations.channels)}
    for what, (names, there) in known.items():
        for name in names or ():
            refusals.known(("scope", f"{what}s"), name, there, what)
    for channel in said.channels or ():
        feed = channel.partition(".")[0]
        if said.feeds is not None and channel in declarations.channels and feed not in said.feeds:
            refusals.add(("scope", "channels"), channel, f"its feed {feed} is not in scope; add it to feeds")
    lists = {name: None if names is None else tuple(names) for name, names in said.model_dump().items()}
    return Named(**lists, line=refusals.line(("scope",)))


def _deliverables(file: File, refusals: Refusals) -> tuple[Deliverable, ...]:
    refusals.unique(("deliverable",), (one.name for one in file.deliverable))
    return tuple(
        Deliverable(one.name, one.means, one.file or "", refusals.line(("deliverable", number)))
        for number, one in enumerate(file.deliverable)
    )


def _criteria(file: File, refusals: Refusals) -> tuple[Criterion, ...]:
    refusals.unique(("acceptance",), (one.name for one in file.acceptance))
    objectives = {one.name for one in file.objective}
    for number, said in enumerate(file.acceptance):
        for name in said.objectives:
            refusals.known(("acceptance", number, "objectives"), name, objectives, "objective")
    return tuple(
        Criterion(one.name, one.means, tuple(one.objectives), refusals.line(("acceptance", number)))
        for number, one in enumerate(file.acceptance)
    )


def _dependencies(file: File, refusals: Refusals) -> tuple[Dependency, ...]:
    refusals.unique(("dependency",), (one.name for one in file.dependency))
    milestones = {each.name for one in file.phase for each in one.milestone}
    return tuple(
        _dependency(("dependency", number), one, milestones, refusals) for number, one in enumerate(file.dependency)
    )


def _dependency(at: Place, said: DependencyClause, milestones: set[str], refusals: Refusals) -> Dependency:
    for name in said.moves:
        refusals.known((*at, "moves"), name, milestones, "milestone")
    return Dependency(said.name, said.owes, said.means, said.due, said.delay, tuple(said.moves), refusals.line(at))


def _phases(file: File, refusals: Refusals) -> tuple[PhasePlan, ...]:
    refusals.unique(("phase",), (one.phase for one in file.phase), "phase")
    names = [each.name for one in file.phase for each in one.milestone]
    for number, one in enumerate(file.phase):
        for place, each in enumerate(one.milestone):
            if names.count(each.name) > 1:
                refusals.add(("phase", number, "milestone", place, "name"), each.name, "taken twice; give another")
    _check_shares(file, refusals)
    begins = {one.phase: one.begins for one in file.phase}
    if len(begins) == 2 and begins["production"] < begins["mvp"]:
        number = [one.phase for one in file.phase].index("production")
        refusals.add(("phase", number, "begins"), begins["production"], "give a day on or after the mvp's")
    if file.phase and file.contract.phase not in begins:
        refusals.add(("contract", "phase"), file.contract.phase, "no [[phase]] is of that name; add it")
    return tuple(_phase(one, refusals.line(("phase", number))) for number, one in enumerate(file.phase))


def _check_shares(file: File, refusals: Refusals) -> None:
    """What falls due at milestones is the whole price, or the contract leaves payment out."""
    total = sum(each.pays_percent for one in file.phase for each in one.milestone)
    if total and abs(total - 100) > 1e-6:
        refusals.add(("phase",), f"{total:g} %", "let pays_percent of all milestones add up to 100, or leave them out")


def _phase(said: PhaseClause, line: int) -> PhasePlan:
    return PhasePlan(said.phase, said.begins, tuple(Milestone(**one.model_dump()) for one in said.milestone), line)


def _prices(said: PriceClause, refusals: Refusals) -> Prices:
    seen = set()
    for number, one in enumerate(said.support.band):
        if (one.severity, one.hours) in seen:
            refusals.add(("price", "support", "band", number, "hours"), one.hours, "priced above; leave one out")
        seen.add((one.severity, one.hours))
    if said.support.model == "retainer" and not said.support.retainer_a_month:
        refusals.missing(("price", "support", "retainer_a_month"), "give what the retainer costs a month")
    if said.support.model == "hourly" and not said.support.band:
        refusals.missing(("price", "support", "band"), "give what an hour costs, in tables [[price.support.band]]")
    support = said.support
    return Prices(
        currency=said.currency,
        day_rate=said.day_rate,
        discovery_days=said.discovery_days,
        dependence=said.dependence,
        operations_factor=said.operations_factor,
        revenue_factor=said.revenue_factor,
        build=BuildDays(**said.build.model_dump()),
        risk=RiskDays(**said.risk.model_dump()),
        support=SupportPrice(
            support.model,
            support.retainer_a_month,
            support.retainer_hours,
            tuple(Band(**one.model_dump()) for one in support.band),
        ),
        line=refusals.line(("price",)),
    )
