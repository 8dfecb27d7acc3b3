"""Notices: what a party put on the register: maintenance, a hotfix, a third party's outage, force majeure. Pure.

Whether a notice counts is decided from when it was recorded, never from what it says of itself.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import time
from typing import Literal

from services.contract.document import Contract
from services.contract.moments import MINUTE_MS

NoticeKind = Literal["maintenance", "hotfix", "third_party", "force_majeure"]
NoticeParty = Literal["provider", "client"]
HOUR_MS = 60 * MINUTE_MS
IN_FILE = "contract.toml"
"""Stands for the person where a window was announced by the contract itself."""


class NoticeError(ValueError):
    """The register cannot take it; the text says what to do. Nothing was recorded."""


@dataclass(frozen=True, slots=True)
class Notice:
    """One entry of the register. Times are milliseconds since the Unix epoch; 0 is not, or not yet.

    `name` is the window's, or the third party's, else empty. `refused` says why it does not count, empty where it does.
    Third party and force majeure are claims until the other party's `confirmed_by` is recorded. `ended_at`: called off
    or over before `until`.
    """

    id: int
    kind: NoticeKind
    name: str
    since: int
    until: int
    reason: str
    person: str
    party: NoticeParty
    recorded_at: int
    refused: str = ""
    confirmed_by: str = ""
    confirmed_at: int = 0
    ended_at: int = 0

    @property
    def is_claim(self) -> bool:
        return self.kind in ("third_party", "force_majeure")

    @property
    def over_at(self) -> int:
        """When it ends, or did."""
        return min(self.until, self.ended_at) if self.ended_at else self.until


@dataclass(frozen=True, slots=True)
class WeeklyWindow:
    """A recurring window as the contract's file announced it, on `seen_at`, until it left the file at `gone_at`.

    It counts from `counts_from`, the notice that the contract asks for later.
    """

    id: int
    name: str
    weekday: int
    begins: time
    minutes: int
    zone: str
    about: str
    seen_at: int
    counts_from: int
    gone_at: int = 0


def refusal(contract: Contract, kind: NoticeKind, since: int, now: int) -> str:
    """Why a notice that is recorded now does not count; empty where it does. Raises NoticeError without a rule."""
    rules = contract.exclusions
    if kind == "maintenance":
        if rules.maintenance is None:
            raise NoticeError(_no_rule(kind))
        return _too_late(since, now) or _short_notice(since, now, rules.maintenance.notice_hours)
    if kind == "hotfix":
        if rules.hotfix is None:
            raise NoticeError(_no_rule(kind))
        return _too_late(since, now)
    if (rules.force_majeure if kind == "force_majeure" else rules.third_parties or None) is None:
        raise NoticeError(_no_rule(kind))
    return ""


def _no_rule(kind: NoticeKind) -> str:
    return f"notice: {kind}: the contract has no rule for it; it would exclude nothing; see [exclusions.{kind}]"


def _too_late(since: int, now: int) -> str:
    return f"recorded {span(now - since)} after it began" if since < now else ""


def _short_notice(since: int, now: int, hours: int) -> str:
    ahead = since - now
    return "" if ahead >= hours * HOUR_MS else f"recorded {span(ahead)} ahead, the contract asks for {hours} h"


def span(milliseconds: int) -> str:
    """A length of time as it is said: `45 s`, `12 min`, `3 h 20 min`, `4 d 3 h`."""
    seconds = milliseconds // 1000
    if seconds < 60:
        return f"{seconds} s"
    minutes, hours, days = seconds // 60, seconds // 3_600, seconds // 86_400
    if hours < 1:
        return f"{minutes} min"
    if days < 1:
        return f"{hours} h {minutes % 60} min" if minutes % 60 else f"{hours} h"
    return f"{days} d {hours % 24} h" if hours % 24 else f"{days} d"
