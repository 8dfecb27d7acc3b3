"""Lately: the limit that an objective would just have held in the minutes that were measured last.

It asks the same counting as the ledger does, with one limit after another: so the answer holds for every kind.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from services.contract.document import Objective
from services.measurement.kinds import measure
from services.measurement.minutes import Score
from services.measurement.raw import RawMinute
from services.sketch import ACCURACY

SMALLEST, LARGEST = 1e-3, 1e7
COUNTED_MIN = 20
"""Fewer say nothing of a share."""


def lately(objective: Objective, raw: Sequence[RawMinute]) -> float | None:
    """The least limit, within 1 %, that the objective's share held; None where too little was counted or none does.

    In seconds, for `backlog` in events. Minutes without data are left out: they say nothing of any limit.
    """
    if objective.kind == "availability" and objective.point == "browser":
        return None  # it has no limit
    low, high = SMALLEST, LARGEST
    if not _holds(objective, raw, high):
        return None
    while high / low > 1 + ACCURACY:
        middle = (low * high) ** 0.5
        low, high = (low, middle) if _holds(objective, raw, middle) else (middle, high)
    return high


def _holds(objective: Objective, raw: Sequence[RawMinute], limit: float) -> bool:
    tried = replace(objective, limit=limit)
    score = Score.of(minute for minute in (measure(tried, one) for one in raw) if not minute.no_data)
    return score.total >= COUNTED_MIN and score.share is not None and score.share >= objective.share
