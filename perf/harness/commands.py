"""What `python -m perf` does: from options to an exit status."""

import json
import os
import platform
import shutil
import signal
import sys
import tempfile
from argparse import Namespace
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

from perf.harness import budgets, environments, importing, report_files
from perf.harness.bench import Benchmark, every
from perf.harness.counting import count_all
from perf.harness.environments import Environment, NoBase
from perf.harness.gate import FULL, QUICK, Gate, Plan, jobs_of
from perf.harness.measure import Job, Patience
from perf.harness.report import markdown
from perf.harness.results import Finding, Kind, Run

LAST = Path(".perf") / "last.json"
HISTORY = Path(".perf") / "history.jsonl"


def say(text: str) -> None:
    """One line of progress."""
    print(text, file=sys.stderr, flush=True)


def leave_on_sigterm() -> None:
    """Clean up when told to end: workers, their agents and the environments."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))


def run(options: Namespace) -> int:
    """The gate."""
    chosen = {name: b for name, b in every().items() if wanted(name, options.only)}
    jobs = jobs_of(chosen.values(), quick=options.quick)
    return gate(options, jobs, QUICK if options.quick else FULL, whole=not options.only)


def compare(options: Namespace) -> int:
    """Some benchmarks, patiently."""
    jobs = tuple(job for name in options.names for job in jobs_named(name))
    return gate(options, jobs, replace(FULL, seconds=2 * FULL.seconds), whole=False)


def wanted(name: str, patterns: list[str]) -> bool:
    """Whether a benchmark was asked for."""
    return not patterns or any(fnmatch(name, pattern) or name == pattern for pattern in patterns)


def jobs_named(name: str) -> list[Job]:
    """``cli.list_json@50``, or all sizes of ``cli.list_json``."""
    bare, _, point = name.partition("@")
    found: Benchmark | None = every().get(bare)
    if found is None:
        raise SystemExit(f"there is no benchmark {bare}; see: nox -s perf -- list")
    return [Job(found, int(point))] if point else [Job(found, p) for p in found.points(quick=False)]


def gate(options: Namespace, jobs: tuple[Job, ...], patience: Patience, *, whole: bool) -> int:
    """Build the environments, measure, report; the exit status."""
    with prepared(options) as (head, base, note):
        result = Run(head.label, base.label if base else None, options.quick, machine(), note)
        say(f"head: {head.label}\nbase: {base.label if base else note}\n{len(jobs)} measurements")
        Gate(Plan(jobs, head, base, budgets.load(), patience), result, say).measure()
        if not options.quick:
            count_all(jobs, head, base, result, say)
        if whole:
            result.findings += import_findings(head)
    report_files.keep(result, LAST, HISTORY if whole and not options.quick else None)
    print(markdown(result))
    return 1 if result.red else 0


def import_findings(head: Environment) -> list[Finding]:
    """What the commands import without need."""
    return [
        Finding(Kind.IMPORTS, broken.command, broken.how_much, "the command takes longer to start")
        for broken in importing.check(head.python)
    ]


@contextmanager
def prepared(options: Namespace) -> Iterator[tuple[Environment, Environment | None, str]]:
    """Both environments, removed again; and, if there is no base, why."""
    place = Path(tempfile.mkdtemp(prefix="tmux-orc-perf-", dir="/tmp"))
    try:
        source = environments.extract(options.head, place / "src_head")
        head = environments.install(source, place / "head", environments.describe(options.head))
        base, note = base_for(options, source, place)
        yield head, base, note
    finally:
        shutil.rmtree(place, ignore_errors=True)


def base_for(options: Namespace, head: Path, place: Path) -> tuple[Environment | None, str]:
    """The other side, or why there is none."""
    if options.no_base:
        return None, "not asked for"
    try:
        revision = environments.find_base(options.base)
        source = environments.extract(revision, place / "src_base")
        if not options.even_if_same and environments.same_code(head, source):
            return None, f"no code differs from {environments.describe(revision)}"
        return environments.install(source, place / "base", environments.describe(revision)), ""
    except NoBase as error:
        return None, str(error)


def machine() -> str:
    """Where this was measured, in one line."""
    model = next(
        (line.partition(":")[2].strip() for line in _lines("/proc/cpuinfo") if line.startswith("model name")),
        platform.processor(),
    )
    return f"{os.cpu_count()} × {model}, {platform.system()} {platform.release()}, Python {platform.python_version()}"


def _lines(path: str) -> list[str]:
    try:
        return Path(path).read_text(encoding="utf-8").splitlines()
    except OSError:
        return []


def report(options: Namespace) -> int:
    """Draw up the last run."""
    if not LAST.exists():
        raise SystemExit("nothing was measured yet; first: nox -s perf")
    for path in report_files.write(json.loads(LAST.read_text(encoding="utf-8")), HISTORY, Path(options.into)):
        print(path)
    return 0


def profile(options: Namespace) -> int:
    """A flame graph."""
    from perf.harness.profiling import flame

    (job, *_) = jobs_named(options.name)
    print(flame(job, Path(options.into), options.seconds))
    return 0


def tighten(_: Namespace) -> int:
    """Write the limits that the last full run earned."""
    last: dict[str, Any] = json.loads(LAST.read_text(encoding="utf-8")) if LAST.exists() else {"quick": True}
    if last["quick"]:
        raise SystemExit("only a full run earns tighter limits; first: nox -s perf")
    by_job = {(b["job"], b["versus"]): b.get("tightened") for b in last["budgets"]}
    earned = {b: limit for b in budgets.load() if (limit := by_job.get((b.job, b.versus)))}
    budgets.rewrite(earned)
    for budget, limit in earned.items():
        print(f"{budget.job}: {budget.limit:g} → {limit:g}")
    return 0


def show(_: Namespace) -> int:
    """All benchmarks, with what a user feels."""
    for name, benchmark in every().items():
        sizes = f" @{','.join(map(str, benchmark.scale.points))} {benchmark.scale.axis}" if benchmark.scale else ""
        print(f"{name}{sizes}\n    slower means: {benchmark.feels}")
    return 0


def imports(_: Namespace) -> int:
    """The import budgets by themselves."""
    broken = importing.check(sys.executable)
    print(*(f"{b.command}: {b.how_much}" for b in broken), sep="\n", end="\n" if broken else "")
    return 1 if broken else 0
