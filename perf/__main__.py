"""`python -m perf`: run the gate, or one of its tools.  `nox -s perf -- ARGUMENTS` calls it in its environment."""

import argparse
import sys

from perf.harness import commands


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = argparse.ArgumentParser(prog="nox -s perf --", description=__doc__)
    top.set_defaults(act=commands.run)
    running(top)
    verbs = top.add_subparsers(metavar="COMMAND")
    run = verbs.add_parser("run", help="measure, compare with the base, check the budgets (the default)")
    running(run)
    compare = verbs.add_parser("compare", help="one comparison, patiently: NAME or NAME@SIZE")
    running(compare)
    compare.set_defaults(act=commands.compare)
    compare.add_argument("names", nargs="+")
    report = verbs.add_parser("report", help="draw up the last run as Markdown, JSON and SVG")
    report.add_argument("--into", default="perf-report", help="folder for the report (default: perf-report)")
    report.set_defaults(act=commands.report)
    profile = verbs.add_parser("profile", help="a flame graph of one benchmark")
    profile.add_argument("name")
    profile.add_argument("--into", default="perf-report", help="folder for the graph (default: perf-report)")
    profile.add_argument("--seconds", type=float, default=3.0)
    profile.set_defaults(act=commands.profile)
    verbs.add_parser("tighten", help="write the limits that the last full run earned").set_defaults(
        act=commands.tighten
    )
    verbs.add_parser("list", help="all benchmarks").set_defaults(act=commands.show)
    verbs.add_parser("imports", help="what the commands import, against its budget").set_defaults(act=commands.imports)
    return top


def running(parser: argparse.ArgumentParser) -> None:
    """Options of everything that measures."""
    parser.add_argument("--quick", action="store_true", help="the short form, for a laptop and for every change")
    parser.add_argument("--base", help="compare with this commit (default: where the branch left main)")
    parser.add_argument("--head", help="measure this commit instead of the working tree")
    parser.add_argument("--no-base", action="store_true", help="only budgets and growth")
    parser.add_argument("--even-if-same", action="store_true", help="compare although no code differs")
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN", help="only benchmarks like cli.*")


if __name__ == "__main__":
    commands.leave_on_sigterm()
    options = parser().parse_args()
    sys.exit(options.act(options))
