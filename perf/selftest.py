"""Is the gate to be trusted?  Plants known slowdowns in copies of the code, and compares the code with itself.

`nox -s perf-selftest` takes hours; ``-- --times 3 --runs 2`` gives an impression.  With ``--write`` the tables go into
docs/benchmarks.md.
"""

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

from perf.harness import budgets, environments
from perf.harness.bench import every, find
from perf.harness.commands import leave_on_sigterm, say
from perf.harness.environments import ROOT, Environment
from perf.harness.gate import QUICK, Gate, Plan, jobs_of
from perf.harness.measure import Bench, Job, Patience
from perf.harness.remote import Remote
from perf.harness.results import Run
from perf.harness.sampling import ratios

PAGE = ROOT / "docs" / "benchmarks.md"
SIZES = (5, 10, 25, 50)
REQUIRED = 25
"""From this size on a slowdown must be caught; of smaller ones, a quarter as many comparisons show how they fare."""

STEPS = "PERF_BURN_STEPS"
BURN = f"""

import itertools as _itertools
import os as _os

_STEPS = int(_os.environ.get("{STEPS}", "0"))


def _burn() -> None:
    for _ in _itertools.repeat(None, _STEPS):
        pass
"""


@dataclass(frozen=True)
class Plant:
    """Where work is added: before the line `anchor` of `file`, which every act of `benchmark` passes."""

    name: str
    file: str
    anchor: str
    benchmark: str
    point: int | None = None

    @property
    def job(self) -> Job:
        """What should turn red."""
        return Job(find(self.benchmark), self.point)

    @property
    def code(self) -> str:
        """The line that is added."""
        return " " * (len(self.anchor) - len(self.anchor.lstrip(" "))) + "_burn()\n"


SLOWDOWNS = (
    Plant("the parser", "tmux/_protocol.py", '        if b"\\n" not in data:', "tmux.parse"),
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


@contextmanager
def burning(steps: int) -> Iterator[None]:
    """Have planted code make so many steps, in every process that starts meanwhile."""
    os.environ[STEPS] = str(steps)
    try:
        yield
    finally:
        del os.environ[STEPS]


def steps_for(plant: Plant, head: Environment, base: Environment) -> float:
    """How many steps make the act of a plant one percent slower, as measured: part of the work may hide behind a wait.

    They grow until what they cost stands out of the noise; then two measurements say how much that is.
    """
    steps, slower = 1000.0, 0.0
    while (slower := _slower(plant.job, round(steps), head, base)) < CLEAR:
        steps *= 6
    steps *= MIDDLE / slower
    return steps / _slower(plant.job, round(steps), head, base)


CLEAR = 15.0
MIDDLE = 35.0
"""Percent: more than any noise of a thorough look, and the size at which the steps are measured in the end."""


def _slower(job: Job, steps: int, head: Environment, base: Environment) -> float:
    """By how many percent so many steps slow the job down."""
    with burning(steps), Remote(head.python, ROOT) as ours, Remote(base.python, ROOT) as theirs:
        bench = Bench(ours, theirs, theirs)
        series = bench.measure(replace(job, benchmark=replace(job.benchmark, beside=())), THOROUGH, lambda _: False)
    return 100 * (median(ratios(series.head, series.base, job.benchmark.floor)) - 1)


THOROUGH = Patience(seconds=8.0)


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

    def catch_rates(self, times: int, only: Sequence[str] | None) -> Iterator[tuple[str, str, int, int, str]]:
        """For each plant, or those named, and size: how often it was found, of how many, and what was measured."""
        for plant in (plant for plant in SLOWDOWNS if not only or plant.name in only):
            with self._planted(plant.file, plant.anchor, plant.code, BURN) as head:
                steps = steps_for(plant, head, self._base)
                for percent in SIZES:
                    with burning(round(steps * percent)):
                        few = times if percent >= REQUIRED else -(-times // 4)
                        yield self._caught((plant.name, f"{percent} %"), head, [plant.job], few)
        for defect in (defect for defect in DEFECTS if not only or defect.name in only):
            jobs = [Job(find(defect.benchmark), point) for point in find(defect.benchmark).points(quick=True)]
            with self._planted(defect.file, defect.anchor, defect.code, defect.helper) as head:
                yield self._caught((defect.name, "is there"), head, jobs, times)

    @contextmanager
    def _planted(self, file: str, anchor: str, code: str, helper: str) -> Iterator[Environment]:
        source = planted(self._source, self._place / "src_head", file, anchor, code, helper=helper)
        with self._head(source) as head:
            yield head

    def _caught(
        self, label: tuple[str, str], head: Environment, jobs: Sequence[Job], times: int
    ) -> tuple[str, str, int, int, str]:
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


PARTS = ("catch", "alone", "busy")
KEPT = Path(".perf") / "selftest.json"


def main() -> int:
    """Run it, print the tables, and return the exit status."""
    parser = argparse.ArgumentParser(prog="nox -s perf-selftest --", description=__doc__)
    parser.add_argument("--times", type=int, default=20, help="comparisons of each plant (default 20)")
    parser.add_argument("--runs", type=int, default=20, help="whole runs of equals, quiet and busy (default 20)")
    parser.add_argument("--part", action="append", choices=PARTS, help="only this; of the rest the last outcome counts")
    parser.add_argument(
        "--plant", action="append", help="of the part `catch` only what is planted here, for example: the parser"
    )
    parser.add_argument("--write", action="store_true", help="put the tables into the documentation")
    options = parser.parse_args()
    leave_on_sigterm()
    outcome: dict[str, Any] = json.loads(KEPT.read_text(encoding="utf-8")) if options.part and KEPT.exists() else {}
    place = Path(tempfile.mkdtemp(prefix="tmux-orc-perf-", dir="/tmp"))
    try:
        selftest = Selftest(place)
        for part in options.part or PARTS:
            rows = measured(selftest, part, options)
            outcome[part] = merged(outcome.get(part, []), rows) if part == "catch" else rows
            KEPT.parent.mkdir(exist_ok=True)
            KEPT.write_text(json.dumps(outcome, indent=1), encoding="utf-8")
    finally:
        shutil.rmtree(place, ignore_errors=True)
    caught = [tuple(row) for row in outcome.get("catch", ())]
    quiet = [tuple(outcome[part]) for part in PARTS[1:] if part in outcome]
    text = tables(caught, quiet)
    print(text)
    if options.write:
        write(text)
    short = verdict(caught, quiet)
    print(*short, sep="\n", end="\n" if short else "")
    return 1 if short else 0


def measured(selftest: Selftest, part: str, options: argparse.Namespace) -> list[Any]:
    """The rows of one part."""
    if part == "catch":
        return list(selftest.catch_rates(options.times, options.plant))
    red, found, seconds = selftest.false_alarms(options.runs, busy=part == "busy")
    say("\n".join(found))
    return ["beside a busy neighbour" if part == "busy" else "alone", options.runs, red, seconds]


def merged(before: Sequence[Sequence[Any]], now: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """What was measured now in the place of what was measured of the same before."""
    rows = {(row[0], row[1]): list(row) for row in (*before, *now)}
    return list(rows.values())


def write(text: str) -> None:
    """Put the tables where the documentation has its marks for them."""
    page = PAGE.read_text(encoding="utf-8")
    marks = r"(<!-- selftest: begin -->\n).*?(<!-- selftest: end -->)"
    PAGE.write_text(re.sub(marks, lambda m: f"{m[1]}{text}\n{m[2]}", page, flags=re.DOTALL), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
