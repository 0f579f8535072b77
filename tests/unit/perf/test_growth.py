"""Curves are told apart, through noise."""

import random
from collections.abc import Callable

import pytest

from perf.harness.growth import Fit, Growth, fit, fit_curve

SIZES = (1, 10, 50, 100)


def measured(cost: Callable[[int], float], growth: Growth, sizes: tuple[int, ...] = SIZES) -> Fit:
    """Twenty values at each size, with a tenth of noise."""
    draw = random.Random(7)
    return fit({n: [cost(n) * (1 + abs(draw.gauss(0, 0.1))) for _ in range(20)] for n in sizes}, growth)


@pytest.mark.parametrize(
    ("cost", "growth", "breaks"),
    [
        (lambda n: 5.0 + 0 * n, Growth.FLAT, False),
        (lambda n: 5.0 + 0.005 * n, Growth.FLAT, False),
        (lambda n: 5.0 + 0.05 * n, Growth.FLAT, True),
        (lambda n: 5.0 + 0 * n, Growth.LINEAR, False),
        (lambda n: 5.0 + 0.05 * n, Growth.LINEAR, False),
        (lambda n: 0.1 * n, Growth.LINEAR, False),
        (lambda n: 5.0 + 0.01 * n**2, Growth.LINEAR, True),
        (lambda n: 1.0 + 0.1 * n + 0.01 * n**2, Growth.LINEAR, True),
    ],
)
def test_what_is_too_steep_is_found(cost: Callable[[int], float], growth: Growth, breaks: bool):
    assert measured(cost, growth).breaks() is breaks


def test_an_exact_curve_is_found_exactly():
    curve = fit_curve({n: 3 + 2 * n + 0.5 * n * n for n in SIZES})
    assert curve.terms == pytest.approx((3, 2, 0.5))
    assert curve(10) == pytest.approx(73)
    assert str(curve) == "3 + 2·n + 0.5·n²"


@pytest.mark.parametrize("unit", [1e-9, 1.0, 1e9])
def test_the_unit_does_not_matter(unit: float):
    curve = fit_curve({n: (30 + 0.05 * n) * unit for n in SIZES})
    assert curve.terms == pytest.approx((30 * unit, 0.05 * unit, 0))


def test_two_sizes_tell_no_square():
    assert fit_curve({1: 1.0, 100: 10_000.0}).terms[2] == 0


def test_a_cost_that_falls_is_flat():
    assert fit_curve({1: 10.0, 10: 9.0, 100: 8.0}).terms[1:] == (0, 0)


def test_doubt_is_no_proof():
    """One size jumps between two values: the interval is wide, and nothing is claimed."""
    result = fit({1: [1.0] * 10, 50: [1.0] * 10, 100: [1.0, 2.0] * 5}, Growth.FLAT)
    assert result.excess.low < 0.25 < result.excess.high
    assert not result.breaks()
