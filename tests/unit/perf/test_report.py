"""What a run found is told so that somebody who was not there understands it."""

import json
import xml.etree.ElementTree as ET
from pathlib import Path

from perf.harness import bench, report_files
from perf.harness.budgets import Budget, Outcome
from perf.harness.decision import judge
from perf.harness.gate import findings_of
from perf.harness.growth import fit
from perf.harness.measure import Job, Series
from perf.harness.plot import Line, draw, nice
from perf.harness.report import markdown, show
from perf.harness.results import Grown, Measured, Run
from perf.harness.sampling import ratios


def a_run() -> Run:
    """One benchmark at three sizes, a third slower than the base and over its budget at the largest."""
    benchmark = bench.find("cli.list_json")
    run = Run("abc new", "def old", False, "a machine")
    points: dict[int, list[float]] = {}
    for size in (1, 50, 100):
        head, base = [0.04 + 0.001 * size] * 12, [0.03 + 0.00075 * size] * 12
        points[size] = head
        series = Series(head, base, {"limits.import_asyncclick": [0.02] * 12})
        measured = Measured(Job(benchmark, size), series, judge(ratios(head, base)))
        run.measured.append(measured)
    budget = Budget("cli.list_json", "limits.import_asyncclick", 2.0, "because.", at=100)
    last = run.measured[-1]
    last.outcomes = [Outcome(budget, budget.measured(last.series.head, last.series.beside[budget.versus]))]
    run.findings = [finding for measured in run.measured for finding in findings_of(measured)]
    assert benchmark.scale is not None
    assert benchmark.scale.growth is not None
    run.grown = [Grown(benchmark, fit(points, benchmark.scale.growth))]
    return run


def test_a_finding_says_what_slowed_by_how_much_what_it_means_and_how_to_see_it():
    text = markdown(a_run())
    assert "# Performance: red" in text
    assert "**cli.list_json@50** slower than the base: +33.3% (between +33.3% and +33.3%)" in text
    assert "what it means: looking at the agents takes longer" in text
    assert "`nox -s perf -- compare --base def cli.list_json@50`" in text
    assert "**cli.list_json@100** over its budget: 7 × limits.import_asyncclick (7 to 7); at most 2" in text


def test_a_green_run_says_so():
    run = Run("abc", None, True, "a machine", "no code differs")
    assert "# Performance: green" in markdown(run)
    assert "no code differs" in markdown(run)


def test_the_report_is_a_folder_of_files_that_parse(tmp_path: Path):
    run, last, history = a_run(), tmp_path / "p" / "last.json", tmp_path / "p" / "history.jsonl"
    report_files.keep(run, last, history)
    report_files.keep(run, last, history)
    written = list(report_files.write(json.loads(last.read_text()), history, tmp_path / "report"))
    names = {path.name for path in written}
    assert {"report.md", "report.json", "scale-cli.list_json.svg", "history-cli.list_json@50.svg"} <= names
    for path in written:
        if path.suffix == ".svg":
            ET.fromstring(path.read_text(encoding="utf-8"))
    assert "scale-cli.list_json.svg" in (tmp_path / "report" / "report.md").read_text(encoding="utf-8")


def test_plots_escape_their_texts_and_reach_a_round_number():
    ET.fromstring(draw("a < b & c", "n", "s", [Line("x", [(0, 0), (10, 7)])]))
    assert [nice(v) for v in (0.03, 0.7, 1.2, 43.0, 100.0)] == [0.05, 1.0, 2.0, 50.0, 100.0]


def test_values_are_shown_in_units_of_their_size():
    assert [show(v, "s") for v in (2.5, 0.0123, 4.2e-6, 3e-9)] == ["2.5 s", "12.3 ms", "4.2 µs", "3 ns"]
    assert show(35.6e6, "B") == "35.6 MB"
    assert show(12, "fds") == "12 fds"
