"""A run as files: what the next command reads, and a folder for people with Markdown, JSON and plots."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from statistics import median
from typing import Any

from perf.harness.plot import Line, draw
from perf.harness.report import markdown
from perf.harness.results import Run


def keep(run: Run, last: Path, history: Path | None) -> None:
    """Remember the last run, and the medians of each full one for the history."""
    last.parent.mkdir(exist_ok=True)
    data = as_data(run)
    last.write_text(json.dumps(data, indent=1), encoding="utf-8")
    if history is not None:
        entry = {"at": data["at"], "head": run.head, "ratios": data["ratios"]}
        with history.open("a", encoding="utf-8") as file:
            file.write(json.dumps(entry) + "\n")


def as_data(run: Run) -> dict[str, Any]:
    """A run as JSON-able data; all values taken are in it."""
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "head": run.head,
        "base": run.base,
        "quick": run.quick,
        "red": run.red,
        "machine": run.machine,
        "seconds": run.seconds,
        "findings": [
            {"kind": f.kind.name.lower(), "name": f.name, "how_much": f.how_much, "feels": f.feels}
            for f in run.findings
        ],
        "unconfirmed": run.unconfirmed,
        "measured": [
            {
                "name": m.job.name,
                "unit": m.job.benchmark.unit,
                "new": m.new,
                "head": m.series.head,
                "base": m.series.base,
                "beside": m.series.beside,
                "ratio": m.judgement and [m.judgement.ratio.estimate, m.judgement.ratio.low, m.judgement.ratio.high],
            }
            for m in run.measured
        ],
        "budgets": [
            {
                "job": o.budget.job,
                "versus": o.budget.versus,
                "limit": o.budget.limit,
                "ratio": [o.ratio.estimate, o.ratio.low, o.ratio.high],
                "holds": o.holds,
                "tightened": o.tightened,
            }
            for m in run.measured
            for o in m.outcomes
        ],
        "ratios": {
            m.job.name: median(m.series.head) / median(values)
            for m in run.measured
            for values in list(m.series.beside.values())[:1]
            if median(values)
        },
        "curves": {
            g.benchmark.name: {
                "axis": g.benchmark.scale.axis if g.benchmark.scale else "",
                "unit": g.benchmark.unit,
                "fitted": str(g.fit.curve),
                "terms": g.fit.curve.terms,
                "points": {
                    m.job.point: {
                        "head": median(m.series.head),
                        "base": median(m.series.base) if m.series.base else None,
                    }
                    for m in run.measured
                    if m.job.benchmark is g.benchmark
                },
            }
            for g in run.grown
        },
        "markdown": markdown(run),
    }


def write(last: dict[str, Any], history: Path, into: Path) -> Iterable[Path]:
    """Draw up a run that was kept; yields every file written."""
    into.mkdir(parents=True, exist_ok=True)
    plots: list[str] = []
    for name, curve in last["curves"].items():
        plots.append(f"scale-{name}.svg")
        yield _save(into / plots[-1], _scale_plot(name, curve))
    for name, line in _history_lines(history).items():
        plots.append(f"history-{name}.svg")
        yield _save(into / plots[-1], draw(f"{name}: ratio to its calibration", "full run", "×", [line]))
    data = {key: value for key, value in last.items() if key != "markdown"}
    yield _save(into / "report.json", json.dumps(data, indent=1))
    images = "".join(f"\n![{plot.removesuffix('.svg')}]({plot})\n" for plot in plots)
    yield _save(into / "report.md", last["markdown"] + "\n## Plots\n" + images)


def _scale_plot(name: str, curve: dict[str, Any]) -> str:
    points = {int(size): values for size, values in curve["points"].items()}
    lines = [Line("head", [(n, v["head"]) for n, v in sorted(points.items())])]
    if all(v["base"] is not None for v in points.values()):
        lines.append(Line("base", [(n, v["base"]) for n, v in sorted(points.items())]))
    a, b, c = curve["terms"]
    top = max(points)
    fitted = [(top * step / 40, a + b * (top * step / 40) + c * (top * step / 40) ** 2) for step in range(41)]
    lines.append(Line(f"fitted: {curve['fitted']}", fitted, marks=False))
    return draw(name, curve["axis"], curve["unit"], lines)


def _history_lines(history: Path) -> dict[str, Line]:
    if not history.exists():
        return {}
    runs = [json.loads(line) for line in history.read_text(encoding="utf-8").splitlines()]
    names = sorted({name for run in runs for name in run["ratios"]})
    found = {
        name: [(at, run["ratios"][name]) for at, run in enumerate(runs) if name in run["ratios"]] for name in names
    }
    return {name: Line("head", points) for name, points in found.items() if len(points) > 1}


def _save(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path
