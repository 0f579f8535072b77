"""A whole run: every job measured on both sides, every suspicion tested again with fresh processes, all of it judged.

A suspicion alone proves little: among many comparisons one is always odd, and a process may be slow for its whole life
because of where its memory came to lie.  So whatever looks bad is measured once more by new workers, and counts only if
it looks as bad again.
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Self

from perf.harness.bench import Benchmark
from perf.harness.budgets import Budget, Outcome
from perf.harness.decision import Verdict, enough, judge
from perf.harness.environments import ROOT, Environment
from perf.harness.growth import Fit, fit
from perf.harness.measure import Bench, Job, Patience, Series
from perf.harness.remote import DidNotRun, Remote
from perf.harness.results import Finding, Grown, Kind, Measured, Run
from perf.harness.sampling import ratios

Say = Callable[[str], None]

QUICK = Patience(seconds=2.5, factor=1.0)
FULL = Patience(seconds=10.0, factor=1.5)


@dataclass(frozen=True)
class Plan:
    """What is measured, between which environments, how patiently."""

    jobs: tuple[Job, ...]
    head: Environment
    base: Environment | None
    budgets: tuple[Budget, ...]
    patience: Patience
    harness: Path = ROOT

    def budgets_of(self, job: Job) -> list[Budget]:
        """The budgets that job decides."""
        return [budget for budget in self.budgets if budget.job == job.name]

    def compares(self, job: Job) -> bool:
        """Whether the job has another side."""
        return self.base is not None and job.benchmark.gated


def jobs_of(benchmarks: Iterable[Benchmark], *, quick: bool) -> tuple[Job, ...]:
    """All jobs, ordered so that a crew of agents is made once and grows."""
    chosen = [b for b in benchmarks if b.gated and (b.quick or not quick)]
    jobs = [Job(benchmark, point) for benchmark in chosen for point in benchmark.points(quick=quick)]
    return tuple(sorted(jobs, key=_place))


def _place(job: Job) -> tuple[int, str]:
    subject = job.benchmark.name.partition(".")[0]
    if subject not in ("cli", "life", "delivery", "resources"):
        return 0, job.name
    scale = job.benchmark.scale
    return (job.point or 0) if scale is not None and scale.axis == "agents" else 50, job.name


class Gate:
    """One run of a plan; `say` is told what happens."""

    def __init__(self, plan: Plan, run: Run, say: Say) -> None:
        self.plan = plan
        self.run = run
        self._say = say

    def measure(self) -> Run:
        """Measure and judge everything."""
        began = time.monotonic()
        with Workers(self.plan) as workers:
            for job in self.plan.jobs:
                self._first_look(workers, job)
        self._look_at_growth()
        suspects = [measured.job for measured in self.run.measured if suspicious(measured)]
        suspects += [job for grown in self.run.grown if grown.too_fast for job in self._jobs_of(grown.benchmark)]
        if suspects:
            self._second_look(list(dict.fromkeys(suspects)))
        self._conclude()
        self.run.seconds = time.monotonic() - began
        return self.run

    def _jobs_of(self, benchmark: Benchmark) -> list[Job]:
        return [job for job in self.plan.jobs if job.benchmark is benchmark]

    def _first_look(self, workers: "Workers", job: Job) -> None:
        measured = self._attempt(workers, job, self.plan.patience)
        if measured is not None:
            self.run.measured.append(measured)
            self._say(line(measured))

    def _attempt(self, workers: "Workers", job: Job, patience: Patience) -> Measured | None:
        try:
            return measure(workers.bench(job), self.plan, job, patience)
        except DidNotRun as error:
            workers.renew()
            if self._is_new(job, error):
                return self._alone(workers, job, patience)
            self._failed(job, error)
            return None

    def _is_new(self, job: Job, error: DidNotRun) -> bool:
        """Whether the base cannot run what its own commit does not have."""
        base = self.plan.base
        return str(error).startswith("base: ") and base is not None and job.benchmark.name not in base.declared

    def _alone(self, workers: "Workers", job: Job, patience: Patience) -> Measured | None:
        try:
            bench = replace(workers.bench(job), base=None)
            return replace(measure(bench, self.plan, job, patience), new=True)
        except DidNotRun as error:
            workers.renew()
            self._failed(job, error)
            return None

    def _failed(self, job: Job, error: DidNotRun) -> None:
        self._say(f"  {job.name}: did not run")
        self.run.findings.append(Finding(Kind.DID_NOT_RUN, job.name, str(error).strip(), job.benchmark.feels))

    def _second_look(self, suspects: Sequence[Job]) -> None:
        self._say(f"measuring again, with new processes: {', '.join(job.name for job in suspects)}")
        patience = replace(self.plan.patience, seconds=2 * self.plan.patience.seconds, factor=2.0)
        before = {measured.job: measured for measured in self.run.measured}
        with Workers(self.plan) as workers:
            for job in suspects:
                again = self._attempt(workers, job, patience)
                if again is not None:
                    before[job] = confirmed(before[job], again, self.run.unconfirmed)
                    self._say(line(again))
        self.run.measured = list(before.values())
        first = {grown.benchmark.name for grown in self.run.grown if grown.too_fast}
        self._look_at_growth()
        self.run.unconfirmed += sorted(first - {grown.benchmark.name for grown in self.run.grown if grown.too_fast})

    def _look_at_growth(self) -> None:
        """Fit a curve to every benchmark that was measured at three sizes, or at two if it should be flat."""
        points: dict[str, dict[int, list[float]]] = {}
        by_name = {m.job.benchmark.name: m.job.benchmark for m in self.run.measured}
        for m in self.run.measured:
            if m.job.point is not None:
                floor = m.job.benchmark.floor
                points.setdefault(m.job.benchmark.name, {})[m.job.point] = [v + floor for v in m.series.head]
        self.run.grown = [
            Grown(by_name[name], f) for name, sizes in points.items() if (f := _fit(by_name[name], sizes))
        ]

    def _conclude(self) -> None:
        for measured in self.run.measured:
            self.run.findings += findings_of(measured)
        for grown in self.run.grown:
            if grown.too_fast:
                self.run.findings.append(growth_finding(grown))


def _fit(benchmark: Benchmark, sizes: dict[int, list[float]]) -> Fit | None:
    growth = benchmark.scale.growth if benchmark.scale is not None else None
    if growth is None or len(sizes) < 2 + growth.power or min(min(v) for v in sizes.values()) <= 0:
        return None
    return fit(sizes, growth)


class Workers:
    """The processes of one look; those for a base and for calibrations are started when first needed."""

    def __init__(self, plan: Plan) -> None:
        self._plan = plan
        self._stack = ExitStack()
        self._held: dict[str, Remote] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._held.clear()
        self._stack.close()

    def renew(self) -> None:
        """End all processes: one of them is in no state to go on."""
        self._held.clear()
        self._stack.close()

    def bench(self, job: Job) -> Bench:
        """The workers for one job."""
        base = self._plan.base if self._plan.compares(job) else None
        return Bench(
            self._worker("head", self._plan.head),
            self._worker("base", base) if base is not None else None,
            self._worker("beside", self._plan.head),
        )

    def _worker(self, what: str, environment: Environment) -> Remote:
        if what not in self._held:
            try:
                self._held[what] = self._stack.enter_context(Remote(environment.python, self._plan.harness))
            except DidNotRun as error:
                raise DidNotRun(f"{what}: {error}") from None
        return self._held[what]


def measure(bench: Bench, plan: Plan, job: Job, patience: Patience) -> Measured:
    """Measure one job until it is clear what to say of it, and say it."""
    benchmark, budgets = job.benchmark, plan.budgets_of(job)

    def settled(series: Series) -> bool:
        compared = not series.base or enough(ratios(series.head, series.base, benchmark.floor), benchmark.threshold)
        return compared and all(budget.settled(series.head, series.beside[budget.versus]) for budget in budgets)

    series = bench.measure(job, patience, settled)
    judgement = judge(ratios(series.head, series.base, benchmark.floor), benchmark.threshold) if series.base else None
    outcomes = [Outcome(b, b.measured(series.head, series.beside[b.versus])) for b in budgets]
    return Measured(job, series, judgement, outcomes=outcomes)


def suspicious(measured: Measured) -> bool:
    """Whether a second look is due: on a mere suspicion, supported or not."""
    looks_slower = (
        measured.judgement is not None and measured.judgement.ratio.estimate >= 1 + measured.job.benchmark.threshold
    )
    return looks_slower or any(not outcome.holds for outcome in measured.outcomes)


def confirmed(first: Measured, again: Measured, unconfirmed: list[str]) -> Measured:
    """What counts of two looks: the second, which nothing was picked from."""
    if suspicious(first) and not findings_of(again):
        unconfirmed.append(first.job.name)
    if not suspicious(first) and again.slower and again.judgement is not None:
        # It was looked at again for another reason: one look alone is no proof.
        again.judgement = replace(again.judgement, verdict=Verdict.SAME)
    return replace(again, new=first.new)


def findings_of(measured: Measured) -> list[Finding]:
    """What is wrong with one job."""
    found: list[Finding] = []
    job, feels = measured.job, measured.job.benchmark.feels
    if measured.slower and measured.judgement is not None:
        ratio = measured.judgement.ratio
        how = f"{percent(ratio.estimate)} (between {percent(ratio.low)} and {percent(ratio.high)})"
        found.append(Finding(Kind.SLOWER, job.name, how, feels))
    for outcome in measured.outcomes:
        if not outcome.holds:
            ratio, budget = outcome.ratio, outcome.budget
            between = f"{ratio.low:.3g} to {ratio.high:.3g}"
            how = f"{ratio.estimate:.3g} × {budget.versus} ({between}); at most {budget.limit:g}"
            found.append(Finding(Kind.BUDGET, job.name, how, feels))
    return found


def growth_finding(grown: Grown) -> Finding:
    """A curve that is too steep."""
    scale, excess = grown.benchmark.scale, grown.fit.excess
    assert scale is not None
    assert scale.growth is not None
    how = (
        f"should be {scale.growth.value} in {scale.axis}, is {grown.fit.curve}: steeper terms make up"
        f" {excess.estimate:.0%} ({excess.low:.0%} to {excess.high:.0%}) of it at the largest size"
    )
    return Finding(Kind.GROWTH, grown.benchmark.name, how, grown.benchmark.feels)


def percent(ratio: float) -> str:
    """A ratio as a change."""
    return f"{ratio - 1:+.1%}"


def line(measured: Measured) -> str:
    """One job in one line, while the run goes on."""
    parts = [f"  {measured.job.name:<34}", f"n={len(measured.series.head):<3}"]
    if measured.judgement is not None:
        ratio = measured.judgement.ratio
        parts.append(f"{percent(ratio.estimate):>7} [{percent(ratio.low)}, {percent(ratio.high)}]")
        parts.append("" if measured.judgement.verdict is Verdict.SAME else measured.judgement.verdict.value)
    elif measured.new:
        parts.append("new")
    parts += [f"{o.ratio.estimate:.3g} × {o.budget.versus} (≤ {o.budget.limit:g})" for o in measured.outcomes]
    return " ".join(part for part in parts if part)
