"""Burn alerts: for a replayed series of burns, the exact minute of fire and of clear, worked out by hand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from zoneinfo import ZoneInfo

from services.alerts.burns import burning, without_data
from services.alerts.sight import Sight
from services.contract.alerting import DEFAULT_BURN
from services.contract.document import Objective
from services.measurement.ledger import SETTLED_AFTER_MS
from services.measurement.minutes import MINUTE_MS, Minute
from tests.alerts.minutes import START, alerting, lost, minute, objective

HISTORY = 3 * 24 * 60
"""Minutes before the first one that a test speaks of: the longest window is full."""


def sight(number: int) -> Sight:
    """What is seen as soon as the minute of that number is settled."""
    return Sight(
        at=START + (number + 1) * MINUTE_MS + SETTLED_AFTER_MS,
        zone=ZoneInfo("Europe/Berlin"),
        viewers=42,
        delay_ms=3_100,
    )


def replay(promise: Objective, minutes: Sequence[Minute], numbers: Iterable[int]) -> dict[float, list[int]]:
    """The minutes at whose end each factor burns; a look at the end of each of `numbers`."""
    fired: dict[float, list[int]] = {rule.rate: [] for rule in DEFAULT_BURN}
    for number in numbers:
        for finding in burning(promise, alerting(), minutes, sight(number)):
            fired[float(finding.key.rpartition(":")[2])].append(number)
    return fired


def series(bad: Iterable[int], last: int, bad_events: float = 100) -> list[Minute]:
    chosen = set(bad)
    return [minute(n, bad=bad_events if n in chosen else 0) for n in range(-HISTORY, last + 1)]


def test_a_total_failure_fires_and_clears_at_the_minutes_worked_out_by_hand() -> None:
    # 95 %: 14.4 times too fast is 72 % bad. Of 60 minutes that are 43.2: the 44th bad one, number 43, fires.
    # Bad are 0 to 59. Of five minutes 72 % are 3.6: with 60 and 61 good only three are bad, so 61 clears.
    fired = replay(objective(), series(range(60), 200), range(200))
    assert fired[14.4] == list(range(43, 61))
    # 6 times is 30 %: of 360 minutes 108. An hour of failure does not reach it.
    assert fired[6.0] == []
    # 1 time is 5 %: of 4320 minutes 216; not reached either.
    assert fired[1.0] == []


def test_a_slow_burn_fires_the_slow_rule_alone() -> None:
    # 40 % bad is 8 times too fast. 6 h: 30 % of 360 minutes are 108 bad minutes' worth = 270 minutes of 40 %.
    fired = replay(objective(), series(range(300), 400, bad_events=40), range(400))
    assert fired[14.4] == []
    assert fired[6.0][0] == 269
    # 30 min: below 30 % when less than 22.5 of its minutes are at 40 %: 22 of them, after eight good ones.
    assert fired[6.0][-1] == 306
    assert fired[6.0] == list(range(269, 307))


def test_a_tight_objective_fires_at_the_first_bad_minute_and_clears_when_five_are_over() -> None:
    # 99.9 %: 14.4 times is 1.44 % bad; of 60 minutes 0.864, so one bad minute is enough, over 1 h and over 5 min.
    fired = replay(objective(share=0.999), series([0], 90), range(-5, 90))
    assert fired[14.4] == [0, 1, 2, 3, 4]
    # 6 times is 0.6 %: of 360 minutes 2.16, not reached by one.
    assert fired[6.0] == []


def test_too_few_events_are_no_trend() -> None:
    fast = alerting(DEFAULT_BURN[:1])
    few = [minute(n, bad=1, total=1) for n in range(9)]
    assert list(burning(objective(), fast, few, sight(8))) == []
    assert len(list(burning(objective(), fast, [*few, minute(9, bad=1, total=1)], sight(9)))) == 1


def _rates(minutes: Sequence[Minute], number: int) -> list[str]:
    return [found.key.rpartition(":")[2] for found in burning(objective(), alerting(), minutes, sight(number))]


def test_a_rule_says_nothing_before_its_short_window_was_measured_in_full() -> None:
    # all bad from the first minute that was ever measured
    minutes = [minute(n, bad=100) for n in range(400)]
    fired = {number: sorted(_rates(minutes[: number + 1], number)) for number in (3, 4, 28, 29, 358, 359)}
    assert fired == {3: [], 4: ["14.4"], 28: ["14.4"], 29: ["14.4", "6"], 358: ["14.4", "6"], 359: ["1", "14.4", "6"]}


def test_the_text_says_what_changed_where_and_whether_viewers_are_affected() -> None:
    (finding,) = burning(objective(), alerting(DEFAULT_BURN[:1]), series(range(44), 43), sight(43))
    assert finding.text == (
        "flights-painted: the error budget goes 14.7 times too fast over 1 h; 100 % events later than 2 s in the last "
        "5 min, where 5 % is tolerated: live tiles delayed by 3.1 s for 42 viewers since 23:14"
    )
    assert (finding.since, finding.severity, finding.objective) == (START, "critical", "flights-painted")


def test_no_data_is_told_after_as_many_minutes_as_the_contract_says() -> None:
    minutes = [minute(0), *(lost(n) for n in range(1, 8))]

    def told(number: int) -> list[str]:
        return [found.text for found in without_data(objective(), alerting(), minutes[: number + 1], sight(number))]

    assert [bool(told(n)) for n in range(8)] == [False] * 5 + [True] * 3
    (text,) = told(7)
    assert text.startswith("flights-painted: nothing was measured at the browser since 23:15, which counts as bad")
    assert list(without_data(objective(), alerting(no_data_after_s=0), minutes, sight(7))) == []
