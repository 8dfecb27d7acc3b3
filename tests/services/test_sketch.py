"""Sketch and accumulators: within 1 %, and to the digit the same in every order."""

from __future__ import annotations

import json
import math
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accumulators import Sum
from services.batch import Batch
from services.sketch import ACCURACY, Sketch

FINITE = st.floats(allow_nan=False, allow_infinity=False, min_value=-1e300, max_value=1e300)
PLAIN = st.floats(min_value=1e-6, max_value=1e9) | st.floats(min_value=-1e9, max_value=-1e-6) | st.just(0.0)


@given(st.lists(PLAIN, min_size=1, max_size=200), st.floats(0, 1))
def test_a_quantile_is_within_one_percent(values: list[float], q: float) -> None:
    found = Sketch.of(values).quantile(q)
    exact = sorted(values)[math.floor(q * (len(values) - 1))]
    assert found is not None
    assert math.isclose(found, exact, rel_tol=ACCURACY * 1.0001, abs_tol=1e-9)


@given(st.lists(PLAIN, max_size=60), st.lists(PLAIN, max_size=60))
def test_sketches_merge_to_the_sketch_of_all(left: list[float], right: list[float]) -> None:
    merged = Sketch.of(left)
    merged.merge(Sketch.of(right))
    assert merged.as_json() == Sketch.of([*right, *left]).as_json()
    assert Sketch.from_json(json.loads(json.dumps(merged.as_json()))).as_json() == merged.as_json()


def test_a_sketch_of_nothing_has_no_quantile() -> None:
    assert Sketch().quantile(0.5) is None


@given(st.lists(FINITE, max_size=50), st.integers(0, 2**32))
def test_a_sum_is_exactly_rounded_in_every_order_and_grouping(values: list[float], seed: int) -> None:
    shuffled = list(values)
    random.Random(seed).shuffle(shuffled)
    parts = [Sum(), Sum(), Sum()]
    for index, value in enumerate(shuffled):
        parts[index % 3].fold(Batch([{"value": value}]), "value")
    whole = Sum()
    for part in parts:
        stored = Sum()
        stored.load(json.loads(json.dumps(part.as_json())))
        whole.merge(stored)
    assert whole.total() == math.fsum(values)


@given(st.lists(FINITE, max_size=50), st.integers(0, 50))
def test_a_sum_of_many_at_once_is_exactly_rounded_too(values: list[float], cut: int) -> None:
    total = Sum()
    for part in (values[:cut], values[cut:]):
        total.fold(Batch([{"value": value} for value in part]), "value")
    assert total.total() == math.fsum(values)


@pytest.mark.parametrize("big", [1e16, 1e300])
def test_a_sum_keeps_what_a_float_would_lose(big: float) -> None:
    total = Sum()
    for value in (big, 1.0, -big):
        total.fold(Batch([{"value": value}]), "value")
    assert total.total() == 1.0
