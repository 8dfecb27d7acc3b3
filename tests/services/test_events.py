"""Events: every way in which a record can be wrong has its reason, and names the remedy."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from headwater import Feed, Http, Text
from services.events import EARLIEST_MS, Event, Refused, Validator
from tests.feeds import Orders

NOW = 1_700_000_000_000
GOOD: dict[str, Any] = {"id": "a", "created_at": NOW, "order": "o1", "shop": "north", "price": 1.5}
VALIDATOR = Validator(Orders.declaration)


def _deep(levels: int) -> Any:
    nested: Any = 1
    for _ in range(levels):
        nested = [nested]
    return nested


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"price": None}, "missing_field"),
        ({"price": "1.5"}, "wrong_type"),
        ({"price": True}, "wrong_type"),
        ({"pieces": 1.5}, "wrong_type"),
        ({"paid": 1}, "wrong_type"),
        ({"shop": {"name": "north"}}, "wrong_type"),
        ({"shop": _deep(20)}, "too_deep"),
        ({"price": float("nan")}, "not_finite"),
        ({"price": float("inf")}, "not_finite"),
        ({"price": 10**400}, "too_large"),
        ({"price": 1e305}, "too_large"),
        ({"pieces": 2**53 + 1}, "too_large"),
        ({"shop": "x" * 201}, "too_large"),
        ({"created_at": NOW // 1000}, "bad_timestamp"),
        ({"created_at": "2024-01-01"}, "bad_timestamp"),
        ({"created_at": float(NOW)}, "bad_timestamp"),
        ({"created_at": NOW + 60_001}, "future_timestamp"),
        ({"id": ""}, "bad_id"),
        ({"id": "x" * 129}, "bad_id"),
        ({"id": ["a"]}, "bad_id"),
        ({"id": "a\nb"}, "bad_id"),
        ({"shop": "nul\x00"}, "bad_text"),
        ({"shop": "lone \ud800"}, "bad_text"),
    ],
)
def test_a_wrong_record_is_refused_with_its_reason(change: dict[str, Any], reason: str) -> None:
    with pytest.raises(Refused) as refused:
        VALIDATOR.event({**GOOD, **change}, NOW)
    assert refused.value.reason == reason
    assert next(iter(change)) in refused.value.detail


@pytest.mark.parametrize("record", [None, 1, "text", [GOOD]])
def test_a_record_that_is_no_object_is_a_wrong_type(record: Any) -> None:
    with pytest.raises(Refused) as refused:
        VALIDATOR.event(record, NOW)
    assert refused.value.reason == "wrong_type"


def _body(event: Event) -> dict[str, Any]:
    body: dict[str, Any] = orjson.loads(event.body)
    return body


def test_a_good_record_becomes_an_event_with_its_times_and_declared_fields_only() -> None:
    event = VALIDATOR.event({**GOOD, "unknown": 1, "note": None}, NOW + 5)
    assert _body(event) == {**GOOD, "ingested_at": NOW + 5}
    assert event.given_id


def test_a_record_without_id_gets_one_that_is_not_its_own() -> None:
    record = {name: value for name, value in GOOD.items() if name != "id"}
    first, second = VALIDATOR.event(record, NOW), VALIDATOR.event(record, NOW)
    assert first.id != second.id
    assert not first.given_id


def test_a_stamp_slightly_ahead_is_clamped_and_flagged() -> None:
    body = _body(VALIDATOR.event({**GOOD, "created_at": NOW + 60_000}, NOW))
    assert (body["created_at"], body["clamped"]) == (NOW, True)


def test_a_record_without_a_stamp_counts_from_its_arrival() -> None:
    record = {name: value for name, value in GOOD.items() if name != "created_at"}
    assert VALIDATOR.event(record, NOW).created_at == NOW


def test_the_earliest_stamp_is_accepted() -> None:
    assert VALIDATOR.event({**GOOD, "created_at": EARLIEST_MS}, NOW).created_at == EARLIEST_MS


def test_an_event_is_bounded_as_a_whole() -> None:
    class Letters(Feed, name="letters", key="k", source=Http(), freshness=Orders.declaration.freshness):
        k = Text()
        body = Text(max_length=100_000)

    with pytest.raises(Refused) as refused:
        Validator(Letters.declaration).event({"k": "a", "body": "x" * 20_000}, NOW)
    assert refused.value.reason == "too_large"


def test_a_strict_feed_refuses_fields_that_it_does_not_declare() -> None:
    class Exact(Feed, name="exact", key="k", source=Http(), freshness=Orders.declaration.freshness, strict=True):
        k = Text()

    with pytest.raises(Refused) as refused:
        Validator(Exact.declaration).event({"k": "a", "price": 1}, NOW)
    assert (refused.value.reason, refused.value.detail) == ("unknown_field", "price: the feed does not declare it")
