"""Intervals: which spans of time the contract excludes, from the register's notices and the windows of the file. Pure.

Everything that was declared comes out, counted or not, with its standing in words: refused attempts, claims that
nobody confirmed, and what is over a month's cap are shown and exclude nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from services.contract.document import Contract, Objective
from services.contract.exclusions import ExclusionKind
from services.contract.moments import MINUTE_MS, day_begins, local_time, moment
from services.contract.notices import Notice, WeeklyWindow, span

COUNTS = "counts"
_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Declared:
    """A declared span of time. `exclusion` is the name under which its share is printed; `standing` is for readers.

    `feeds`: it touches only what comes from those; empty is everything.
    """

    kind: ExclusionKind
    exclusion: str
    name: str
    since: int
    until: int
    about: str
    person: str
    standing: str
    feeds: tuple[str, ...] = ()

    @property
    def counts(self) -> bool:
        return self.standing.startswith(COUNTS)


def declared(
    contract: Contract, notices: Iterable[Notice], windows: Iterable[WeeklyWindow], since: int, until: int
) -> list[Declared]:
    """All that touches the time from `since` to `until`, in order; what counts under one name never overlaps."""
    first, last = _whole_months(contract.zone, since, until)
    found = [_of_notice(contract, notice) for notice in notices]
    found += [one for window in windows for one in _occurrences(window, first, last)]
    found.sort(key=lambda one: (one.since, one.until, one.exclusion, one.name))
    return [one for one in _capped(contract, found) if one.until > since and one.since < until]


def shares(objective: Objective, spans: Sequence[Declared], at: int) -> Mapping[str, float]:
    """The shares of the minute that begins at `at` which declared spans exclude for the objective, by exclusion."""
    taken: dict[str, float] = {}
    for one in spans:
        overlap = min(one.until, at + MINUTE_MS) - max(one.since, at)
        if overlap > 0 and one.counts and one.kind in objective.excluding and _touches(one, objective):
            taken[one.exclusion] = min(1.0, taken.get(one.exclusion, 0.0) + overlap / MINUTE_MS)
    return taken


def _touches(one: Declared, objective: Objective) -> bool:
    """Whether the objective counts anything that the span can have hurt."""
    return not one.feeds or objective.channel is None or objective.channel.partition(".")[0] in one.feeds


def reasons(contract: Contract) -> dict[str, str]:
    """Why each exclusion is one, by the name under which it is printed."""
    rules, found = contract.exclusions, {}
    for one in rules.upstream:
        found[one.name] = f"{one.cause} ({one.owner.replace('_', ' ')}, over {one.late_after_s:g} s)"
    if rules.maintenance:
        ahead, cap = rules.maintenance.notice_hours, rules.maintenance.cap_minutes_a_month
        found["maintenance"] = f"maintenance that was announced {ahead} h ahead, at most {cap} min a month"
    if rules.hotfix:
        clause, cap = rules.hotfix.clause, rules.hotfix.cap_minutes_a_month
        found["hotfix"] = f"{clause}: recorded before it began, at most {cap} min a month"
    found |= {f"third_party:{one.name}": f"{one.means}; confirmed by both parties" for one in rules.third_parties}
    if rules.force_majeure:
        found["force_majeure"] = f"{rules.force_majeure.means}; confirmed by both parties"
    if rules.viewer_network:
        together = rules.viewer_network.together_percent
        found["viewer_network"] = (
            f"the viewer's own network, shown by that viewer's pings, while no more than {together:g} % of the viewers "
            "were slow together"
        )
    return found


def _of_notice(contract: Contract, notice: Notice) -> Declared:
    exclusion = f"third_party:{notice.name}" if notice.kind == "third_party" else notice.kind
    return Declared(
        kind=notice.kind,
        exclusion=exclusion,
        name=notice.name or notice.kind.replace("_", " "),
        since=notice.since,
        until=notice.over_at if notice.over_at > notice.since else notice.until,
        about=notice.reason,
        person=notice.person,
        standing=standing_of(notice),
        feeds=_supplied(contract, notice),
    )


def _supplied(contract: Contract, notice: Notice) -> tuple[str, ...]:
    """The feeds that come from the third party; none named, its outage may touch everything."""
    parties = contract.exclusions.third_parties if notice.kind == "third_party" else ()
    return next((one.supplies for one in parties if one.name == notice.name), ())


def standing_of(notice: Notice) -> str:
    """Whether the notice counts, and if not, why; what is over a month's cap is not seen here."""
    if notice.refused:
        return f"refused: {notice.refused}"
    if notice.ended_at and notice.ended_at <= notice.since:
        return "called off"
    if not notice.is_claim:
        return COUNTS
    if notice.confirmed_by:
        return f"{COUNTS}: claimed by {notice.person}, confirmed by {notice.confirmed_by}"
    return f"claimed by {notice.person} for the {notice.party}, not confirmed"


