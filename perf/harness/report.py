"""A run as Markdown: first what is wrong, then everything that was measured."""

from collections.abc import Iterator
from statistics import median

from perf.harness.gate import percent
from perf.harness.results import Finding, Kind, Measured, Run
from perf.harness.sampling import Interval


def markdown(run: Run) -> str:
    """The whole report."""
    return "\n".join([*_head(run), *_findings(run), *_budgets(run), *_comparisons(run), *_growth(run), *_counts(run)])


def _head(run: Run) -> Iterator[str]:
    yield f"# Performance: {'red' if run.red else 'green'}"
    yield ""
    yield f"- head: {run.head}"
    yield f"- base: {run.base or 'none: ' + run.note}"
    yield f"- {'quick form' if run.quick else 'full form'}, {len(run.measured)} measurements in {run.seconds:.0f} s"
    yield f"- {run.machine}"
    if run.base and run.note:
        yield f"- {run.note.strip()}"
    if run.unconfirmed:
        yield f"- looked bad once and good when measured again: {', '.join(run.unconfirmed)}"
    yield ""


def _findings(run: Run) -> Iterator[str]:
    yield "## Findings"
    yield ""
    if not run.findings:
        yield "Nothing is slower than the base, over its budget, or growing too fast."
    for finding in run.findings:
        yield from _finding(run, finding)
    yield ""


def _finding(run: Run, finding: Finding) -> Iterator[str]:
    yield f"- **{finding.name}** {finding.kind.value}: {finding.how_much}"
    yield f"  - what it means: {finding.feels}"
    if finding.kind is Kind.IMPORTS:
        yield "  - try it: `nox -s perf -- imports`"
    else:
        base = f" --base {run.base.split()[0]}" if run.base else ""
        yield f"  - try it: `nox -s perf -- compare{base} {finding.name.split()[0]}`"


def _budgets(run: Run) -> Iterator[str]:
    outcomes = [outcome for measured in run.measured for outcome in measured.outcomes]
    yield "## Budgets"
    yield ""
    yield "| budget | measured | at most | unit | |"
    yield "| --- | ---: | ---: | --- | --- |"
    for outcome in outcomes:
        budget, tight = outcome.budget, outcome.tightened
        verdict = "**broken**" if not outcome.holds else f"can be tightened to {tight:g}" if tight else "holds"
        name = f"{budget.job}{'' if budget.statistic == 'median' else ' ' + budget.statistic}"
        yield f"| {name} | {_interval(outcome.ratio)} | {budget.limit:g} | {budget.versus} | {verdict} |"
    yield ""


def _interval(ratio: Interval) -> str:
    return f"{ratio.estimate:.3g} ({ratio.low:.3g} – {ratio.high:.3g})"


def _comparisons(run: Run) -> Iterator[str]:
    yield "## Everything measured"
    yield ""
    yield "| benchmark | head | base | change (99 %) | rounds | beside |"
    yield "| --- | ---: | ---: | ---: | ---: | --- |"
    for measured in sorted(run.measured, key=lambda m: m.job.name):
        yield _comparison(measured)
    yield ""


def _comparison(measured: Measured) -> str:
    series, unit = measured.series, measured.job.benchmark.unit
    base = show(median(series.base), unit) if series.base else "new" if measured.new else ""
    change = ""
    if measured.judgement is not None:
        ratio = measured.judgement.ratio
        change = f"{percent(ratio.estimate)} ({percent(ratio.low)} … {percent(ratio.high)})"
    beside = ", ".join(
        f"{median(series.head) / median(values):.3g} × {name}"
        for name, values in series.beside.items()
        if median(values)
    )
    head = show(median(series.head), unit)
    return f"| {measured.job.name} | {head} | {base} | {change} | {len(series.head)} | {beside} |"


def _growth(run: Run) -> Iterator[str]:
    if not run.grown:
        return
    yield "## Growth"
    yield ""
    yield "| benchmark | along | should be | fitted | too steep at the largest |"
    yield "| --- | --- | --- | --- | ---: |"
    for grown in run.grown:
        scale = grown.benchmark.scale
        assert scale is not None
        assert scale.growth is not None
        share = f"{grown.fit.excess.estimate:.0%} of at most {scale.slack:.0%}"
        share = f"**{share}**" if grown.too_fast else share
        yield f"| {grown.benchmark.name} | {scale.axis} | {scale.growth.value} | {grown.fit.curve} | {share} |"
    yield ""


def _counts(run: Run) -> Iterator[str]:
    if not run.counted:
        return
    yield "## Instructions"
    yield ""
    yield "| benchmark | head | base | change |"
    yield "| --- | ---: | ---: | ---: |"
    for counted in run.counted:
        base = "new" if counted.base is None else f"{counted.base:,.0f}"
        yield f"| {counted.job.name} | {counted.head:,.0f} | {base} | {counted.change:+.2%} |"
    yield ""


def show(value: float, unit: str) -> str:
    """A value as people read it."""
    if unit in ("s", "s/act", "seconds"):
        for name, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
            if value >= size:
                return f"{value / size:.3g} {name}"
        return f"{value * 1e9:.3g} ns"
    if unit == "B":
        return f"{value / 1e6:.3g} MB"
    return f"{value:.3g} {unit}"
