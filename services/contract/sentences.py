"""Sentences: an objective in plain words, as the report, the pages and the export say it.

"95 % of valid events within 2.0 s of receipt, measured at the gateway, excluding upstream latency and viewer network".
"""

from __future__ import annotations

from collections.abc import Sequence

from services.contract.document import Degraded, Kind, Objective, Point
from services.contract.exclusions import ExclusionKind

_DEGRADED: dict[Degraded, str] = {
    "slower_rate": "updates at a slower rate",
    "last_value_marked": "the last value, marked with its age",
    "long_poll": "updates by long poll",
    "none": "none",
}
_COUNTED: dict[Kind, str] = {
    "latency": "valid events",
    "update_interval": "updates",
    "freshness": "view-seconds",
    "availability": "probes",
    "interaction": "interactions",
    "reconnect": "reconnects",
    "backlog": "seconds",
    "first_value": "first values",
}
_EXCLUDED: dict[ExclusionKind, str] = {
    "upstream": "upstream latency",
    "maintenance": "announced maintenance",
    "hotfix": "recorded hotfixes",
    "third_party": "named third parties",
    "force_majeure": "force majeure",
    "viewer_network": "viewer network",
}
_ORDER: tuple[ExclusionKind, ...] = tuple(_EXCLUDED)


def degraded_of(mode: Degraded) -> str:
    """What a viewer has while the objective is not met."""
    return _DEGRADED[mode]


def amount(kind: Kind, limit: float) -> str:
    """The limit with its unit."""
    return f"{limit:,.0f} events" if kind == "backlog" else seconds(limit)


def seconds(value: float) -> str:
    """`2.0 s`, `0.25 s`, `120 s`."""
    if value >= 10 and value == round(value):
        return f"{value:,.0f} s"
    return f"{value:,.1f} s" if round(value, 1) == value else f"{value:g} s"


def percent(share: float) -> str:
    """`95 %`, `99.9 %`."""
    return f"{round(share * 100, 6):g} %"


_REACHED: dict[Point, str] = {
    "broker": "processed",
    "gateway": "sent",
    "browser": "painted",
    "probe": "back at the probe",
}


def breach_of(kind: Kind, point: Point, limit: float) -> str:
    """What counts as a breach where the contract does not say it in its own words."""
    said = amount(kind, limit)
    return {
        "latency": f"an event that is {_REACHED[point]} later than {said}",
        "update_interval": f"an update later than {said} after the one before",
        "freshness": f"a second in which a viewer is shown a value older than {said}",
        "availability": f"a probe that does not come back whole within {said}"
        if point == "probe"
        else "a second in which a viewer is not shown fresh values",
        "interaction": f"an interaction whose next paint takes longer than {said}",
        "reconnect": f"a reconnect that takes longer than {said} to proven fresh values",
        "backlog": f"a second in which more than {said} wait",
        "first_value": f"a page that shows its first value later than {said}",
    }[kind]


def sentence(objective: Objective) -> str:
    """The whole objective in one sentence, without its final point."""
    promised = f"{percent(objective.share)} of {_counted(objective)} {_within(objective)}"
    parts = [promised, f"measured {_at(objective.point)}"]
    if excluded := _excluded(objective):
        parts.append(f"excluding {_listed(excluded)}")
    return ", ".join(parts)


def _counted(objective: Objective) -> str:
    in_browser = objective.kind == "availability" and objective.point == "browser"
    counted = "view-seconds" if in_browser else _COUNTED[objective.kind]
    return counted if objective.channel is None else f"{counted} of {objective.channel}"


def _within(objective: Objective) -> str:
    limit = amount(objective.kind, objective.limit)
    return {
        "latency": _latency_within(objective.point, limit),
        "update_interval": f"within {limit} of the one before",
        "freshness": f"with values at most {limit} old",
        "availability": f"whole within {limit}" if objective.point == "probe" else "fresh",
        "interaction": f"painted within {limit}",
        "reconnect": f"fresh again within {limit}",
        "backlog": f"with at most {limit} waiting",
        "first_value": f"within {limit} of opening the page",
    }[objective.kind]


def _latency_within(point: Point, limit: str) -> str:
    return {
        "broker": f"processed within {limit} of receipt",
        "gateway": f"within {limit} of receipt",
        "browser": f"painted within {limit} of creation",
        "probe": f"back at the probe within {limit}",
    }[point]


def _at(point: Point) -> str:
    return {
        "gateway": "at the gateway",
        "browser": "in the viewer's browser",
        "probe": "by the synthetic probe",
        "broker": "at the broker",
    }[point]


def _excluded(objective: Objective) -> list[str]:
    """What is not in it: by where it is measured, or by rule."""
    kinds = set(objective.excluding)
    if objective.kind == "latency" and objective.point in ("gateway", "broker"):
        kinds |= {"upstream", "viewer_network"}
    return [_EXCLUDED[kind] for kind in _ORDER if kind in kinds]


def _listed(words: Sequence[str]) -> str:
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} and {words[-1]}"
