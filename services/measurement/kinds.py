"""Kinds: what each kind of objective comes to in one minute, from what was received of it.

One function a kind. A minute in which something should have been counted and was not is bad: nobody may be
better off for not measuring.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from services.contract.document import Kind, Objective
from services.measurement.minutes import Minute
from services.measurement.raw import RawMinute
from services.measurement.weighing import Weighed, weigh

SECONDS_A_MINUTE = 60
VIEWER_NETWORK = "viewer_network"


@dataclass(frozen=True, slots=True)
class Measured:
    """Good and total of a minute; `excluded` what measured exclusions take out, all of it bad; None: no data."""

    good: float
    total: float
    excluded: Mapping[str, float]


NOTHING = Measured(0, 0, {})
"""Nothing was due, so nothing is missing."""


def objective_rule(objective: Objective) -> tuple[str, ...]:
    """What of an objective decides its minutes; a changed target or window changes none of them."""
    decisive = (objective.kind, objective.channel, objective.limit, objective.point, sorted(objective.excluding),
                objective.upstream, objective.together_percent)  # fmt: skip
    return tuple(map(repr, decisive))


def measure(objective: Objective, raw: RawMinute) -> Minute:
    """One minute of an objective, before the exclusions that are intervals."""
    found = _KINDS[objective.kind](objective, raw)
    if found is None:
        return no_data(raw.at)
    return Minute(raw.at, found.good, found.total, found.excluded)


def no_data(at: int) -> Minute:
    """A minute of which nothing is known."""
    return Minute(at, 0.0, 1.0, no_data=True)


def _latency(objective: Objective, raw: RawMinute) -> Measured | None:
    match objective.point:
        case "probe":
            return _availability(objective, raw)
        case "browser":
            return _painted(objective, raw)
        case "gateway":
            return _own(objective, raw, "ingested_to_sent", due=raw.counted("ingested_to_processed", objective.channel))
        case "broker":
            due = raw.counted("created_to_ingested", None if objective.channel is None else _feed(objective.channel))
            return _own(objective, raw, "ingested_to_processed", due=due)


def _own(objective: Objective, raw: RawMinute, stage: str, *, due: int) -> Measured | None:
    """What processes measured themselves; bad where they measured nothing of what was due."""
    lines = raw.lines(stage, objective.channel)
    total = sum(line.own.count for line in lines)
    if not total:
        return None if due or not raw.sheets else NOTHING
    return Measured(sum(line.own.within(objective.limit) for line in lines), total, {})


def _painted(objective: Objective, raw: RawMinute) -> Measured | None:
    lines = raw.lines("created_to_painted", objective.channel)
    found = weigh(lines, objective.limit)
    if not found.total:
        watched = weigh(raw.lines("view_second", objective.channel), 0.5).total
        due = watched and raw.counted("ingested_to_sent", objective.channel)
        return None if due or not raw.has_role("web") else NOTHING
    good = found.within(objective.limit)
    bad = found.total - good
    networks = _of_viewer_networks(objective, raw, bad)
    upstream = _of_upstream(objective, raw, found.total, bad - int(sum(networks.values())))
    return Measured(good, found.total, networks | upstream)


def _of_upstream(objective: Objective, raw: RawMinute, painted: int, bad: int) -> dict[str, float]:
    """Events that their source sent too late, in the share that such events have of all that came in that minute.

    Only those count that came later than the objective's whole limit: of the others something was left to us.
    """
    came = raw.counted("created_to_ingested", None if objective.channel is None else _feed(objective.channel))
    late = sum(
        line.own.count - line.own.within(max(after_s, objective.limit))
        for feed, after_s in objective.upstream
        for line in raw.lines("created_to_ingested", feed)
    )
    excused = min(bad, painted * late // came) if came else 0
    return {"upstream": float(excused)} if excused > 0 else {}


def _of_viewer_networks(objective: Objective, raw: RawMinute, bad: int) -> dict[str, float]:
    """Events that would have been in time but for their viewer's network; none where many are slow together."""
    if VIEWER_NETWORK not in objective.excluding or not bad:
        return {}
    excused = slow = viewers = 0
    for sheet in raw.sheets:
        alone = RawMinute(raw.at, (sheet,))
        numbered = {
            stage: _by_viewer(alone, stage, objective.channel)
            for stage in ("created_to_painted", "painted_less_network")
        }
        for number, painted in numbered["created_to_painted"].items():
            bare = numbered["painted_less_network"].get(number, painted)
            gained = max(0, bare.within(objective.limit) - painted.within(objective.limit))
            viewers, slow, excused = viewers + 1, slow + (gained * 20 > painted.total), excused + gained
    if not viewers or 100 * slow > objective.together_percent * viewers:
        return {}
    return {VIEWER_NETWORK: float(min(bad, excused))} if excused else {}


