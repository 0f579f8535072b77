"""Rounds of samples from several environments in turn, until there is evidence enough or the time is up."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field

from perf.harness.bench import Benchmark
from perf.harness.remote import DidNotRun, Remote


@dataclass(frozen=True)
class Job:
    """One benchmark at one size."""

    benchmark: Benchmark
    point: int | None

    @property
    def name(self) -> str:
        """``cli.list_json@50``, as it is written everywhere."""
        return self.benchmark.name if self.point is None else f"{self.benchmark.name}@{self.point}"


@dataclass
class Series:
    """Values taken side by side: the n-th of each are of one round."""

    head: list[float] = field(default_factory=list)
    base: list[float] = field(default_factory=list)
    beside: dict[str, list[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class Patience:
    """How long one job may take: at least the benchmark's own rounds, at most so many rounds or seconds."""

    seconds: float
    rounds: int = 400
    factor: float = 1.0

    def least(self, benchmark: Benchmark) -> int:
        """Rounds before anything is concluded."""
        return max(1, round(benchmark.least * self.factor))


@dataclass
class Bench:
    """The workers of one run; `base` is None where there is nothing to compare with."""

    head: Remote
    base: Remote | None
    beside: Remote

    def measure(self, job: Job, patience: Patience, settled: Callable[[Series], bool]) -> Series:
        """Take rounds of samples until `settled`.  Raises `DidNotRun`."""
        with ExitStack() as stack:
            sides = [(self.head, "head"), *([(self.base, "base")] if self.base is not None else [])]
            for side, what in sides:
                _open(stack, side, job.benchmark.name, job.point, what)
            series = Series(beside={name: [] for name in job.benchmark.beside})
            self._rounds(job, patience, settled, series, sides)
        return series

    def _rounds(
        self,
        job: Job,
        patience: Patience,
        settled: Callable[[Series], bool],
        series: Series,
        sides: Sequence[tuple[Remote, str]],
    ) -> None:
        ends, least = time.monotonic() + patience.seconds, patience.least(job.benchmark)
        with ExitStack() as stack:
            held = self._hold_beside(stack, job)
            while len(series.head) < patience.rounds:
                # Whoever is second meets what the first has left behind: so they take turns at that, too.
                turn = len(series.head)
                for side, what in sides if turn // 2 % 2 else reversed(sides):
                    getattr(series, what).extend(side.sample(turn=turn))
                for name in job.benchmark.beside:
                    series.beside[name] += self._sample_beside(name, held, turn)
                if len(series.head) >= least and (settled(series) or time.monotonic() > ends):
                    return

    def _hold_beside(self, stack: ExitStack, job: Job) -> str | None:
        """With one calibration, keep it open."""
        if len(job.benchmark.beside) != 1:
            return None
        (name,) = job.benchmark.beside
        _open(stack, self.beside, name, None, "beside")
        return name

    def _sample_beside(self, name: str, held: str | None, turn: int) -> list[float]:
        if name == held:
            return self.beside.sample(turn=turn)
        with ExitStack() as stack:
            _open(stack, self.beside, name, None, "beside")
            return self.beside.sample(turn=turn)


def _open(stack: ExitStack, side: Remote, name: str, point: int | None, what: str) -> None:
    try:
        side.open(name, point)
    except DidNotRun as error:
        raise DidNotRun(f"{what}: {error}") from None
    stack.callback(side.shut)
