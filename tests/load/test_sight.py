"""Sight: an objective fails by what was seen, and by what should have been seen and was not."""

from __future__ import annotations

from dataclasses import replace

from services.contract.document import Objective
from services.load.sight import LOOKED_MIN_S, TOTAL_MIN, Sight
from tests.contract.written import shop

SENT = next(one for one in shop().objectives if one.name == "orders-sent")


class Moved:
    """A clock that a test moves."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def looked(seconds: int, channel: str, *, accepted: int = 0, sent: float | None = None) -> Sight:
    """Somebody looked at the channel so long, while so many orders a second were accepted, and seen after `sent`."""
    clock = Moved()
    sight = Sight(clock)
    for _ in range(seconds):
        sight.note("looked", 1.0, channel)
        if accepted:
            sight.note("accepted", 0.01, "orders", accepted)
        if sent is not None:
            sight.note("sent", sent, channel, TOTAL_MIN)
        clock.now += 1
    return sight


def judged(sight: Sight, objective: Objective = SENT) -> tuple[bool | None, str]:
    found = sight.judge(objective, 100.0, 200.0)
    return found.held, found.said


def test_what_was_accepted_and_never_seen_fails_where_somebody_looked_long_enough() -> None:
    unseen = (False, "events were accepted and none of them was seen")
    assert judged(looked(LOOKED_MIN_S, "orders.everything", accepted=5)) == unseen
    few = (None, f"only 0 seen, {TOTAL_MIN} are needed")
    assert judged(looked(LOOKED_MIN_S - 1, "orders.everything", accepted=5)) == few, "not long enough"
    assert judged(looked(60, "stock.newest", accepted=5)) == few, "nobody looked at what they are in"
    assert judged(looked(60, "orders.everything")) == few, "there was nothing to be seen"


def test_a_page_of_many_channels_is_not_looked_at_for_longer_than_it_is_open() -> None:
    clock = Moved()
    sight = Sight(clock)
    for _ in range(LOOKED_MIN_S - 1):
        sight.note("accepted", 0.01, "orders", 5)
        for channel in ("orders.everything", "orders.total", "orders.dear"):
            sight.note("looked", 1.0, channel)
        clock.now += 1
    assert judged(sight, replace(SENT, channel=None))[0] is None


def test_an_objective_of_every_channel_is_judged_by_all_of_them_together() -> None:
    sight = Sight(Moved())  # one second, in which two channels were seen
    sight.note("sent", SENT.limit / 2, "orders.everything", 3 * TOTAL_MIN)
    sight.note("sent", 2 * SENT.limit, "stock.newest", 3 * TOTAL_MIN)
    assert judged(sight)[0] is True
    held, said = judged(sight, replace(SENT, channel=None))
    assert (held, "of 120 within the limit" in said) == (False, True)


def test_what_was_seen_is_judged_by_its_limit() -> None:
    assert judged(looked(3, "orders.everything", accepted=5, sent=SENT.limit / 2))[0] is True
    assert judged(looked(3, "orders.everything", accepted=5, sent=2 * SENT.limit))[0] is False
