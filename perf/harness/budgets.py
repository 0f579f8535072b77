"""Budgets as data: what was promised, as ratios to calibrations taken in the same rounds, each with its reason."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from perf.harness.decision import limit_settled, tightened, within
from perf.harness.sampling import Interval, Statistic, bootstrap, p95, ratios

FILE = Path(__file__).parent.parent / "budgets.toml"
STATISTICS: dict[str, Statistic] = {"median": median, "p95": p95}


@dataclass(frozen=True)
class Budget:
    """`statistic` of ``benchmark@at`` over the median of `versus` is at most `limit`.

    `keep` is a reason not to tighten it, however far it is met on a quiet machine.
    """

    benchmark: str
    versus: str
    limit: float
    why: str
    at: int | None = None
    statistic: str = "median"
    keep: str = ""

    @property
    def job(self) -> str:
        """The name of the job it is about."""
        return self.benchmark if self.at is None else f"{self.benchmark}@{self.at}"

    def measured(self, values: Sequence[float], calibration: Sequence[float]) -> Interval:
        """The ratio the budget limits."""
        if self.statistic == "median":
            return bootstrap(ratios(values, calibration))
        unit = median(calibration)
        return bootstrap([value / unit for value in values], STATISTICS[self.statistic])

    def settled(self, values: Sequence[float], calibration: Sequence[float]) -> bool:
        """Whether more values would hardly change whether it holds."""
        return limit_settled(self.measured(values, calibration), self.limit)


@dataclass(frozen=True)
class Outcome:
    """A budget with what was measured in this run."""

    budget: Budget
    ratio: Interval

    @property
    def holds(self) -> bool:
        """Whether nothing shows that it is broken."""
        return within(self.ratio, self.budget.limit)

    @property
    def tightened(self) -> float | None:
        """The limit it should have from now on, if it is met by a wide margin."""
        return None if self.budget.keep else tightened(self.ratio, self.budget.limit)


def load(path: Path = FILE) -> tuple[Budget, ...]:
    """All budgets; a key that means nothing is an error."""
    return tuple(Budget(**entry) for entry in tomllib.loads(path.read_text(encoding="utf-8"))["budget"])


def rewrite(limits: dict[Budget, float], path: Path = FILE) -> None:
    """Write new limits into the file, leaving all else as it is."""
    head, *entries = re.split(r"(?m)^(?=\[\[budget\]\])", path.read_text(encoding="utf-8"))
    for at, budget in enumerate(load(path)):
        if budget in limits:
            entries[at] = re.sub(r"(?m)^limit = .*$", f"limit = {limits[budget]:g}", entries[at], count=1)
    path.write_text(head + "".join(entries), encoding="utf-8")