def _occurrences(window: WeeklyWindow, since: int, until: int) -> Iterator[Declared]:
    """Each week's window. It lasts its minutes, also where the clock changes meanwhile."""
    zone = ZoneInfo(window.zone)
    day = local_time(zone, since).date() - _DAY
    while (opens := moment(zone, datetime.combine(day, window.begins))) < until:
        closes = opens + window.minutes * MINUTE_MS
        in_file = window.seen_at <= opens and not (window.gone_at and window.gone_at <= opens)
        if day.weekday() == window.weekday and in_file and closes > since:
            short = f"refused: announced {span(opens - window.seen_at)} ahead, too late for this one"
            standing = COUNTS if opens >= window.counts_from else short
            yield Declared("maintenance", "maintenance", window.name, opens, closes, window.about, "", standing)
        day += _DAY


def _whole_months(zone: ZoneInfo, since: int, until: int) -> tuple[int, int]:
    """Caps are of calendar months, so what came before in the month must be seen too."""
    first = local_time(zone, since).date().replace(day=1)
    last = (local_time(zone, until).date().replace(day=1) + timedelta(days=32)).replace(day=1)
    return day_begins(zone, first), day_begins(zone, last)


def _capped(contract: Contract, spans: Iterable[Declared]) -> Iterator[Declared]:
    """Cut what counts where it overlaps what came before, and where a month's minutes are used up."""
    caps = _caps(contract)
    used: dict[tuple[str, int], int] = {}
    covered: dict[str, int] = {}
    for one in spans:
        if not one.counts:
            yield one
            continue
        fresh = replace(one, since=max(one.since, covered.get(one.exclusion, one.since)))
        covered[one.exclusion] = max(one.until, covered.get(one.exclusion, 0))
        for month, part in _by_month(contract.zone, fresh):
            left = None if one.exclusion not in caps else caps[one.exclusion] - used.get((one.exclusion, month), 0)
            for piece in _cut(part, left):
                if piece.counts:
                    used[one.exclusion, month] = used.get((one.exclusion, month), 0) + piece.until - piece.since
                yield piece


def _caps(contract: Contract) -> dict[str, int]:
    rules = contract.exclusions
    caps = {"maintenance": rules.maintenance, "hotfix": rules.hotfix}
    return {name: rule.cap_minutes_a_month * MINUTE_MS for name, rule in caps.items() if rule is not None}


def _by_month(zone: ZoneInfo, one: Declared) -> Iterator[tuple[int, Declared]]:
    since = one.since
    while since < one.until:
        day = local_time(zone, since).date().replace(day=1)
        following = day_begins(zone, (day + timedelta(days=32)).replace(day=1))
        yield day_begins(zone, day), replace(one, since=since, until=min(one.until, following))
        since = following


def _cut(one: Declared, left: int | None) -> Iterator[Declared]:
    """The part that the cap still holds, and the rest, which does not count."""
    if left is None or one.until - one.since <= left:
        yield one
        return
    if left > 0:
        yield replace(one, until=one.since + left)
    rest = replace(one, since=one.since + max(0, left))
    yield replace(rest, standing=f"over the month's cap by {span(rest.until - rest.since)}")
