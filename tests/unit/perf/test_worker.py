"""Workers measure in processes of their own, tell what went wrong, and leave nothing behind."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from perf.harness import bench
from perf.harness.decision import Verdict
from perf.harness.environments import ROOT, Environment
from perf.harness.gate import Gate, Plan
from perf.harness.measure import Job, Patience
from perf.harness.remote import DidNotRun, Remote
from perf.harness.results import Kind, Run

pytestmark = pytest.mark.usefixtures("unmeasured")


@pytest.fixture
def remote() -> Iterator[Remote]:
    with Remote(sys.executable, ROOT) as remote:
        yield remote


def test_a_worker_measures_one_benchmark_after_the_other(remote: Remote):
    remote.open("wire.encode", 1)
    (small,) = remote.sample()
    remote.shut()
    remote.open("wire.encode", 500)
    large = remote.sample(3)
    remote.shut()
    assert len(large) == 3
    assert 0 < small < min(large)


def test_an_async_benchmark_runs_on_trio_between_samples_of_others(remote: Remote):
    remote.open("actors.call", None)
    assert all(0 < value < 1 for value in remote.sample(2))
    remote.shut()


def test_a_benchmark_that_cannot_run_says_why_and_the_worker_goes_on(remote: Remote):
    with pytest.raises(DidNotRun, match="KeyError"):
        remote.open("wire.no_such_thing", None)
    remote.open("wire.encode", 1)
    assert remote.sample()
    remote.shut()


def test_a_dead_worker_is_an_error_not_a_wait(remote: Remote):
    remote._process.kill()
    with pytest.raises(DidNotRun, match="worker"):
        remote.open("wire.encode", 1)


def environment(python: str = sys.executable, *, declared: frozenset[str] = frozenset(bench.every())) -> Environment:
    """An environment that needs no building."""
    return Environment("here", python, Path("/"), declared)


def run_gate(job: Job, base: Environment) -> Run:
    """A gate over one job with very little patience."""
    plan = Plan((job,), environment(), base, (), Patience(seconds=0.5))
    return Gate(plan, Run("here", "there", True, ""), lambda _: None).measure()


def test_the_gate_measures_both_sides():
    run = run_gate(Job(bench.find("wire.encode"), 50), environment())
    (measured,) = run.measured
    assert measured.judgement is not None
    assert measured.judgement.verdict is not Verdict.FASTER
    assert len(measured.series.head) == len(measured.series.base) >= 8
    assert not run.findings


@pytest.fixture
def broken(tmp_path: Path) -> str:
    """An interpreter in which the benchmark cannot run: it lacks the package under measurement."""
    python = tmp_path / "python"
    hidden = "import sys; sys.modules['tmuxorc'] = None; code = sys.argv.pop(3); del sys.argv[1:3]; exec(code)"
    python.write_text(f'#!/bin/sh\nexec {sys.executable} -c "{hidden}" "$@"\n')
    python.chmod(0o755)
    return str(python)


def test_a_benchmark_the_base_does_not_have_is_new(broken: str):
    run = run_gate(Job(bench.find("wire.encode"), 1), environment(broken, declared=frozenset()))
    (measured,) = run.measured
    assert measured.new
    assert not run.findings


def test_a_benchmark_that_the_base_has_and_cannot_run_is_a_failure(broken: str):
    run = run_gate(Job(bench.find("wire.encode"), 1), environment(broken))
    assert [(finding.kind, finding.name) for finding in run.findings] == [(Kind.DID_NOT_RUN, "wire.encode@1")]
