"""Proposals: what the answers of a discovery choose, by one of three profiles, each with its reason and its cost."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal, get_args

from services.contract.questions import Answers

ProfileName = Literal["incident", "operations", "executive"]
PROFILE_NAMES: tuple[ProfileName, ...] = get_args(ProfileName)
_EVENT_BYTES = 300
"""What an event and its index take in the archive, about."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What kind of looking it is for. `cadence_s` is how often aggregates move; percentages are of availability."""

    name: ProfileName
    means: str
    tick_ms: int
    cadence_s: int
    days: int
    hourly_days: int
    available_percent: float
    response_minutes: tuple[int, int, int]
    resolution_minutes: tuple[int, int, int]
    burns: bool


PROFILES: dict[ProfileName, Profile] = {
    "incident": Profile(
        "incident", "somebody steps in within seconds", 16, 1, 14, 90, 99.9, (15, 60, 480), (240, 600, 2_400), True
    ),
    "operations": Profile(
        "operations", "a shift steers by it, minute by minute", 50, 5, 30, 365, 99.5, (60, 240, 480),
        (480, 1_440, 4_800), True,
    ),
    "executive": Profile(
        "executive", "looked at a few times a day", 250, 60, 7, 730, 99.0, (240, 480, 960), (960, 2_400, 4_800), False
    ),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Proposal:
    """One value that is proposed, why, and what it costs."""

    name: str
    value: Any
    said: str
    reason: str
    cost: str


def fitting(answers: Answers) -> ProfileName:
    """The profile that the answer to "how late is too late" asks for: to 10 s, to 5 min, and beyond."""
    return "incident" if answers.too_late_s <= 10 else "operations" if answers.too_late_s <= 300 else "executive"


def propose(answers: Answers, name: ProfileName) -> tuple[Proposal, ...]:
    """Tick, cadence, retention, archive and alerts."""
    profile = PROFILES[name]
    return (_tick(answers, profile), _cadence(answers, profile), *_kept(answers, profile), _alerts(profile))


def value_of(proposals: tuple[Proposal, ...], name: str) -> Any:
    return next(one.value for one in proposals if one.name == name)


def _tick(answers: Answers, profile: Profile) -> Proposal:
    tick_ms = min(profile.tick_ms, max(16, int(answers.lag_s * 1000 / 8)))
    return Proposal(
        "tick",
        tick_ms,
        f"{tick_ms} ms",
        f"{profile.means}; an eighth of the {answers.lag_s:g} s until it is on screen at most",
        f"up to {1000 // tick_ms} commits and frames a second for each channel under load",
    )


def _cadence(answers: Answers, profile: Profile) -> Proposal:
    quickest = min(one.every_s for one in answers.sources)
    cadence_s = int(min(60, max(1, profile.cadence_s, round(quickest))))
    reason = f"{profile.means}; the quickest source has something new every {quickest:g} s"
    return Proposal(
        "cadence",
        cadence_s,
        f"{cadence_s} s",
        reason,
        f"a point of each line every {cadence_s} s: {3_600 // cadence_s:,} an hour in broker, browser and archive",
    )


def _kept(answers: Answers, profile: Profile) -> Iterator[Proposal]:
    audit = answers.record == "audit"
    days = profile.days if audit or answers.replay else 0
    a_day = answers.peak_events_per_s * 86_400 * _EVENT_BYTES / 1e9
    yield Proposal(
        "retention",
        days,
        f"{days} days in full" if days else "no events",
        "every event is kept for audit" if audit else "current state only, as answered",
        f"at most {a_day:,.1f} GB a day in the database, if the peak lasted all day" if days else "none",
    )
    hourly = profile.hourly_days if days else 0
    yield Proposal(
        "archive",
        hourly,
        f"{hourly} days by hour" if hourly else "no archive",
        ("a past interval can be replayed while events are kept; " if answers.replay else "")
        + ("comparison with last month and last year" if hourly else "nobody asks what was"),
        "24 rows a day for each line" if hourly else "nothing can be looked back at",
    )


def _alerts(profile: Profile) -> Proposal:
    said = "burn rates at three speeds and source trouble" if profile.burns else "slow burn of a budget alone"
    return Proposal(
        "alerts",
        profile.burns,
        said,
        profile.means,
        "each alert is tuned, tested and answered: its days stand in the quote",
    )
