"""Medians, quantiles and bootstrap intervals.  Pure: numbers in, numbers out, and the same ones every time."""

import random
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median

CONFIDENCE = 0.99
RESAMPLES = 1000

Statistic = Callable[[Sequence[float]], float]


@dataclass(frozen=True)
class Interval:
    """An estimate with the bounds between which it lies with `CONFIDENCE`."""

    estimate: float
    low: float
    high: float

    @property
    def width(self) -> float:
        """Half of the distance between the bounds, as a share of the estimate."""
        return (self.high - self.low) / 2 / self.estimate if self.estimate else 0.0


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which `share` of the values lie, with linear interpolation."""
    ordered = sorted(values)
    place = share * (len(ordered) - 1)
    below = int(place)
    above = min(below + 1, len(ordered) - 1)
    return ordered[below] + (ordered[above] - ordered[below]) * (place - below)


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return quantile(values, 0.95)


def ratios(numerators: Sequence[float], denominators: Sequence[float], floor: float = 0.0) -> list[float]:
    """Quotients of values taken next to each other; `floor`, added to both, keeps trifles from looking large."""
    return [(a + floor) / (b + floor) if b + floor else 1.0 for a, b in zip(numerators, denominators, strict=False)]


def bootstrap(values: Sequence[float], statistic: Statistic = median, resamples: int = RESAMPLES) -> Interval:
    """The statistic of the values, with percentile bounds from resampling; seeded, so that nothing depends on luck."""
    if len(values) < 2:
        return Interval(statistic(values), float("-inf"), float("inf"))
    if statistic is median:
        return median_interval(values)
    draw = random.Random(len(values))
    found = sorted(statistic(draw.choices(values, k=len(values))) for _ in range(resamples))
    return Interval(statistic(values), *_tails(found))


def _tails(found: Sequence[float]) -> tuple[float, float]:
    tail = (1 - CONFIDENCE) / 2
    return quantile(found, tail), quantile(found, 1 - tail)


def median_interval(values: Sequence[float]) -> Interval:
    """The median between two of the values, by their binomial ranks: exact, whatever the noise is distributed like.

    Resampling would come to the same for many values, and promise too much for few: those support no claim at all,
    and have infinite bounds.
    """
    ordered, rank = sorted(values), _rank(len(values))
    if rank < 0:
        return Interval(median(values), float("-inf"), float("inf"))
    return Interval(median(values), ordered[rank], ordered[-1 - rank])


def _rank(count: int) -> int:
    """How many values on each side may be cut off; -1 if even the extremes do not reach the confidence."""
    tail, chance = (1 - CONFIDENCE) / 2, 0.5**count
    cumulated: list[float] = []
    total = 0.0
    for taken in range(count // 2 + 1):
        total += chance
        cumulated.append(total)
        chance *= (count - taken) / (taken + 1)
    return bisect_left(cumulated, tail) - 1
