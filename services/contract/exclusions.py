"""Exclusions: what the contract takes out of a measurement, as rules that can be computed and checked.

Each has a name, under which its share is printed beside the adjusted figure. Intervals (maintenance, hotfix, third
party, force majeure) come from notices in the register; upstream and viewer network are measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from typing import Literal

ExclusionKind = Literal["upstream", "maintenance", "hotfix", "third_party", "force_majeure", "viewer_network"]


@dataclass(frozen=True, slots=True)
class Expected:
    """What the contract expects of a source; None is nothing. Shares are percentages that are not to be exceeded."""

    every_s: float | None = None
    duplicates_percent: float | None = None
    out_of_order_percent: float | None = None
    rejected_percent: float | None = None
    skew_s: float | None = None


@dataclass(frozen=True, slots=True)
class Upstream:
    """Events of a feed that arrive over `late_after_s` after they were created, with their cause and its owner.

    `expects` is what else the source owes; it excludes nothing, and is shown beside what the source does.
    """

    feed: str
    late_after_s: float
    cause: str
    line: int
    owner: Literal["client", "third_party"] = "third_party"
    expects: Expected = Expected()

    @property
    def name(self) -> str:
        return f"upstream:{self.feed}"


@dataclass(frozen=True, slots=True)
class RecurringWindow:
    """Maintenance every week: from `begins` on that weekday (0 is Monday), by the contract's zone."""

    name: str
    weekday: int
    begins: time
    minutes: int
    about: str
    line: int


@dataclass(frozen=True, slots=True)
class SingleWindow:
    """Maintenance once: between two local times of the contract's zone."""

    name: str
    begins: datetime
    ends: datetime
    about: str
    line: int


@dataclass(frozen=True, slots=True)
class Maintenance:
    """A window counts where it was announced `notice_hours` before it began, up to the cap of a calendar month."""

    notice_hours: int
    cap_minutes_a_month: int
    recurring: tuple[RecurringWindow, ...]
    single: tuple[SingleWindow, ...]


@dataclass(frozen=True, slots=True)
class Hotfix:
    """An emergency change counts under `clause` where it was recorded before it began, up to the cap of a month."""

    clause: str
    cap_minutes_a_month: int


@dataclass(frozen=True, slots=True)
class ThirdParty:
    """Somebody outside both parties whose outages count; `supplies` names the feeds that come from it."""

    name: str
    means: str
    supplies: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class ForceMajeure:
    """What counts as force majeure, in words; each case is claimed and confirmed in the register."""

    means: str


@dataclass(frozen=True, slots=True)
class ViewerNetwork:
    """A viewer's own slow network; never where over `together_percent` of the viewers are slow at once."""

    together_percent: float


@dataclass(frozen=True, slots=True)
class Exclusions:
    """All rules of the contract; what is None or empty excludes nothing."""

    upstream: tuple[Upstream, ...] = ()
    maintenance: Maintenance | None = None
    hotfix: Hotfix | None = None
    third_parties: tuple[ThirdParty, ...] = ()
    force_majeure: ForceMajeure | None = None
    viewer_network: ViewerNetwork | None = None

    @property
    def kinds(self) -> frozenset[ExclusionKind]:
        """The kinds that the contract has a rule for."""
        present: dict[ExclusionKind, object] = {
            "upstream": self.upstream,
            "maintenance": self.maintenance,
            "hotfix": self.hotfix,
            "third_party": self.third_parties,
            "force_majeure": self.force_majeure,
            "viewer_network": self.viewer_network,
        }
        return frozenset(kind for kind, rule in present.items() if rule)
