"""Minutes: sums weigh a minute of which nothing is known like one of which something is."""

from __future__ import annotations

from services.measurement.minutes import MINUTE_MS, Minute, Score

BUSY = [Minute(n * MINUTE_MS, 990.0, 1_000.0) for n in range(30)]
UNKNOWN = [Minute(n * MINUTE_MS, 0.0, 1.0, no_data=True) for n in range(30, 60)]


def test_half_an_hour_without_data_makes_half_of_the_hour_bad() -> None:
    score = Score.of([*UNKNOWN, *BUSY])
    assert score.share == 0.495
    assert (score.minutes, score.no_data_minutes) == (60, 30)


def test_an_hour_without_any_data_is_bad_as_a_whole() -> None:
    score = Score.of(UNKNOWN)
    assert (score.share, score.total) == (0.0, 30.0)


def test_what_is_excluded_of_a_minute_without_data_weighs_like_the_minute() -> None:
    planned = Minute(30 * MINUTE_MS, 0.0, 1.0, excluded={"maintenance": 1.0}, no_data=True)
    score = Score.of([*BUSY, planned])
    assert score.share == 0.99
    assert score.excluded == {"maintenance": 1_000.0}
    assert score.raw_share == 29_700 / 31_000
