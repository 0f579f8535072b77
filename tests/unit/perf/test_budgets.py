"""Budgets are data that fits the benchmarks there are, and are tightened in place."""

from dataclasses import replace
from pathlib import Path

import pytest

from perf.harness import bench
from perf.harness.budgets import FILE, Budget, Outcome, load, rewrite
from perf.harness.sampling import Interval


def test_every_budget_is_about_a_benchmark_and_a_calibration_that_exist():
    benchmarks = bench.every()
    for budget in load():
        benchmark = benchmarks[budget.benchmark]
        assert budget.versus in benchmark.beside, f"{budget.benchmark} is not measured beside {budget.versus}"
        assert not benchmarks[budget.versus].gated
        assert budget.why.endswith(".")
        points = benchmark.points(quick=False)
        assert budget.at in points, f"{budget.benchmark} is not measured at {budget.at}"


def test_every_benchmark_says_what_a_user_feels():
    for benchmark in bench.every().values():
        assert benchmark.feels
        assert benchmark.set_up.__doc__, f"{benchmark.name} does not say what it does"
        if benchmark.scale is not None:
            assert set(benchmark.scale.quick) <= set(benchmark.scale.points), benchmark.name
        assert set(benchmark.beside) <= bench.every().keys()


def test_a_budget_on_the_95th_percentile_looks_at_the_slow_ones():
    budget = Budget("life.crash", "limits.tmux_new_window", 60, "x.", statistic="p95")
    values = [1.0] * 90 + [50.0] * 10
    assert budget.measured(values, [1.0] * 100).estimate == 50.0
    assert Budget("a", "b", 60, "x.").measured(values, [1.0] * 100).estimate == 1.0


def test_tightening_changes_the_limit_and_nothing_else(tmp_path: Path):
    path = tmp_path / "budgets.toml"
    path.write_text(FILE.read_text(encoding="utf-8"), encoding="utf-8")
    second = load(path)[1]
    rewrite({second: 1.25}, path)
    before, after = FILE.read_text(encoding="utf-8").splitlines(), path.read_text(encoding="utf-8").splitlines()
    changed = [(old, new) for old, new in zip(before, after, strict=True) if old != new]
    assert changed == [(f"limit = {second.limit}", "limit = 1.25")]
    assert load(path)[1].limit == 1.25


def test_an_unknown_key_is_an_error(tmp_path: Path):
    path = tmp_path / "budgets.toml"
    path.write_text('[[budget]]\nbenchmark = "a"\nversus = "b"\nlimit = 1\nwhy = "c"\natt = 3\n', encoding="utf-8")
    with pytest.raises(TypeError, match="att"):
        load(path)


def test_an_outcome_tells_whether_it_holds_and_how_far_it_may_go():
    budget = Budget("a", "b", 2.0, "x.")
    assert Outcome(budget, Interval(0.5, 0.4, 0.6)).tightened == 0.9
    assert Outcome(replace(budget, keep="x."), Interval(0.5, 0.4, 0.6)).tightened is None
    assert not Outcome(budget, Interval(2.5, 2.4, 2.6)).holds
