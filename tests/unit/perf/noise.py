"""Machines made up for tests: values as two environments would give them, with all that spoils measurements."""

import random
from collections.abc import Callable, Iterator

Machine = Callable[[random.Random, int], float]
"""The factor by which the machine stretches the sample taken at a time (counted in samples)."""


def quiet(draw: random.Random, at: int) -> float:
    """Two percent of noise, to the slow side."""
    return 1 + abs(draw.gauss(0, 0.02))


def drifting(draw: random.Random, at: int) -> float:
    """It gets slower and slower: a fifth in a hundred samples."""
    return quiet(draw, at) * (1 + 0.002 * at)


def bimodal(draw: random.Random, at: int) -> float:
    """A neighbour takes half of the processor in every third sample."""
    return quiet(draw, at) * (2.0 if draw.random() < 1 / 3 else 1.0)


def in_spells(draw: random.Random, at: int) -> float:
    """A neighbour that works for ten samples, and rests for ten."""
    return quiet(draw, at) * (1.7 if at // 10 % 2 else 1.0)


def heavy_tailed(draw: random.Random, at: int) -> float:
    """Now and then a sample takes ten times as long."""
    return 1 + 0.05 * min(draw.paretovariate(1.2), 200)


MACHINES: tuple[Machine, ...] = (quiet, drifting, bimodal, in_spells, heavy_tailed)


def pairs(machine: Machine, slowdown: float, seed: int) -> Iterator[tuple[float, float]]:
    """Head and base of one round after the other; who goes first alternates, as in the real thing."""
    draw, at = random.Random(seed), 0
    for turn in range(10_000):
        values = [machine(draw, at), machine(draw, at + 1)]
        at += 2
        head, base = values if turn % 2 else reversed(values)
        yield head * (1 + slowdown), base
