"""Enriched: a feed for tests whose events go through a step of each kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from headwater import Anomaly, Feed, Freshness, Http, Latest, Log, Number, Text, joined

RULE = Freshness(expected_every_s=1, late_after_s=3, stale_after_s=10)
HALLS = {"a": {"name": "North"}, "b": {"name": "South"}}


def kelvin(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """The same in kelvin."""
    return {"kelvin": event["value"] + 273.15}


def possible(event: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Nothing below absolute zero."""
    return {} if event["kelvin"] >= 0 else None


def strict(event: Mapping[str, Any]) -> Mapping[str, Any]:
    """A step that cannot do with 13."""
    if event["value"] == 13:
        raise ValueError("thirteen")
    return {}


class Readings(
    Feed, name="readings", key="sensor", source=Http(), freshness=RULE, lateness_s=3_600,
    enrich=[
        kelvin, possible, joined(HALLS, on="sensor", take={"hall": "name"}),
        Anomaly("value", into="unusual", window=20), strict,
    ],
):
    """Readings of sensors."""

    sensor = Text()
    value = Number()
    kelvin = Number(required=False)
    hall = Text(required=False)
    unusual = Number(required=False)


class Newest(Latest, feed=Readings):
    """The newest reading of each sensor."""


class Entries(Log, feed=Readings, entries_max=200):
    """All of them."""
