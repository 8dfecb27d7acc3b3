"""Reading of exclusions: the rules by which something is taken out of a measurement."""

from __future__ import annotations

from services.contract.clauses import (
    WEEKDAYS,
    ExclusionsClause,
    HotfixClause,
    MaintenanceClause,
    RecurringClause,
    SingleClause,
    ThirdPartyClause,
    UpstreamClause,
)
from services.contract.exclusions import (
    Exclusions,
    Expected,
    ForceMajeure,
    Hotfix,
    Maintenance,
    RecurringWindow,
    SingleWindow,
    ThirdParty,
    Upstream,
    ViewerNetwork,
)
from services.contract.refusals import Refusals
from services.declare import Declarations
from services.places import Path as Place

_AT: Place = ("exclusions",)
_MAINTENANCE: Place = (*_AT, "maintenance")


def read_exclusions(said: ExclusionsClause, declarations: Declarations, refusals: Refusals) -> Exclusions:
    """All rules of the contract."""
    refusals.unique((*_AT, "upstream"), (one.feed for one in said.upstream), "feed")
    refusals.unique((*_AT, "third_party"), (one.name for one in said.third_party))
    majeure, network = said.force_majeure, said.viewer_network
    return Exclusions(
        upstream=tuple(
            _upstream((*_AT, "upstream", number), one, declarations, refusals)
            for number, one in enumerate(said.upstream)
        ),
        maintenance=None if said.maintenance is None else _maintenance(said.maintenance, refusals),
        hotfix=None if said.hotfix is None else _hotfix(said.hotfix),
        third_parties=tuple(
            _third_party((*_AT, "third_party", number), one, declarations, refusals)
            for number, one in enumerate(said.third_party)
        ),
        force_majeure=None if majeure is None else ForceMajeure(majeure.means),
        viewer_network=None if network is None else ViewerNetwork(network.together_percent),
    )


def _upstream(at: Place, said: UpstreamClause, declarations: Declarations, refusals: Refusals) -> Upstream:
    refusals.known((*at, "feed"), said.feed, declarations.feeds, "feed")
    expects = Expected(**said.expects.model_dump())
    return Upstream(said.feed, said.late_after_s, said.cause, refusals.line(at), said.owner, expects)


def _third_party(at: Place, said: ThirdPartyClause, declarations: Declarations, refusals: Refusals) -> ThirdParty:
    for feed in said.supplies:
        refusals.known((*at, "supplies"), feed, declarations.feeds, "feed")
    return ThirdParty(said.name, said.means, tuple(said.supplies), refusals.line(at))


def _hotfix(said: HotfixClause) -> Hotfix:
    return Hotfix(said.clause, said.cap_minutes_a_month)


def _maintenance(said: MaintenanceClause, refusals: Refusals) -> Maintenance:
    refusals.unique((*_MAINTENANCE, "recurring"), (one.name for one in said.recurring))
    refusals.unique((*_MAINTENANCE, "single"), (one.name for one in said.single))
    recurring = [_recurring((*_MAINTENANCE, "recurring", n), one, refusals) for n, one in enumerate(said.recurring)]
    single = [_single((*_MAINTENANCE, "single", n), one, refusals) for n, one in enumerate(said.single)]
    return Maintenance(said.notice_hours, said.cap_minutes_a_month, tuple(recurring), tuple(single))


def _recurring(at: Place, said: RecurringClause, refusals: Refusals) -> RecurringWindow:
    weekday = WEEKDAYS.index(said.weekday)
    return RecurringWindow(said.name, weekday, said.begins, said.minutes, said.about, refusals.line(at))


def _single(at: Place, said: SingleClause, refusals: Refusals) -> SingleWindow:
    for name, moment in (("begins", said.begins), ("ends", said.ends)):
        if moment.tzinfo is not None:
            refusals.add((*at, name), moment, "give a local time of the contract's zone, without offset")
    begins, ends = said.begins.replace(tzinfo=None), said.ends.replace(tzinfo=None)
    if begins >= ends:
        refusals.add((*at, "ends"), said.ends, "give a time after begins")
    return SingleWindow(said.name, begins, ends, said.about, refusals.line(at))
