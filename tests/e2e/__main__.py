"""Run the tests of real agents: install those that are missing, and drive them where there is no network.

``python -m tests.e2e`` takes codex and claude, ``--all`` all six, names those alone; pytest's arguments follow ``--``.
What cannot be installed here is named as not run.
"""

import os
import subprocess
import sys

from tests.e2e.agents import namespace
from tests.e2e.agents.programs import FOLDER, PACKAGES, NotInstalled, find, install

USUAL = ("codex", "claude")
TESTS = "tests/e2e/real"


def main(arguments: list[str]) -> int:
    """The exit status: that of pytest, or 1 if none of the agents could be run."""
    at = arguments.index("--") if "--" in arguments else len(arguments)
    names, rest = arguments[:at], arguments[at + 1 :]
    if not set(names) <= {"--all", *PACKAGES}:
        print(f"usage: python -m tests.e2e [--all | {' | '.join(PACKAGES)}]… [-- PYTEST-ARGUMENT…]", file=sys.stderr)
        return 2
    wanted = list(PACKAGES) if "--all" in names else names or list(USUAL)
    missing = {name: why for name in wanted if (why := lacking(name))}
    there = [name for name in wanted if name not in missing]
    status = run(there, rest) if there else 1
    for name, why in missing.items():
        print(f"not run: {name}: {why}", file=sys.stderr)
    return status


def lacking(name: str) -> str:
    """Why agent `name` cannot be run; empty if it can."""
    try:
        return "" if find(name) or install(name) else "it is not there"
    except NotInstalled as error:
        return str(error)


def run(names: list[str], arguments: list[str]) -> int:
    """Drive these agents."""
    print(f"real agents: {', '.join(names)}", flush=True)
    variables = {"TMUX_ORC_E2E_AGENTS": str(FOLDER), "TMUX_ORC_E2E_KINDS": " ".join(names)}
    command = [sys.executable, "-m", "pytest", *(arguments or [TESTS])]

    def attempt(*more: str) -> int:
        return subprocess.call(namespace.wrapped([*command, *more]), env=os.environ | variables)

    status = attempt()
    if status == 1:
        print("what failed is tried once more: the programs are others', and so is their temper", flush=True)
        status = attempt("--last-failed", "--last-failed-no-failures=none")
    return status


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
