"""Restated: an event that comes late into a closed window marks what it changes; the mark is kept with the value."""

from __future__ import annotations

import orjson

from services.declare import ChannelRef
from services.state import state_of
from tests.system import START_MS, System, order

WINDOW_MS = 5_000


def fill(system: System, windows: int) -> None:
    """An order in each of so many windows, the last of which is open."""
    system.now_ms = START_MS + 60_000
    system.post([order(n, at=START_MS + n * WINDOW_MS) for n in range(windows)])
    system.drain()


def come_late(system: System, number: int, into: int, price: float = 1.0) -> None:
    """An order of a window that was closed long ago."""
    system.post([order(number, at=START_MS + into * WINDOW_MS + number, price=price)])
    system.drain()


def test_a_late_event_marks_the_points_of_closed_windows_that_it_changes(system: System) -> None:
    fill(system, 5)
    assert "restated" not in system.data("orders.turnover"), "an open window that fills is not restated"
    come_late(system, 10, into=1)
    marked = [[START_MS + WINDOW_MS, 1], [START_MS + 2 * WINDOW_MS, 1]]
    assert system.data("orders.turnover")["restated"] == {"turnover:north": marked, "orders:north": marked}


def test_only_values_that_changed_are_marked_and_each_time_is_counted(system: System) -> None:
    fill(system, 5)
    come_late(system, 10, into=1, price=0.0)
    come_late(system, 11, into=1, price=5.0)
    restated = system.data("orders.turnover")["restated"]
    assert [times for _, times in restated["orders:north"]] == [2, 2]
    assert [times for _, times in restated["turnover:north"]] == [1, 1], "the first of them was worth nothing"


def test_what_came_late_into_the_open_window_restates_nothing(system: System) -> None:
    fill(system, 5)
    come_late(system, 10, into=4)
    assert "restated" not in system.data("orders.turnover")


def test_a_standby_goes_on_counting_where_the_former_worker_was(system: System) -> None:
    fill(system, 5)
    come_late(system, 10, into=1)
    system.broker._redis.delete("hw:{orders.0}:lease")
    system.processor = system.new_processor("worker-2")
    come_late(system, 11, into=1)
    assert [times for _, times in system.data("orders.turnover")["restated"]["orders:north"]] == [2, 2]
    assert system.data("orders.by_shop")["rows"]["north"]["restated"] == 2


def test_a_row_is_marked_as_long_as_a_restated_window_is_part_of_it(system: System) -> None:
    fill(system, 5)
    assert "restated" not in system.data("orders.by_shop")["rows"]["north"]
    come_late(system, 10, into=1)
    assert system.data("orders.by_shop")["rows"]["north"]["restated"] == 1
    system.post([order(20, at=START_MS + 40_000)])
    system.drain()
    assert "restated" not in system.data("orders.by_shop")["rows"]["north"], "the window has left the row"


def test_deltas_tell_of_marks_that_come_and_go_as_a_snapshot_does(system: System) -> None:
    refs = [ref for name in ("orders.by_shop", "orders.turnover") if (ref := system.declarations.resolve(name))]
    followed = {ref: state_of(ref.channel.kind, ref.channel.keep) for ref in refs}
    seen: dict[ChannelRef, int] = dict.fromkeys(refs, 0)
    marked = []
    for step in range(4):
        if step == 0:
            fill(system, 5)
        elif step == 3:
            system.post([order(20, at=START_MS + 40_000)])
            system.drain()
        else:
            come_late(system, 10 + step, into=1)
        for ref in refs:
            for delta in system.broker.read_range(ref, seen[ref]):
                followed[ref].apply(orjson.loads(delta.data))
                seen[ref] = delta.seq
            assert followed[ref].data() == system.data(ref.name), f"{ref.name} after step {step}"
        marked.append(["restated" in str(followed[ref].data()) for ref in refs])
    assert marked == [[False, False], [True, True], [True, True], [False, True]]
