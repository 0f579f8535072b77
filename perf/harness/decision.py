"""When there is evidence enough, and what it says: plain rules on the ratios of head to base."""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from perf.harness.sampling import Interval, bootstrap

THRESHOLD = 0.10
"""The change from which on a difference matters, unless a benchmark says otherwise and why."""

PRECISE = 0.015
"""Half the width of an interval that needs no narrowing."""


class Verdict(str, Enum):
    """What a comparison came to."""

    SAME = "same"
    SLOWER = "slower"
    FASTER = "faster"


@dataclass(frozen=True)
class Judgement:
    """A verdict with the ratio it rests on."""

    verdict: Verdict
    ratio: Interval


def judge(ratios: Sequence[float], threshold: float = THRESHOLD) -> Judgement:
    """A difference needs a size that matters and support: even the near bound is off by a quarter of that size."""
    ratio = bootstrap(ratios)
    limit, support = 1 + threshold, 1 + threshold / 4
    if ratio.estimate >= limit and ratio.low > support:
        return Judgement(Verdict.SLOWER, ratio)
    if ratio.estimate <= 1 / limit and ratio.high < 1 / support:
        return Judgement(Verdict.FASTER, ratio)
    return Judgement(Verdict.SAME, ratio)


def enough(ratios: Sequence[float], threshold: float = THRESHOLD) -> bool:
    """Whether more rounds could hardly change the verdict, or only by hairs."""
    ratio = bootstrap(ratios)
    if ratio.width <= PRECISE:
        return True
    return ratio.high < 1 + threshold or ratio.low > 1 + threshold


def within(ratio: Interval, limit: float) -> bool:
    """Whether a budget of `limit` holds; only a ratio that is above it beyond doubt breaks it."""
    return not ratio.low > limit


def limit_settled(ratio: Interval, limit: float) -> bool:
    """Whether it is clear on which side of a budget the ratio lies."""
    return ratio.high <= limit or ratio.low > limit or ratio.width <= PRECISE


def tightened(ratio: Interval, limit: float) -> float | None:
    """The new limit of a budget that is met by a wide margin, by the rule in perf/budgets.toml; None if it stays."""
    if ratio.high > TIGHTEN_BELOW * limit:
        return None
    return _round_up(max(ratio.high, 0.0) * TIGHTEN_TO) or None


TIGHTEN_BELOW = 0.5
"""A budget is tightened once the upper bound of what was measured is at most this share of it…"""

TIGHTEN_TO = 1.5
"""…to this multiple of that bound."""


def _round_up(value: float) -> float:
    """Two digits, upwards."""
    if value <= 0:
        return 0.0
    step = 10.0 ** (len(str(int(value))) - 2) if value >= 1 else 10.0 ** -(_zeros(value) + 2)
    return round(-(-value // step) * step, 12)


def _zeros(value: float) -> int:
    """How many zeros follow the point of a number below one."""
    return next(zeros for zeros in range(300) if value * 10 ** (zeros + 1) >= 1)
