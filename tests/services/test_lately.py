"""Lately: the limit that would have held is found for every kind, and not where too little was counted."""

from __future__ import annotations

from typing import Any

import pytest

from services.measurement.lately import lately
from services.measurement.raw import RawMinute
from tests.services.measured import START, minute, objective, own, probe, sheet, viewed

WAITS = [0.1] * 18 + [2.0, 30.0]


@pytest.mark.parametrize(("share", "limit"), [(0.5, 0.1), (0.95, 2.0), (0.99, 30.0)])
def test_the_limit_is_what_the_share_was_within(share: float, limit: float) -> None:
    raw = [minute(sheet("web", own(ingested_to_sent=WAITS)))]
    assert lately(objective("latency", "gateway", share=share), raw) == pytest.approx(limit, rel=0.03)


@pytest.mark.parametrize(
    ("kind", "point", "raw"),
    [
        ("latency", "browser", minute(sheet("web", viewed("created_to_painted", WAITS)))),
        ("freshness", "browser", minute(sheet("web", viewed("event_age", WAITS)))),
        ("interaction", "browser", minute(sheet("web", viewed("interaction", WAITS)))),
        ("reconnect", "browser", minute(sheet("web", viewed("reconnect", WAITS)))),
        ("first_value", "browser", minute(sheet("web", viewed("first_value", WAITS)))),
        ("update_interval", "gateway", minute(sheet("web", own(update_interval=WAITS)))),
        ("backlog", "broker", minute(sheet("contract", own(backlog=WAITS)))),
        ("availability", "probe", minute(probes=[probe(one) for one in WAITS])),
    ],
)
def test_every_kind_with_a_limit_has_one(kind: Any, point: Any, raw: RawMinute) -> None:
    assert lately(objective(kind, point), [raw]) == pytest.approx(2.0, rel=0.03)


def test_nothing_is_said_of_few_of_minutes_without_data_or_of_probes_that_never_came_back() -> None:
    gateway = objective("latency", "gateway")
    assert lately(gateway, [minute(sheet("web", own(ingested_to_sent=[0.1] * 19)))]) is None
    assert lately(gateway, [minute(), minute(at=START + 60_000)]) is None
    assert lately(objective("availability", "probe"), [minute(probes=[probe(None)] * 100)]) is None
