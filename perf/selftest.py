"""Is the gate to be trusted?  Plants known slowdowns in copies of the code, and compares the code with itself.

`nox -s perf-selftest` takes hours; ``-- --times 3 --runs 2`` gives an impression.  With ``--write`` the tables go into
docs/benchmarks.md.
"""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from perf.harness import budgets, environments
from perf.harness.bench import every, find
from perf.harness.commands import leave_on_sigterm, say
from perf.harness.environments import ROOT, Environment
from perf.harness.gate import QUICK, Gate, Plan, jobs_of
from perf.harness.measure import Job, Patience
from perf.harness.remote import Remote
from perf.harness.results import Run

PAGE = ROOT / "docs" / "benchmarks.md"
SIZES = (5, 10, 25, 50)

BURN = """

def _burn(steps: int) -> None:
    from itertools import repeat

    for _ in repeat(None, steps):
        pass
"""


@dataclass(frozen=True)
class Plant:
    """Where work is added: before the line `anchor` of `file`, which one act of `benchmark` passes `passes` times."""

    name: str
    file: str
    anchor: str
    benchmark: str
    point: int | None = None
    passes: int = 1

    @property
    def job(self) -> Job:
        """What should turn red."""
        return Job(find(self.benchmark), self.point)


SLOWDOWNS = (
    Plant("the parser", "tmux/_protocol.py", '        if b"\\n" not in data:', "tmux.parse", passes=4),
    Plant("the mailbox", "actors/_mailbox.py", "        if self._control or self._user:", "actors.call"),
    Plant("the start of a command", "cli/_main.py", "    if COMPLETE_VARIABLE in os.environ:", "cli.help"),
    Plant("the journal", "journal/_store.py", '            self._db.execute("COMMIT")', "journal.accept"),
    Plant("the delivery path", "delivery/ladder.py", "        delivery = self._delivery\n", "delivery.ladder"),
)


@dataclass(frozen=True)
class Defect:
    """A fixed piece of bad code, and the benchmarks of which one must notice it."""

    name: str
    file: str
    anchor: str
    code: str
    benchmark: str
    helper: str = ""


DEFECTS = (
    Defect(
        "a quadratic loop",
        "actors/_sequence.py",
        "        if self.phase is not Phase.ENDED:\n            self._halt_next(now)",
        "        for one in self._children:\n            for other in self._children:\n                one is other\n",
        "actors.decisions",
    ),
    Defect(
        "a memory leak",
        "actors/_mailbox.py",
        "        if self._control or self._user:",
        "        _kept.append(bytearray(64))\n",
        "resources.retained",
        "\n\n_kept: list[bytearray] = []\n",
    ),
)


def planted(source: Path, into: Path, file: str, anchor: str, code: str, *, helper: str = "") -> Path:
    """A copy of the code with `code` before `anchor`."""
    copy = environments.copy_tree(source, into)
    path = copy / environments.PACKAGE / file
    text = path.read_text(encoding="utf-8")
    if anchor not in text:
        raise SystemExit(f"{file} has changed: plant elsewhere than at {anchor!r}")
    path.write_text(text.replace(anchor, code + anchor, 1) + helper, encoding="utf-8")
    return copy


def burning(plant: Plant, percent: int, cost_s: float, step_s: float) -> str:
    """The line that makes an act take so many percent longer."""
    indent = " " * (len(plant.anchor) - len(plant.anchor.lstrip(" ")))
    return f"{indent}_burn({round(cost_s * percent / 100 / plant.passes / step_s)})\n"


def cost_of(job: Job, environment: Environment) -> float:
    """Seconds that one act takes."""
    with Remote(environment.python, ROOT) as worker:
        worker.open(job.benchmark.name, job.point)
        values = [value for turn in range(20) for value in worker.sample(turn=turn)]
        worker.shut()
    return median(values)


def step_cost(environment: Environment) -> float:
    """Seconds that one step of the burning loop takes."""
    code = """
import itertools, statistics, time, timeit
loop = "for _ in repeat(None, 100000): pass"
times = timeit.repeat(loop, number=1, repeat=50, timer=time.process_time, globals={"repeat": itertools.repeat})
print(statistics.median(times) / 100000)
"""
    return float(subprocess.run([environment.python, "-c", code], capture_output=True, text=True, check=True).stdout)


def judge(jobs: Sequence[Job], head: Environment, base: Environment, patience: Patience = QUICK) -> Run:
    """What the gate says."""
    run = Run(head.label, base.label, True, "")
    return Gate(Plan(tuple(jobs), head, base, budgets.load(), patience), run, lambda _: None).measure()


