"""Sheets: what a process measured in a minute arrives whole, and nobody outweighs the others."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from services.clocks import BrokerClock
from services.sheets import VIEWERS_APART, VIEWERS_HELD, Key, Sheet
from services.sketch import Sketch
from services.telemetry import SHEETS_KEPT, Telemetry

MINUTE = 60_000
START = 1_790_000_000_000 // MINUTE * MINUTE
COUNTS = st.lists(st.floats(-1e6, 1e6, allow_nan=False), min_size=1, max_size=200)


class Minutes:
    """A telemetry on a clock that is moved."""

    def __init__(self) -> None:
        self.now = START
        self.telemetry = Telemetry("web-1", "web", lambda: self.now)

    def report(self, viewer: str, *seconds: float) -> None:
        self.telemetry.absorb_line(
            "created_to_painted", Sketch.of(seconds), viewer=viewer, channel="a.b", page="/a", transport="socket"
        )

    def sheet(self) -> Sheet:
        self.now += MINUTE
        (sheet,) = self.telemetry.take_sheets()
        return sheet


def test_each_minute_has_a_sheet_of_its_own_also_where_nothing_was_measured() -> None:
    minutes = Minutes()
    minutes.telemetry.note("ingested_to_sent", 0.1, 3, "a.b")
    minutes.telemetry.count("frames", 3)
    first, second = minutes.sheet(), minutes.sheet()
    assert (first.minute, second.minute) == (START, START + MINUTE)
    assert first.lines[Key("ingested_to_sent", "a.b")].own.count == 3
    assert dict(first.counts) == {"frames": 3}
    assert not second.lines
    assert not second.counts


def test_a_sheet_is_read_as_it_was_written_and_equal_sheets_are_equal_bytes() -> None:
    minutes = Minutes()
    minutes.report("b", 0.1, 0.2)
    minutes.telemetry.note("backlog", 12)
    sheet = minutes.sheet()
    assert Sheet.decoded(sheet.encoded()).encoded() == sheet.encoded()


def test_sheets_that_could_not_be_handed_over_are_given_out_again_and_the_oldest_go_first() -> None:
    minutes = Minutes()
    sheet = minutes.sheet()
    minutes.telemetry.return_sheets([sheet])
    for _ in range(SHEETS_KEPT):
        minutes.now += MINUTE
        minutes.telemetry.return_sheets(minutes.telemetry.take_sheets())
    kept = minutes.telemetry.take_sheets()
    assert len(kept) == SHEETS_KEPT
    assert kept[0].minute == START + MINUTE


def test_few_viewers_are_kept_apart_and_a_crowd_is_one_sketch_in_which_nobody_weighs_more() -> None:
    minutes = Minutes()
    for viewer in range(VIEWERS_APART):
        minutes.report(str(viewer), 0.1)
    assert len(minutes.sheet().lines[Key("created_to_painted", "a.b", "/a")].viewers) == VIEWERS_APART
    for viewer in range(VIEWERS_HELD + 50):
        minutes.report(str(viewer), *([0.1] * 10))
    minutes.report("forged", *([60.0] * 5_000))
    line = minutes.sheet().lines[Key("created_to_painted", "a.b", "/a")]
    assert line.crowd_viewers == VIEWERS_HELD + 51
    assert line.crowd.count == 10 * line.crowd_viewers
    assert not line.viewers


@given(COUNTS, st.integers(1, 50))
def test_a_thinned_sketch_keeps_its_quantiles(values: list[float], most: int) -> None:
    whole = Sketch.of(values)
    thin = whole.thinned(most)
    assert thin.count == min(most, whole.count)
    for q in (0.0, 0.5, 1.0):
        near = [whole.quantile(min(1.0, max(0.0, q + by / thin.count))) for by in (-1, 1)]
        low, found, high = near[0], thin.quantile(q), near[1]
        assert low is not None
        assert found is not None
        assert high is not None
        assert low <= found <= high


def test_a_process_counts_time_as_the_broker_does_where_the_difference_is_proven() -> None:
    clock = BrokerClock(lambda: 1_000)
    clock.sample(1_000, 1_400, 1_150)
    assert clock() == 1_000  # 50 ms off, ± 200
    clock.sample(2_000, 2_002, 7_001)
    assert (clock(), clock.error_ms) == (6_000, 1.0)


def test_counts_within_a_limit_are_those_of_its_values() -> None:
    sketch = Sketch.of([0.0, 0.5, 1.0, 2.0])
    assert [sketch.within(limit) for limit in (0, 0.6, 1.1, 3)] == [1, 2, 3, 4]
    assert Sketch.of([-1.0]).within(-0.5) == 1
