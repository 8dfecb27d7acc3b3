"""Kinds: what each kind of objective comes to in one minute, from what was received of it.

`counted` says what an objective counts, `_missing` when it counted nothing and should have: such a minute is bad, since
nobody may be better off for not measuring. `_excluded` is what measured exclusions take out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from services.contract.document import Objective
from services.measurement.minutes import Minute
from services.measurement.raw import RawMinute
from services.measurement.weighing import Weighed, weigh
from services.sheets import Line
from services.sketch import Sketch

SECONDS_A_MINUTE = 60
FRESH = 0.5
"""Between the 0 of a fresh view second and the 1 of another."""
LOST_S = 1e9
"""How long a probe took that never arrived."""
SLOW_FROM = 0.05
"""A viewer of whose events more than this share would have been in time but for its network is slow."""
_OCCURRENCES = ("interaction", "reconnect", "first_value")
_STAGES = {"gateway": "ingested_to_sent", "broker": "ingested_to_processed", "browser": "created_to_painted"}


def objective_rule(objective: Objective) -> tuple[str, ...]:
    """What decides an objective's minutes; a changed target or window changes none of them."""
    counted_of = (objective.kind, objective.channel, objective.limit, objective.point)
    taken_out = (sorted(objective.excluding), objective.upstream, objective.together_percent)
    return tuple(map(repr, (*counted_of, *taken_out)))


def measure(objective: Objective, raw: RawMinute) -> Minute:
    """One minute of an objective, before the exclusions that are intervals."""
    found = counted(objective, raw)
    if not found.total:
        return no_data(raw.at) if _missing(objective, raw) else Minute(raw.at, 0, 0)
    good = found.within(_limit(objective))
    return Minute(raw.at, good, found.total, dict(_excluded(objective, raw, good, found.total)))


def no_data(at: int) -> Minute:
    """A minute of which nothing is known."""
    return Minute(at, 0.0, 1.0, no_data=True)


def counted(objective: Objective, raw: RawMinute) -> Weighed:
    """What an objective counts in a minute, in its own unit."""
    channel, browser = objective.channel, objective.point == "browser"
    match objective.kind:
        case "availability" if browser:
            return weigh(raw.lines("view_second", channel), FRESH, SECONDS_A_MINUTE)
        case "availability":
            return _probes(objective, raw)
        case "latency" if objective.point == "probe":
            return _probes(objective, raw)
        case "latency":
            lines = raw.lines(_STAGES[objective.point], channel)
            return weigh(lines, objective.limit) if browser else _own(lines)
        case "freshness":
            lines = [*raw.lines("event_age", channel), *raw.lines("event_age_upstream", channel)]
            return weigh(lines, objective.limit, SECONDS_A_MINUTE) if browser else _own(lines)
        case "update_interval":
            lines = raw.lines("update_interval", channel)
            return weigh(lines, objective.limit) if browser else _own(lines)
        case "backlog":
            return _own(raw.lines("backlog", channel or ""))
        case "interaction" | "reconnect" | "first_value":
            return weigh(raw.lines(objective.kind, channel), objective.limit)


def _limit(objective: Objective) -> float:
    in_view_seconds = objective.kind == "availability" and objective.point == "browser"
    return FRESH if in_view_seconds else objective.limit


def _own(lines: list[Line]) -> Weighed:
    return Weighed(tuple(line.own for line in lines))


def _probes(objective: Objective, raw: RawMinute) -> Weighed:
    """Probes of every lane, or of those of the channel's feed."""
    feed = None if objective.channel is None else _feed(objective.channel)
    wanted = (probe for probe in raw.probes if feed is None or _feed(probe.lane) == feed)
    return Weighed((Sketch.of(LOST_S if probe.took_s is None else probe.took_s for probe in wanted),))


def _feed(name: str) -> str:
    return name.partition(".")[0]


def _missing(objective: Objective, raw: RawMinute) -> bool:
    """Whether something should have been counted in a minute in which nothing was."""
    channel = objective.channel
    if objective.point == "browser":
        if not raw.has_role("web"):
            return True
        if objective.kind in _OCCURRENCES or objective.kind in ("freshness", "availability"):
            return False  # nobody looked, or nothing occurred
        watched = weigh(raw.lines("view_second", channel), FRESH).total
        return bool(watched and raw.counted("ingested_to_sent", channel))
    if objective.kind == "latency" and objective.point == "gateway":
        return not raw.has_role("web") or bool(raw.counted("ingested_to_processed", channel))
    if objective.kind == "latency" and objective.point == "broker":
        return not raw.sheets or bool(raw.counted("created_to_ingested", None if channel is None else _feed(channel)))
    if objective.kind == "update_interval":  # a whole minute without a change broke every interval under a minute
        return not raw.has_role("web") or objective.limit <= SECONDS_A_MINUTE
    return True  # probes, backlog and age are looked for in every minute


def _excluded(objective: Objective, raw: RawMinute, good: int, total: int) -> Iterator[tuple[str, float]]:
    """What measured exclusions take out of the bad part, by name; together never more than it."""
    left, painted = total - good, objective.kind == "latency" and objective.point == "browser"
    if left and painted and "viewer_network" in objective.excluding:
        excused = min(left, _viewer_network(objective, raw))
        left -= excused
        if excused:
            yield "viewer_network", float(excused)
    for feed, after_s in objective.upstream:
        late = (
            _upstream_events(objective, raw, total, feed, after_s)
            if painted
            else _upstream_seconds(objective, raw, feed)
        )
        if excused := min(left, late):
            left -= excused
            yield f"upstream:{feed}", float(excused)


def _upstream_events(objective: Objective, raw: RawMinute, painted: int, feed: str, after_s: float) -> int:
    """Events that their source sent too late, in the share that such events have of all that came in that minute.

    Only those count that came later than the objective's whole limit: of the others something was left to us.
    """
    came = raw.counted("created_to_ingested", None if objective.channel is None else _feed(objective.channel))
    limit = max(after_s, objective.limit)
    late = sum(line.own.count - line.own.within(limit) for line in raw.lines("created_to_ingested", feed))
    return painted * late // came if came else 0


def _upstream_seconds(objective: Objective, raw: RawMinute, feed: str) -> int:
    """Seconds in which what was shown was too old, and its source was the cause."""
    if objective.kind != "freshness":
        return 0
    lines = raw.lines_of("event_age_upstream", feed, objective.channel)
    found = weigh(lines, objective.limit, SECONDS_A_MINUTE) if objective.point == "browser" else _own(lines)
    return found.total - found.within(objective.limit)


def _viewer_network(objective: Objective, raw: RawMinute) -> int:
    """Events that would have been in time but for their viewer's network; none where many are slow together."""
    excused = slow = viewers = 0
    for sheet in raw.sheets:
        alone = RawMinute(raw.at, (sheet,))
        painted = _by_viewer(alone, "created_to_painted", objective.channel)
        bare = _by_viewer(alone, "painted_less_network", objective.channel)
        for number, seen in painted.items():
            gained = max(0, bare.get(number, seen).within(objective.limit) - seen.within(objective.limit))
            viewers, slow, excused = viewers + 1, slow + (gained > SLOW_FROM * seen.total), excused + gained
    return excused if viewers and 100 * slow <= objective.together_percent * viewers else 0


def _by_viewer(raw: RawMinute, stage: str, channel: str | None) -> dict[int, Weighed]:
    found: dict[int, Weighed] = {}
    for line in raw.lines(stage, channel):
        for number, sketch in line.viewers.items():
            found[number] = Weighed((*found.get(number, Weighed(())).parts, sketch))
    return found


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