class Selftest:
    """One run in a place of its own; `times` comparisons of each plant, `runs` whole runs of equals."""

    def __init__(self, place: Path) -> None:
        self._place = place
        self._source = environments.extract(None, place / "src_base")
        self._base = environments.install(self._source, place / "base", "base")

    def catch_rates(self, times: int) -> Iterator[tuple[str, str, int, int, str]]:
        """For each plant and size: how often it was found, of how many, and what was measured."""
        step_s = step_cost(self._base)
        for plant in SLOWDOWNS:
            cost_s = cost_of(plant.job, self._base)
            for percent in SIZES:
                code = burning(plant, percent, cost_s, step_s)
                yield self._caught(
                    (plant.name, f"{percent} %"), (plant.file, plant.anchor, code, BURN), [plant.job], times
                )
        for defect in DEFECTS:
            jobs = [Job(find(defect.benchmark), point) for point in find(defect.benchmark).points(quick=True)]
            bad = (defect.file, defect.anchor, defect.code, defect.helper)
            yield self._caught((defect.name, "is there"), bad, jobs, times)

    def _caught(
        self, label: tuple[str, str], code: tuple[str, str, str, str], jobs: Sequence[Job], times: int
    ) -> tuple[str, str, int, int, str]:
        file, anchor, inserted, helper = code
        with self._head(planted(self._source, self._place / "src_head", file, anchor, inserted, helper=helper)) as head:
            runs = [judge(jobs, head, self._base) for _ in range(times)]
        red = [run for run in runs if any(f.name.partition("@")[0] == jobs[0].benchmark.name for f in run.findings)]
        ratios = [m.judgement.ratio.estimate for run in runs for m in run.measured[-1:] if m.judgement is not None]
        seen = f"{median(ratios) - 1:+.0%}" if ratios else "did not run"
        say(f"{label[0]}, {label[1]}: caught {len(red)} of {times}, measured {seen}")
        return *label, len(red), times, seen

    @contextmanager
    def _head(self, source: Path) -> Iterator[Environment]:
        yield environments.install(source, self._place / "head", "head")
        shutil.rmtree(self._place / "head")
        shutil.rmtree(source)

    def false_alarms(self, runs: int, *, busy: bool) -> tuple[int, list[str], float]:
        """How many whole quick runs of equals were red, what they found, and how long one took."""
        jobs, found, began = jobs_of(every().values(), quick=True), list[str](), time.monotonic()
        red = 0
        with self._head(environments.copy_tree(self._source, self._place / "src_head")) as head, neighbour(busy):
            for number in range(runs):
                run = judge(jobs, head, self._base)
                red += run.red
                found += [f"{f.name}: {f.kind.value} {f.how_much.splitlines()[-1]}" for f in run.findings]
                say(f"run {number + 1} of {runs}: {'red' if run.red else 'green'} in {run.seconds:.0f} s")
        return red, found, (time.monotonic() - began) / max(1, runs)


@contextmanager
def neighbour(busy: bool) -> Iterator[None]:
    """Another process that never rests, if wanted."""
    if not busy:
        yield
        return
    with subprocess.Popen([sys.executable, "-c", "while True: pass"]) as process:
        yield
        process.kill()


def tables(caught: Sequence[tuple[str, str, int, int, str]], quiet: Sequence[tuple[str, int, int, float]]) -> str:
    """Both tables as Markdown."""
    lines = ["| planted in | slower by | measured | caught |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {name} | {size} | {seen} | {red} of {times} |" for name, size, red, times, seen in caught]
    lines += ["", "| equals compared | whole quick runs | false alarms | a run takes |", "| --- | ---: | ---: | ---: |"]
    lines += [f"| {what} | {runs} | {red} | {seconds:.0f} s |" for what, runs, red, seconds in quiet]
    return "\n".join(lines)


def verdict(
    caught: Sequence[tuple[str, str, int, int, str]], quiet: Sequence[tuple[str, int, int, float]]
) -> list[str]:
    """What falls short of what the gate must reach."""
    short: list[str] = []
    quarter = [(red, times) for _, size, red, times, _ in caught if size == "25 %"]
    if sum(red for red, _ in quarter) < 0.95 * sum(times for _, times in quarter):
        short.append("fewer than 95 % of the slowdowns by a quarter were caught")
    sure = [entry for entry in caught if entry[1] in ("50 %", "is there")]
    short += [f"{name} ({size}) was missed" for name, size, red, times, _ in sure if red < times]
    short += [f"{red} false alarms in {runs} runs: {what}" for what, runs, red, _ in quiet if red > runs / 20]
    return short


def main() -> int:
    """Run it, print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(prog="nox -s perf-selftest --", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="comparisons of each plant (default 20)")
    parser.add_argument("--runs", type=int, default=20, help="whole runs of equals, quiet and busy (default 20)")
    parser.add_argument("--write", action="store_true", help="put the tables into the documentation")
    options = parser.parse_args()
    leave_on_sigterm()
    place = Path(tempfile.mkdtemp(prefix="tmux-orc-perf-", dir="/tmp"))
    try:
        selftest = Selftest(place)
        caught = list(selftest.catch_rates(options.times)) if options.times else []
        quiet: list[tuple[str, int, int, float]] = []
        for what, busy in (("alone", False), ("beside a busy neighbour", True)):
            red, found, seconds = selftest.false_alarms(options.runs, busy=busy) if options.runs else (0, [], 0.0)
            quiet.append((what, options.runs, red, seconds))
            say("\n".join(found))
    finally:
        shutil.rmtree(place, ignore_errors=True)
    text = tables(caught, quiet)
    print(text)
    if options.write:
        write(text)
    short = verdict(caught, quiet)
    print(*short, sep="\n", end="\n" if short else "")
    return 1 if short else 0


def write(text: str) -> None:
    """Put the tables where the documentation has its marks for them."""
    page = PAGE.read_text(encoding="utf-8")
    marks = r"(<!-- selftest: begin -->\n).*?(<!-- selftest: end -->)"
    PAGE.write_text(re.sub(marks, lambda m: f"{m[1]}{text}\n{m[2]}", page, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
