"""What the operations page answers to a click, also to one that a browser never made."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from callbacks.quarantine import answered as of_quarantine
from callbacks.trace import answered as of_trace
from services.broker import BrokerDown, Quarantined
from services.declare import Lane
from services.tracing.trace import Trace
from tests.components.drawn import texts

LANE = Lane("orders", 0)
TRACE = Trace("e1", "req-1", LANE, "1-0", "stream", "waiting", 1_000, 1_020, False, (), (), ())
HELD = Quarantined(LANE, "17-0", {"id": "bad-1", "note": "<b>x</b>"}, "TypeError", 1_000)


class Keeper:
    """A quarantine with one entry, and what was done to it."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str, str]] = []

    def entries(self) -> list[Quarantined]:
        return [HELD]

    def act(self, act: str, lane: str, entry: str) -> str:
        self.done.append((act, lane, entry))
        return "done"


def test_an_event_is_drawn_with_its_stages() -> None:
    drawn = " ".join(texts(one) for one in of_trace(" e1 ", lambda wanted: [TRACE] if wanted == "e1" else []))
    for text in ("e1", "req-1", "accepted", "20 ms", "lane orders.0, entry 1-0", "it waits on the stream"):
        assert text in drawn


@pytest.mark.parametrize("wanted", [None, "", 7, {"a": 1}, "nothing"])
def test_what_is_not_known_or_no_id_at_all_is_answered(wanted: Any) -> None:
    assert "No event" in texts(of_trace(wanted, lambda _: []))


def test_who_may_not_trace_is_told_and_so_is_a_broker_that_is_away() -> None:
    def away(_: str) -> list[Trace]:
        raise BrokerDown("broker x: down")

    assert "Only an admin" in texts(of_trace("e1", lambda _: None))
    assert "broker x: down" in texts(of_trace("e1", away))


def test_an_entry_of_the_quarantine_is_listed_without_its_values() -> None:
    drawn, said = of_quarantine(None, Keeper())
    assert "bad-1" in texts(drawn)
    assert "<b>" not in texts(drawn)
    assert said == ""


def test_where_a_step_failed_is_listed_below_its_reason() -> None:
    class Failed(Keeper):
        def entries(self) -> list[Quarantined]:
            return [replace(HELD, why='kelvin: ValueError: "x"\n  File "feeds/a.py", line 7, in kelvin')]

    drawn, _ = of_quarantine(None, Failed())
    assert 'kelvin: ValueError: "x"' in texts(drawn)
    assert "line 7, in kelvin" in texts(drawn)


def test_a_click_is_done_once_and_a_forged_one_is_not() -> None:
    keeper = Keeper()
    clicked = {"type": "quarantine-act", "act": "replay", "lane": "orders.0", "entry": "17-0"}
    assert of_quarantine(clicked, keeper)[1] == "done"
    for forged in ("quarantine-refresh", {**clicked, "act": "drop everything"}, 7, None):
        assert of_quarantine(forged, keeper)[1] == ""
    assert keeper.done == [("replay", "orders.0", "17-0")]
