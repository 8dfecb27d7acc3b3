"""State: the cases that Python and JavaScript share, and merging that is associative."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.declare import Keep, Kind
from services.state import LogState, State, merge, state_of

CASES = Path(__file__).parents[1] / "cases"


def _cases(name: str) -> list[Any]:
    cases: list[Any] = json.loads((CASES / name).read_text())
    assert cases, f"{name} holds no case"
    return cases


def _state(kind: Kind, keep: Keep, start: dict[str, Any] | None) -> State:
    state = state_of(kind, keep)
    if start:
        state.apply(_as_delta(kind, start))
    return state


def _as_delta(kind: Kind, snapshot: dict[str, Any]) -> dict[str, Any]:
    return {"set": snapshot["rows"]} if kind == "latest" else snapshot


@pytest.mark.parametrize("case", _cases("state.json"), ids=lambda case: case["name"])
def test_deltas_are_folded_as_in_the_browser(case: Any) -> None:
    state = _state(case["kind"], Keep(**case["keep"]), case["start"])
    for step in case["steps"]:
        state.apply(step["delta"])
    assert state.data() == case["end"]


@pytest.mark.parametrize("case", _cases("merge.json"), ids=lambda case: case["name"])
def test_two_deltas_become_one_with_the_effect_of_both(case: Any) -> None:
    kind, keep = case["kind"], Keep(**case["keep"])
    merged = merge(kind, case["earlier"], case["later"])
    assert merged == case["merged"]
    in_order, at_once = (_state(kind, keep, case["start"]) for _ in range(2))
    in_order.apply(case["earlier"])
    in_order.apply(case["later"])
    at_once.apply(merged)
    assert at_once.data() == in_order.data()


KEYS = st.sampled_from("abc")
FIELDS = st.dictionaries(st.sampled_from("xyz"), st.integers(0, 9), min_size=1)
LATEST = st.fixed_dictionaries({"set": st.dictionaries(KEYS, FIELDS), "del": st.lists(KEYS, unique=True)})
POINTS = st.lists(st.tuples(st.integers(0, 20), st.integers(0, 9)), max_size=5, unique_by=lambda p: p[0])
SERIES = st.dictionaries(KEYS, POINTS.map(lambda points: [list(p) for p in sorted(points)]), max_size=2).map(
    lambda points: {"points": points}
)
ENTRIES = st.lists(st.integers(0, 30), max_size=5, unique=True).map(
    lambda numbers: {"entries": [{"id": f"e{n}", "created_at": n // 3} for n in sorted(numbers)]}
)
KEEP = Keep(span_ms=8, points_max=4, entries_max=6)


@pytest.mark.parametrize(("kind", "deltas"), [("latest", LATEST), ("series", SERIES), ("log", ENTRIES)])
def test_merged_deltas_have_the_effect_of_the_deltas_in_order(kind: Kind, deltas: st.SearchStrategy[Any]) -> None:
    @given(st.lists(deltas, min_size=3, max_size=3), deltas)
    def check(three: list[Any], start: Any) -> None:
        one_by_one, left, right = (_started(kind, start) for _ in range(3))
        for delta in three:
            one_by_one.apply(delta)
        a, b, c = three
        left.apply(merge(kind, merge(kind, a, b), c))
        right.apply(merge(kind, a, merge(kind, b, c)))
        assert left.data() == right.data() == one_by_one.data()

    check()


def _started(kind: Kind, start: Any) -> State:
    state = state_of(kind, KEEP)
    state.apply(start)
    return state


def test_a_log_keeps_the_newest_entries_in_order_of_event_time() -> None:
    state = LogState(Keep(entries_max=2))
    state.apply({"entries": [{"id": "b", "created_at": 2}, {"id": "a", "created_at": 1}]})
    state.apply({"entries": [{"id": "c", "created_at": 3}]})
    assert [entry["id"] for entry in state.data()["entries"]] == ["b", "c"]
