"""How a cost grows with the size of the work: a curve with non-negative parts, and a limit on the steep ones.

Fitted is ``a + b·n + c·n²`` with a, b, c ≥ 0, each point weighing by its relative error.  What should be flat may owe
little of its cost at the largest size to the growing terms; what should be linear little to the square.
"""

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from itertools import combinations
from statistics import median

from perf.harness.sampling import CONFIDENCE, Interval, quantile

SLACK = 0.25
"""The share of the cost at the largest size that terms steeper than wanted may have."""

RESAMPLES = 200


class Growth(str, Enum):
    """What the cost of more is meant to be; the terms of higher powers are too steep for it."""

    FLAT = "flat"
    LINEAR = "linear"

    @property
    def power(self) -> int:
        """The highest power of n that is fine."""
        return {Growth.FLAT: 0, Growth.LINEAR: 1}[self]


@dataclass(frozen=True)
class Curve:
    """``terms[p]`` is the coefficient of n to the power of p."""

    terms: tuple[float, float, float]

    def __call__(self, n: float) -> float:
        """The cost at `n`."""
        return sum(term * n**power for power, term in enumerate(self.terms))

    def share_above(self, power: int, n: float) -> float:
        """The share of the cost at `n` that comes from higher powers than `power`."""
        total = self(n)
        return sum(term * n**p for p, term in enumerate(self.terms) if p > power) / total if total > 0 else 0.0

    def __str__(self) -> str:
        parts = [f"{term:.3g}{unit}" for term, unit in zip(self.terms, ("", "·n", "·n²"), strict=True) if term > 0]
        return " + ".join(parts) or "0"


@dataclass(frozen=True)
class Fit:
    """A curve, and with what certainty how much of it is too steep."""

    curve: Curve
    excess: Interval

    def breaks(self, slack: float = SLACK) -> bool:
        """Whether too much of it is too steep, beyond doubt."""
        return self.excess.low > slack


def fit(points: Mapping[int, Sequence[float]], growth: Growth) -> Fit:
    """Fit the medians of the values at each size, and say how much of the cost at the largest is too steep."""
    top = max(points)
    curve = fit_curve({n: median(values) for n, values in points.items()})
    draw = random.Random(top)
    excesses = sorted(
        fit_curve({n: median(draw.choices(v, k=len(v))) for n, v in points.items()}).share_above(growth.power, top)
        for _ in range(RESAMPLES)
    )
    tail = (1 - CONFIDENCE) / 2
    estimate = curve.share_above(growth.power, top)
    return Fit(curve, Interval(estimate, quantile(excesses, tail), quantile(excesses, 1 - tail)))


def fit_curve(points: Mapping[int, float]) -> Curve:
    """The best curve among those with any of the terms left out; two points tell no square from a line."""
    powers = (0, 1, 2) if len(points) > 2 else (0, 1)
    # A term costs a little, so that noise does not pay for one.
    choices = [kept for size in range(1, len(powers) + 1) for kept in combinations(powers, size)]
    found = [(_error(curve, points), curve) for kept in choices if (curve := _solve(points, kept)) is not None]
    return min(found, key=lambda pair: pair[0])[1] if found else Curve((0.0, 0.0, 0.0))


def _error(curve: Curve, points: Mapping[int, float]) -> float:
    used = sum(term > 0 for term in curve.terms)
    return sum(((curve(n) - y) / y) ** 2 for n, y in points.items()) + 1e-4 * used


def _solve(points: Mapping[int, float], powers: tuple[int, ...]) -> Curve | None:
    """Weighted least squares with these powers only; None if a coefficient would be negative."""
    top, high = max(points), max(points.values())
    rows = [[(n / top) ** p * high / y for p in powers] for n, y in points.items()]
    square = [[sum(row[i] * row[j] for row in rows) for j in range(len(powers))] for i in range(len(powers))]
    right = [sum(row[i] for row in rows) for i in range(len(powers))]
    found = _eliminate(square, right)
    if found is None or min(found) < 0:
        return None
    terms = dict(zip(powers, found, strict=True))
    a, b, c = (terms.get(p, 0.0) * high / top**p for p in range(3))
    return Curve((a, b, c))


def _eliminate(square: list[list[float]], right: list[float]) -> list[float] | None:
    """Gaussian elimination with pivoting, for three unknowns at most."""
    rows = [[*line, value] for line, value in zip(square, right, strict=True)]
    size = len(rows)
    for at in range(size):
        pivot = max(range(at, size), key=lambda i: abs(rows[i][at]))
        rows[at], rows[pivot] = rows[pivot], rows[at]
        if abs(rows[at][at]) < 1e-12:
            return None
        for other in range(size):
            if other != at:
                factor = rows[other][at] / rows[at][at]
                rows[other] = [x - factor * y for x, y in zip(rows[other], rows[at], strict=True)]
    return [rows[i][size] / rows[i][i] for i in range(size)]
