"""Ledger: the minutes of every objective, as budget, alerts, report and pages read them.

Hours that are over come from their roll-up, which never changes; the others are measured from what was received.
Both ways give the same digits. Intervals that the contract excludes are applied last, since some of them are
declared, or confirmed, after the minute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from services.contract.document import Objective
from services.measurement.kinds import measure, no_data, objective_rule, with_intervals
from services.measurement.minutes import MINUTE_MS, Minute
from services.measurement.raw import Raw
from services.positions import Clock, wall_clock

SETTLED_AFTER_MS = 30_000
"""A minute is told once it has been over for so long: by then its sheets are there."""
HOUR_MS = 3_600_000
KNOWN_MINUTES = 180
"""Minutes that were measured once are not measured again while nothing new is received of them."""

Intervals = Callable[[Objective, int], Mapping[str, float]]
"""The shares of the minute at a moment that declared intervals exclude for an objective, by name."""


class RolledUp(Protocol):
    """Where closed hours lie."""

    def hours(self, objective: Objective, since: int, until: int) -> Mapping[int, list[Minute]]:
        """The minutes of those hours, by the hour's begin, that are rolled up already."""


class Ledger:
    """What was measured, objective by objective.

    A raw minute is large and its figures are small: what is read is measured for all objectives that are `together`,
    which are asked for one after the other, and let go.
    """

    def __init__(
        self,
        raw: Raw,
        *,
        together: Sequence[Objective] = (),
        rolled_up: RolledUp | None = None,
        intervals: Intervals | None = None,
        clock: Clock = wall_clock,
    ) -> None:
        self._raw, self._rolled_up, self._intervals, self._clock = raw, rolled_up, intervals, clock
        self._together = {objective_rule(one): one for one in together}
        self._known: dict[tuple[str, ...], dict[int, tuple[int, Minute]]] = {}

    def minutes(self, objective: Objective, since: int, until: int) -> list[Minute]:
        """Every minute from `since` to before `until` in order, exclusions applied, without a gap.

        It begins at the first minute that was ever measured, and ends before the first that is not settled yet.
        """
        first, end = self._bounds(since, until)
        found = self._measured(objective, first, end)
        if self._intervals is None:
            return list(found)
        return [with_intervals(minute, self._intervals(objective, minute.at)) for minute in found]

    def _bounds(self, since: int, until: int) -> tuple[int, int]:
        began = self._raw.began_at()
        if began is None:
            return 0, 0
        settled = (self._clock() - SETTLED_AFTER_MS) // MINUTE_MS * MINUTE_MS
        return max(-(-since // MINUTE_MS) * MINUTE_MS, began), min(until // MINUTE_MS * MINUTE_MS, settled)

    def _measured(self, objective: Objective, first: int, end: int) -> Iterator[Minute]:
        hours = {} if self._rolled_up is None else self._rolled_up.hours(objective, first, end)
        at = first
        while at < end:
            hour = at // HOUR_MS * HOUR_MS
            upto = min(end, hour + HOUR_MS)
            if hour in hours:
                yield from (minute for minute in hours[hour] if at <= minute.at < upto)
            else:
                upto = self._until_rolled_up(hours, hour, end)
                yield from self._from_raw(objective, at, upto)
            at = upto

    def _until_rolled_up(self, hours: Mapping[int, list[Minute]], hour: int, end: int) -> int:
        """One read for all hours in a row that are not rolled up."""
        while hour < end and hour not in hours:
            hour += HOUR_MS
        return min(hour, end)

    def _from_raw(self, objective: Objective, first: int, end: int) -> Iterator[Minute]:
        """Measured from what was received, without declared intervals; what is known of a minute is kept a while."""
        known = self._known.setdefault(objective_rule(objective), {})
        received = self._raw.received(first, end)
        fresh = [at for at, count in received.items() if known.get(at, (0, None))[0] != count]
        # Of a long interval the others' figures would be let go before anybody asked for them.
        together = self._together if end - first <= KNOWN_MINUTES * MINUTE_MS else {}
        for since, until in _stretches(fresh):
            for raw in self._raw.minutes(since, until):
                for rule, one in ({objective_rule(objective): objective} | together).items():
                    self._known.setdefault(rule, {})[raw.at] = (received.get(raw.at, 0), measure(one, raw))
        for at in range(first, end, MINUTE_MS):
            yield known[at][1] if at in received else no_data(at)
        for figures in self._known.values():
            for at in sorted(figures)[: -KNOWN_MINUTES or None]:
                del figures[at]


def _stretches(minutes: Iterable[int]) -> Iterator[tuple[int, int]]:
    """Minutes that follow one another, as (first, end), in order."""
    found: list[list[int]] = []
    for at in sorted(minutes):
        if found and at == found[-1][1]:
            found[-1][1] = at + MINUTE_MS
        else:
            found.append([at, at + MINUTE_MS])
    return ((first, end) for first, end in found)
