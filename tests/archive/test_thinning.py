"""Thinning: a line of fewer points that keeps its peaks, its ends and its gaps."""

from __future__ import annotations

import itertools
import random

import pytest

from services.archive.thinning import thinned


def values(points: list[list[float | None]]) -> list[float]:
    return [value for _, value in points if value is not None]


def test_few_points_stay_as_they_are_with_their_gaps() -> None:
    points = [[0, 1], [1_000, None], [2_000, 2], [60_000, 3]]
    assert thinned(points, 100, 10_000) == [[0, 1], [1_000, None], [2_000, 2], [2_001, None], [60_000, 3]]
    assert thinned(points, 100, None) == points
    assert thinned([], 100, 10_000) == []


@pytest.mark.parametrize("most", [50, 101, 700])
def test_a_thinned_line_keeps_its_peaks_and_ends_and_shows_no_value_that_was_none(most: int) -> None:
    chance = random.Random(most)
    points = [[1_000 * n, chance.gauss(0, 1)] for n in range(50_000)]
    points[33_333][1], points[41_000][1] = 99.0, -99.0
    found = thinned(points, most, 5_000)
    assert len(found) <= most + 2
    assert (found[0], found[-1]) == (points[0], points[-1])
    assert {99.0, -99.0} <= set(values(found))
    assert [at for at, _ in found] == sorted({at for at, _ in found})
    truth = dict(points)
    assert all(truth[at] == value for at, value in found)


@pytest.mark.parametrize("most", range(9))
def test_a_short_part_of_a_long_window_keeps_its_peaks_as_well(most: int) -> None:
    found = thinned([[n, float(n == 37)] for n in range(100)], most, None)
    assert 1.0 in values(found)
    assert len(found) <= 10


def test_each_stretch_keeps_its_least_and_its_greatest_value() -> None:
    chance = random.Random(7)
    points = [[1_000 * n, chance.random()] for n in range(10_000)]
    found = set(values(thinned(points, 100, None)))
    for first in range(0, 10_000, 200):
        stretch = [value for _, value in points[first : first + 200]]
        assert {min(stretch), max(stretch)} <= found


def test_a_gap_stays_a_gap_with_both_its_edges() -> None:
    points = [[1_000 * n, float(n % 7)] for n in range(20_000) if not 9_000 <= n < 9_600]
    points[5_000][1] = None  # a value that is missing
    found = thinned(points, 200, 10_000)
    holes = [n for n, (_, value) in enumerate(found) if value is None]
    edges = [(found[n - 1][0], found[n + 1][0]) for n in holes]
    assert edges == [(4_999_000, 5_001_000), (8_999_000, 9_600_000)]


@pytest.mark.parametrize("most", [50, 10_000])
def test_where_something_was_lost_is_a_gap_also_in_a_line_that_may_be_quiet(most: int) -> None:
    points = [[1_000 * n, float(n % 7)] for n in range(5_000)]
    found = thinned(points, most, None, [0, 2_000_500, 2_000_700, 4_998_000, 9_000_000])
    holes = [(found[n - 1][0], found[n + 1][0]) for n, (_, value) in enumerate(found) if value is None]
    assert holes == [(0, 1_000), (2_000_000, 2_001_000), (4_998_000, 4_999_000)]


def test_many_gaps_are_bounded_as_well() -> None:
    points = [[100_000 * n, float(n)] for n in range(20_000)]
    found = thinned(points, 200, 10_000)
    assert len(found) <= 500
    assert all(found[n][1] is not None or found[n + 1][1] is not None for n in range(len(found) - 1))
    assert all(None in (a, b) for (_, a), (_, b) in itertools.pairwise(found))


def test_a_line_without_any_value_is_a_gap() -> None:
    assert values(thinned([[1_000 * n, None] for n in range(1_000)], 100, 10_000)) == []
