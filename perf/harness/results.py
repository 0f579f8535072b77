"""What a run found, as data: for the report, for the exit status, for history."""

from dataclasses import dataclass, field
from enum import Enum

from perf.harness.bench import Benchmark
from perf.harness.budgets import Outcome
from perf.harness.decision import Judgement, Verdict
from perf.harness.growth import Fit
from perf.harness.measure import Job, Series


class Kind(str, Enum):
    """What a finding is about; all of these are failures."""

    SLOWER = "slower than the base"
    BUDGET = "over its budget"
    GROWTH = "grows too fast"
    COUNT = "more instructions than the base"
    IMPORTS = "imports too much"
    DID_NOT_RUN = "did not run"


@dataclass(frozen=True)
class Finding:
    """One reason for red: what, by how much, what a user feels."""

    kind: Kind
    name: str
    how_much: str
    feels: str


@dataclass
class Measured:
    """One job's values and what was made of them."""

    job: Job
    series: Series
    judgement: Judgement | None = None
    new: bool = False
    outcomes: list[Outcome] = field(default_factory=list)

    @property
    def slower(self) -> bool:
        """Whether it got slower than the base."""
        return self.judgement is not None and self.judgement.verdict is Verdict.SLOWER


@dataclass
class Grown:
    """How one benchmark's cost grows with its axis."""

    benchmark: Benchmark
    fit: Fit

    @property
    def too_fast(self) -> bool:
        """Whether it grows faster than declared."""
        scale = self.benchmark.scale
        return scale is not None and scale.growth is not None and self.fit.breaks(scale.slack)


@dataclass(frozen=True)
class Counted:
    """Instructions of one act on both sides; `base` is None if it is new."""

    job: Job
    head: float
    base: float | None

    @property
    def change(self) -> float:
        """The relative change."""
        return self.head / self.base - 1 if self.base else 0.0


@dataclass
class Run:
    """Everything one run found."""

    head: str
    base: str | None
    quick: bool
    machine: str
    note: str = ""
    seconds: float = 0.0
    measured: list[Measured] = field(default_factory=list)
    grown: list[Grown] = field(default_factory=list)
    counted: list[Counted] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    unconfirmed: list[str] = field(default_factory=list)

    @property
    def red(self) -> bool:
        """Whether anything was found."""
        return bool(self.findings)
