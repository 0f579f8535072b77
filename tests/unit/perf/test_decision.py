"""The decision catches slowdowns and stays quiet otherwise, on machines that drift, share and stumble."""

import pytest

from perf.harness.decision import Verdict, enough, judge, limit_settled, tightened, within
from perf.harness.sampling import Interval
from tests.unit.perf.noise import MACHINES, Machine, pairs

ROUNDS = 200
SEEDS = range(100)


def look(machine: Machine, slowdown: float, seed: int, least: int = 8) -> Verdict:
    """One look, with the adaptive stop of the gate."""
    ratios: list[float] = []
    for head, base in pairs(machine, slowdown, seed):
        ratios.append(head / base)
        if len(ratios) >= least and (enough(ratios) or len(ratios) == ROUNDS):
            break
    return judge(ratios).verdict


def found(machine: Machine, slowdown: float, seed: int) -> bool:
    """What the gate says in the end: two looks, with processes of their own."""
    return all(look(machine, slowdown, 2 * seed + turn, 8 * (1 + turn)) is Verdict.SLOWER for turn in range(2))


@pytest.mark.parametrize("machine", MACHINES)
def test_a_quarter_more_is_caught_on_every_machine(machine: Machine):
    caught = sum(found(machine, 0.25, seed) for seed in SEEDS)
    assert caught >= 95


@pytest.mark.parametrize("machine", MACHINES)
def test_half_as_much_again_is_always_caught(machine: Machine):
    assert all(found(machine, 0.5, seed) for seed in SEEDS)


@pytest.mark.parametrize("machine", MACHINES)
def test_equals_are_never_called_different(machine: Machine):
    assert not any(found(machine, 0.0, seed) for seed in SEEDS)


@pytest.mark.parametrize("machine", MACHINES)
def test_five_percent_is_below_what_matters(machine: Machine):
    assert sum(found(machine, 0.05, seed) for seed in SEEDS) <= 1


def test_a_gain_is_called_one():
    assert look(MACHINES[0], -0.3, 1) is Verdict.FASTER


def test_a_large_ratio_without_support_is_no_verdict():
    """Eight values of which one lies below: even the extremes do not support a claim."""
    assert judge([1.3, 1.4, 0.9, 1.5, 1.3, 1.2, 1.4, 1.3]).verdict is Verdict.SAME


def test_few_values_support_nothing():
    judgement = judge([2.0] * 7)
    assert judgement.verdict is Verdict.SAME
    assert judgement.ratio.low == float("-inf")


def test_measuring_goes_on_while_the_threshold_lies_within_the_interval():
    assert not enough([1.0, 1.3] * 10)
    assert enough([1.0, 1.01] * 10)
    assert enough([1.4, 1.5] * 10)


def test_a_budget_is_broken_only_beyond_doubt():
    assert within(Interval(2.1, 1.9, 2.4), 2.0)
    assert not within(Interval(2.3, 2.05, 2.4), 2.0)
    assert limit_settled(Interval(1.5, 1.2, 1.9), 2.0)
    assert not limit_settled(Interval(1.9, 1.5, 2.3), 2.0)


@pytest.mark.parametrize(
    ("high", "limit", "wanted"),
    [(1.1, 2.0, None), (1.0, 2.0, 1.5), (0.41, 2.0, 0.62), (23.1, 60, 35), (0.0, 0.0, None), (3.01, 75, 4.6)],
)
def test_a_budget_met_by_far_is_tightened_to_two_digits(high: float, limit: float, wanted: float | None):
    assert tightened(Interval(high * 0.9, high * 0.8, high), limit) == wanted
