"""Intervals hold what they promise."""

import random
from statistics import median

import pytest

from perf.harness.sampling import bootstrap, p95, quantile, ratios


def test_quantiles_interpolate():
    assert quantile([1, 2, 3, 4], 0.5) == 2.5
    assert p95([5.0]) == 5.0
    assert quantile([3, 1, 2], 1.0) == 3


@pytest.mark.parametrize("count", [8, 15, 40, 101])
def test_the_interval_of_a_median_covers_it_as_often_as_promised(count: int):
    """Whatever the noise: here it is lopsided, with the median of an exponential distribution at ln 2."""
    draw = random.Random(count)
    covered = 0
    for _ in range(1000):
        interval = bootstrap([draw.expovariate(1.0) for _ in range(count)])
        covered += interval.low <= 0.6931 <= interval.high
    assert covered >= 980


def test_more_values_narrow_the_interval():
    draw = random.Random(1)
    values = [draw.gauss(10, 1) for _ in range(400)]
    assert bootstrap(values).width < bootstrap(values[:20]).width / 2


def test_other_statistics_are_resampled_and_always_come_out_the_same():
    values = [float(n) for n in range(100)]
    first, second = bootstrap(values, p95), bootstrap(values, p95)
    assert first == second
    assert first.low < 94.05 < first.high
    assert first.estimate == p95(values)


def test_a_floor_keeps_trifles_small():
    assert ratios([0.002], [0.001]) == [2.0]
    assert ratios([0.002], [0.001], floor=0.1)[0] == pytest.approx(1.0099)
    assert ratios([0.0], [0.0]) == [1.0]


def test_one_value_promises_nothing():
    interval = bootstrap([1.0], median)
    assert (interval.low, interval.high) == (float("-inf"), float("inf"))
