"""Instructions of pure code, counted by callgrind: exact, so that a change of two percent is a change.

A process runs the benchmark's set-up and a number of acts; the difference between two such numbers leaves the acts
alone.  Hashes are fixed, and nothing else may depend on the time or on chance.
"""

import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from statistics import median

from perf.harness.environments import ROOT, Environment
from perf.harness.measure import Job
from perf.harness.results import Counted, Finding, Kind, Run

THRESHOLD = 0.02

FEW = 2
ENOUGH_S = 0.01
"""Two processes perform `FEW` acts, and as many more as take so long: enough that a list that grows does not matter."""

TOTAL = re.compile(r"Collected : (\d+)")

CODE = "import sys; sys.path.insert(0, sys.argv[1]); from perf.harness.worker import count; count({!r}, {!r}, {})"


class CannotCount(Exception):
    """The counting process failed; the message says why."""


def count_all(
    jobs: Iterable[Job], head: Environment, base: Environment | None, run: Run, say: Callable[[str], None]
) -> None:
    """Count every job whose act is a fixed piece of pure code, at its smallest size; add what is found to `run`."""
    if shutil.which("valgrind") is None:
        run.note += " No valgrind here: instructions were not counted."
        return
    smallest: dict[str, Job] = {}
    for job in jobs:
        if job.benchmark.counted:
            smallest.setdefault(job.benchmark.name, job)
    seconds = {measured.job: median(measured.series.head) for measured in run.measured}
    for job in smallest.values():
        _count(job, head, base, more_acts(seconds.get(job, ENOUGH_S)), run, say)


def more_acts(seconds: float) -> int:
    """How many acts of so many seconds each are counted."""
    return max(3, min(1000, round(ENOUGH_S / seconds)))


def _count(
    job: Job, head: Environment, base: Environment | None, more: int, run: Run, say: Callable[[str], None]
) -> None:
    try:
        counted = compare(job, head, base, more)
    except CannotCount as error:
        run.findings.append(Finding(Kind.DID_NOT_RUN, f"{job.name} (counting)", str(error), job.benchmark.feels))
        return
    run.counted.append(counted)
    say(f"  {job.name:<34} {counted.head:,.0f} instructions {counted.change:+.2%}")
    if counted.change > THRESHOLD:
        run.findings.append(Finding(Kind.COUNT, job.name, f"{counted.change:+.1%}", job.benchmark.feels))


def compare(job: Job, head: Environment, base: Environment | None, more: int) -> Counted:
    """Instructions of one act on both sides, counted side by side: other processes do not matter."""
    known = base if base is not None and job.benchmark.name in base.declared else None
    with ThreadPoolExecutor(2) as pool:
        ours = pool.submit(instructions, job, head, more)
        theirs = pool.submit(instructions, job, known, more) if known is not None else None
        return Counted(job, ours.result(), theirs.result() if theirs is not None else None)


def instructions(job: Job, environment: Environment, more: int) -> float:
    """Instructions of one act."""
    fewer, all_of_them = (_total(job, environment, acts) for acts in (FEW, FEW + more))
    return (all_of_them - fewer) / more


def _total(job: Job, environment: Environment, acts: int) -> int:
    code = CODE.format(job.benchmark.name, job.point, acts)
    argv = ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null", environment.python, "-P", "-c", code]
    fixed = os.environ | {"PYTHONHASHSEED": "0", "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run([*argv, str(ROOT)], env=fixed, capture_output=True, text=True, check=False)
    found = TOTAL.search(done.stderr)
    if done.returncode or found is None:
        raise CannotCount(done.stderr[-3000:])
    return int(found[1])
