"""Columns: what passes by the column would pass one by one, with the same events; any doubt is left to the latter."""

from __future__ import annotations

from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.columns import FEWEST, ColumnValidator
from services.events import Validator
from tests.feeds import Orders
from tests.system import START_MS, order

COLUMNS, ONE_BY_ONE = ColumnValidator(Orders.declaration), Validator(Orders.declaration)
NOW = START_MS + 1_000
ODD: dict[str, Any] = {
    "id": st.sampled_from([None, 7, "", "x" * 200, "é"]),
    "created_at": st.sampled_from([None, NOW + 1, NOW + 100_000, 5, "now", 1.5]),
    "price": st.sampled_from([None, float("nan"), float("inf"), 1e301, 2**60, 10**400, "dear", True, -0.0, 7]),
    "pieces": st.sampled_from([None, 3, 2**60, 1.0, True]),
    "paid": st.sampled_from([None, True, 1]),
    "note": st.sampled_from([None, "", "ü", "\x00", "\ud800", "x" * 300, 4]),
    "other": st.just(1),
}
CHANGES = st.dictionaries(st.integers(0, FEWEST), st.fixed_dictionaries({}, optional=ODD), max_size=3)


@given(CHANGES, st.fixed_dictionaries({}, optional=ODD), st.booleans())
def test_by_the_column_comes_what_comes_one_by_one(
    changes: dict[int, dict[str, Any]], everywhere: dict[str, Any], without_price: bool
) -> None:
    records = [{**order(number), **everywhere, **changes.get(number, {})} for number in range(FEWEST + 1)]
    if without_price:
        del records[0]["price"]
    found = COLUMNS.events(records, NOW)
    if found is None:
        return
    expected = [ONE_BY_ONE.event(record, NOW) for record in records]
    if records[0].get("id") is None:
        assert all(len(event.id) == 32 and not event.given_id for event in found)
    else:
        assert found == expected
    assert [_but_id(event.body) for event in found] == [_but_id(event.body) for event in expected]


def _but_id(body: bytes) -> dict[str, Any]:
    return {name: value for name, value in orjson.loads(body).items() if name != "id"}


def test_plain_records_leave_no_doubt() -> None:
    records = [order(number, pieces=number, paid=True, note="as it came") for number in range(20)]
    assert COLUMNS.events(records, NOW) == [ONE_BY_ONE.event(record, NOW) for record in records]


@pytest.mark.parametrize("text", ['},{"id":"', "},{", '"},{"id":"', "\\", '\\"},{"id":"', "}]", ""])
def test_a_text_that_looks_like_json_stays_in_its_event(text: str) -> None:
    records = [order(number, note=text, shop=text + "x") for number in range(20)]
    assert COLUMNS.events(records, NOW) == [ONE_BY_ONE.event(record, NOW) for record in records]


def test_records_without_an_id_get_one_each() -> None:
    records = [{name: value for name, value in order(number).items() if name != "id"} for number in range(20)]
    found = COLUMNS.events(records, NOW)
    assert found is not None
    assert len({event.id for event in found}) == 20


@pytest.mark.parametrize("odd", [5, None, [], "text"])
def test_what_is_no_object_is_left_to_be_named(odd: Any) -> None:
    assert COLUMNS.events([*(order(number) for number in range(20)), odd], NOW) is None
