"""Objectives: the rule that holds the budgets of all objectives against the contract, once for each settled minute."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from services.alerts.budget import settled
from services.alerts.burns import burning, without_data
from services.alerts.finding import Finding
from services.alerts.sight import Sight
from services.contract.alerting import Alerting
from services.contract.document import Objective
from services.measurement.minutes import MINUTE_MS, Minute

KEYS = ("burn:", "no-data:")
CORRECTED_MS = 15 * MINUTE_MS
"""How far back a minute may still change by sheets that came late; read again each minute."""
READ_AGAIN_MS = 60 * MINUTE_MS
"""How often everything is read again: what is declared or confirmed later changes older minutes."""


class Minutes(Protocol):
    """Where the minutes of objectives lie."""

    def minutes(self, objective: Objective, since: int, until: int) -> list[Minute]:
        """Those from `since` to before `until`. Raises DatabaseDown."""


class History:
    """The minutes of one objective over the longest window, kept so that each is read once."""

    def __init__(self, objective: Objective, ledger: Minutes, span_ms: int) -> None:
        self._objective, self._ledger, self._span_ms = objective, ledger, span_ms
        self._minutes: dict[int, Minute] = {}
        self._until = self._read_all_at = 0

    def until(self, until: int) -> Sequence[Minute]:
        """Those of the span before `until`, oldest first."""
        first = until - self._span_ms
        if until - self._read_all_at >= READ_AGAIN_MS:
            since, kept = first, {}
        else:
            since = max(first, self._until - CORRECTED_MS)
            kept = {at: minute for at, minute in self._minutes.items() if first <= at < since}
        found = self._ledger.minutes(self._objective, since, until)
        if since == first:
            self._read_all_at = until
        self._minutes, self._until = kept | {minute.at: minute for minute in found}, until
        return list(self._minutes.values())


class Objectives:
    """Burn rates and missing data of every objective. Raises DatabaseDown where they cannot be read."""

    def __init__(self, objectives: Sequence[Objective], alerting: Alerting, ledger: Minutes) -> None:
        span_ms = 1_000 * max([alerting.no_data_after_s, *(rule.long_s for rule in alerting.burn)])
        self._histories = {one.name: History(one, ledger, span_ms) for one in objectives}
        self._objectives, self._alerting = objectives, alerting
        self._until, self._found = 0, list[Finding]()

    def look(self, sight: Sight) -> Sequence[Finding]:
        """What the last settled minute shows; looked at once, since it does not change until the next."""
        until = settled(sight.at)
        if until != self._until:
            self._found = [finding for one in self._objectives for finding in self._look(one, sight, until)]
            self._until = until
        return self._found

    def _look(self, objective: Objective, sight: Sight, until: int) -> list[Finding]:
        minutes = self._histories[objective.name].until(until)
        return [
            *burning(objective, self._alerting, minutes, sight),
            *without_data(objective, self._alerting, minutes, sight),
        ]
