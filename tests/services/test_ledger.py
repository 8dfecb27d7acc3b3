"""Ledger: every minute has its figure, in order and without a gap, and declared intervals are taken out."""

from __future__ import annotations

from collections.abc import Iterator

from services.measurement.ledger import HOUR_MS, SETTLED_AFTER_MS, Ledger
from services.measurement.minutes import Minute
from services.measurement.raw import Held, RawMinute
from services.sheets import MINUTE_MS
from tests.services.measured import START, minute, objective, own, received, sheet

BACKLOG = objective("backlog", "broker")


def backlogs(*at: int) -> Held:
    return received(*(minute(sheet("contract", own(backlog=[0, 0, 9])), at=START + n * MINUTE_MS) for n in at))


def ledger(raw: Held, now: int = START + HOUR_MS, **more: object) -> Ledger:
    return Ledger(raw, clock=lambda: now, **more)  # type: ignore[arg-type]


def test_minutes_that_nothing_was_received_of_stand_among_the_others_as_bad() -> None:
    found = ledger(backlogs(0, 2)).minutes(BACKLOG, START, START + 4 * MINUTE_MS)
    assert [(one.at - START, one.good, one.total, one.no_data) for one in found] == [
        (0, 2, 3, False), (MINUTE_MS, 0, 1, True), (2 * MINUTE_MS, 2, 3, False), (3 * MINUTE_MS, 0, 1, True),
    ]  # fmt: skip


def test_nothing_is_told_of_the_time_before_the_first_measurement_nor_of_a_minute_that_is_not_settled() -> None:
    now = START + 3 * MINUTE_MS + SETTLED_AFTER_MS
    found = ledger(backlogs(1, 2, 3), now).minutes(BACKLOG, 0, now)
    assert [one.at for one in found] == [START + MINUTE_MS, START + 2 * MINUTE_MS]
    assert ledger(received()).minutes(BACKLOG, 0, now) == []


def test_declared_intervals_take_their_share_of_a_minute_out() -> None:
    ways = ledger(backlogs(0, 1), intervals=lambda _, at: {"maintenance": 0.5} if at == START else {})
    first, second = ways.minutes(BACKLOG, START, START + 2 * MINUTE_MS)
    assert (first.excluded, first.adjusted_good, first.adjusted_total) == ({"maintenance": 1.5}, 1.0, 1.5)
    assert not second.excluded


def test_intervals_that_overlap_take_nothing_out_twice() -> None:
    ways = ledger(backlogs(0), intervals=lambda *_: {"maintenance": 1.0, "force_majeure": 1.0})
    (found,) = ways.minutes(BACKLOG, START, START + MINUTE_MS)
    assert (found.adjusted_good, found.adjusted_total) == (0, 0)
    assert found.excluded == {"maintenance": 1.5, "force_majeure": 1.5}


def test_hours_that_are_rolled_up_are_read_from_there_and_the_rest_is_measured() -> None:
    class RolledUp:
        def hours(self, *_: object) -> dict[int, list[Minute]]:
            return {START: [Minute(START + n * MINUTE_MS, 7, 7) for n in range(60)]}

    found = ledger(backlogs(0, 60), now=START + 2 * HOUR_MS, rolled_up=RolledUp()).minutes(
        BACKLOG, START + 58 * MINUTE_MS, START + 62 * MINUTE_MS
    )
    assert [one.good for one in found] == [7, 7, 2, 0]


class Read:
    """Raw minutes that note which of them were read."""

    def __init__(self, held: Held) -> None:
        self._held, self.read = held, list[int]()
        self.began_at, self.received = held.began_at, held.received

    def minutes(self, since: int, until: int) -> Iterator[RawMinute]:
        for raw in self._held.minutes(since, until):
            self.read.append((raw.at - START) // MINUTE_MS)
            yield raw


def test_a_minute_is_read_once_for_all_objectives_and_again_only_when_more_was_received_of_it() -> None:
    looser = objective("backlog", "broker", limit=10.0)
    raw = Read(backlogs(0, 1, 3))
    ways = Ledger(raw, together=[BACKLOG, looser], clock=lambda: START + HOUR_MS)
    span = (START, START + 4 * MINUTE_MS)
    alone = [Ledger(raw._held, clock=lambda: START + HOUR_MS).minutes(one, *span) for one in (BACKLOG, looser)]
    assert [ways.minutes(one, *span) for one in (BACKLOG, looser, BACKLOG)] == [*alone, alone[0]]
    assert raw.read == [0, 1, 3]
    late = minute(sheet("contract", own(backlog=[0])), sheet("web", own(backlog=[0])), at=START + MINUTE_MS)
    raw._held = received(raw._held.held[0], late, raw._held.held[2])
    raw.received = raw._held.received
    assert [one.total for one in ways.minutes(looser, *span)] != [one.total for one in alone[1]]
    assert raw.read == [0, 1, 3, 1]