def _by_viewer(raw: RawMinute, stage: str, channel: str | None) -> dict[int, Weighed]:
    found: dict[int, Weighed] = {}
    for line in raw.lines(stage, channel):
        for number, sketch in line.viewers.items():
            found[number] = Weighed((*found.get(number, Weighed(())).parts, sketch))
    return found


def _update_interval(objective: Objective, raw: RawMinute) -> Measured | None:
    """A channel that did not change in a whole minute broke every interval under a minute."""
    if objective.point == "browser":
        found = weigh(raw.lines("update_interval", objective.channel), objective.limit)
        watched = weigh(raw.lines("view_second", objective.channel), 0.5).total
        if not found.total:
            return None if watched else NOTHING
        return Measured(found.within(objective.limit), found.total, {})
    return _own(objective, raw, "update_interval", due=objective.limit <= SECONDS_A_MINUTE)


def _freshness(objective: Objective, raw: RawMinute) -> Measured | None:
    """View-seconds in which the newest event shown was young enough."""
    stages = ("event_age", "event_age_upstream")
    lines = {stage: raw.lines(stage, objective.channel) for stage in stages}
    if objective.point == "browser":
        weighed = {stage: weigh(lines[stage], objective.limit, SECONDS_A_MINUTE) for stage in stages}
    else:
        weighed = {stage: Weighed(tuple(line.own for line in lines[stage])) for stage in stages}
    total = sum(found.total for found in weighed.values())
    if not total:
        return NOTHING if objective.point == "browser" and raw.has_role("web") else None
    upstream = weighed["event_age_upstream"]
    bad = upstream.total - upstream.within(objective.limit)
    excluded = {"upstream": float(bad)} if bad and "upstream" in objective.excluding else {}
    return Measured(sum(found.within(objective.limit) for found in weighed.values()), total, excluded)


def _availability(objective: Objective, raw: RawMinute) -> Measured | None:
    """Probes that came back in time; or, in the browser, view-seconds that were fresh."""
    if objective.point == "browser":
        found = weigh(raw.lines("view_second", objective.channel), 0.5, SECONDS_A_MINUTE)
        if not found.total:
            return NOTHING if raw.has_role("web") else None
        return Measured(found.within(0.5), found.total, {})
    feed = None if objective.channel is None else _feed(objective.channel)
    probes = [probe for probe in raw.probes if feed is None or _feed(probe.lane) == feed]
    good = sum(probe.took_s is not None and probe.took_s <= objective.limit for probe in probes)
    return Measured(good, len(probes), {}) if probes else None


def _feed(name: str) -> str:
    return name.partition(".")[0]


def _occurrences(stage: str) -> Callable[[Objective, RawMinute], Measured | None]:
    def count(objective: Objective, raw: RawMinute) -> Measured | None:
        found = weigh(raw.lines(stage, objective.channel), objective.limit)
        if not found.total:
            return NOTHING if raw.has_role("web") else None
        return Measured(found.within(objective.limit), found.total, {})

    return count


def _backlog(objective: Objective, raw: RawMinute) -> Measured | None:
    """Seconds in which no more than `limit` events waited."""
    lines = raw.lines("backlog", objective.channel or "")
    total = sum(line.own.count for line in lines)
    return Measured(sum(line.own.within(objective.limit) for line in lines), total, {}) if total else None


_KINDS: Mapping[Kind, Callable[[Objective, RawMinute], Measured | None]] = {
    "latency": _latency,
    "update_interval": _update_interval,
    "freshness": _freshness,
    "availability": _availability,
    "interaction": _occurrences("interaction"),
    "reconnect": _occurrences("reconnect"),
    "backlog": _backlog,
    "first_value": _occurrences("first_value"),
}


def with_intervals(minute: Minute, excluding: Mapping[str, float]) -> Minute:
    """Take out the shares of the minute that lie in declared intervals, by their names; each share 0 to 1."""
    if not excluding:
        return minute
    named = sum(excluding.values())
    share = min(1.0, named)  # windows that overlap take nothing out twice
    left = max(0.0, minute.total - sum(minute.excluded.values()))
    taken = {name: left * share * part / named for name, part in excluding.items()}
    good = minute.excluded_good + minute.good * share
    return replace(minute, excluded={**minute.excluded, **taken}, excluded_good=good)
