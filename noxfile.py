"""Sessions of checks: ``nox`` runs the default ones in environments of their own, ``nox -l`` lists all.

`tools/setup.py test` runs the default ones in `.venv` instead, which is faster (``nox --no-venv --no-install``).
Another interpreter: ``nox -s tests --force-python 3.13``.
Another tmux: ``TMUX_ORC_TEST_TMUX=/path/to/tmux nox -s tmux``.
"""

import re
from pathlib import Path

import nox

nox.needs_version = ">=2025.5.1"
nox.options.default_venv_backend = "venv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["lint", "types", "docs", "tests", "coverage"]

PROJECT = nox.project.load_toml("pyproject.toml")
SOURCES = ("src", "tests", "tools", "perf", "noxfile.py")
NOT_OURS = "ASYNC106,ASYNC124,ASYNC9"
"""Handlers and commands are async by contract, whether they wait for something or not; the rest is off by default."""
MAY_BLOCK = "ASYNC210,ASYNC220,ASYNC221,ASYNC222,ASYNC230,ASYNC240,ASYNC251"
"""A command is one short process without an event loop: nobody else waits while it does."""


def install(session: nox.Session, *groups: str) -> None:
    """Install the project, editable, with these dependency groups."""
    session.install("-e", ".", *nox.project.dependency_groups(PROJECT, *groups))


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, formatting, the async rules and the layers."""
    install(session, "lint")
    session.run("ruff", "check", *SOURCES)
    session.run("ruff", "format", "--check", *SOURCES)
    client, rest = python_files("src/tmuxorc/cli"), python_files("src")
    session.run("flake8-async", f"--disable={NOT_OURS}", *sorted(set(rest) - set(client)))
    session.run("flake8-async", f"--disable={NOT_OURS},{MAY_BLOCK}", *client)
    session.run("lint-imports", "--no-logo")


@nox.session
def types(session: nox.Session) -> None:
    """Check the types, strictly, with mypy and with pyright."""
    install(session, "types")
    session.run("mypy")
    session.run("pyright", "--warnings")


@nox.session
def tests(session: nox.Session) -> None:
    """Run all tests, or those named after ``--``, measuring branch coverage."""
    install(session, "test")
    session.run("coverage", "erase")
    session.run("coverage", "run", "-m", "pytest", *session.posargs)


@nox.session
def coverage(session: nox.Session) -> None:
    """Say what the tests of the last run did not reach; too much of it is a failure."""
    install(session, "test")
    session.run("coverage", "combine", "--quiet")
    session.run("coverage", "report", *session.posargs)


@nox.session(default=False)
def tmux(session: nox.Session) -> None:
    """Run the tests against a real tmux; TMUX_ORC_TEST_TMUX names another binary than the one on PATH."""
    install(session, "test")
    session.run("pytest", "tests/tmux", *session.posargs)


@nox.session(default=False)
def chaos(session: nox.Session) -> None:
    """Run the tests that kill supervisors, tmux and agents at bad moments."""
    install(session, "test")
    session.run("pytest", "tests/chaos", *session.posargs)


@nox.session(default=False)
def e2e(session: nox.Session) -> None:
    """Drive real agent programs offline: codex and claude, those named after ``--``, or ``-- --all``."""
    install(session, "test")
    session.run("python", "-m", "tests.e2e", *session.posargs)


@nox.session(default=False)
def record(session: nox.Session) -> None:
    """Record a real agent program offline, ``-- codex``, and show what changed against the recording there was."""
    install(session, "test")
    session.run("python", "-m", "tests.recordings.record", *session.posargs)


@nox.session(default=False)
def minimums(session: nox.Session) -> None:
    """Run all tests with the lowest version of every dependency that the project claims to work with."""
    install(session, "test")
    session.install(*map(lowest, PROJECT["project"]["dependencies"]))
    session.run("pytest", *session.posargs)


@nox.session(default=False)
def perf(session: nox.Session) -> None:
    """Measure this tree beside its base and against its budgets; ``-- --quick`` is short, ``-- --help`` tells more."""
    install(session, "perf")
    session.run("python", "-m", "perf", *session.posargs)


@nox.session(name="perf-selftest", default=False)
def perf_selftest(session: nox.Session) -> None:
    """Plant known slowdowns and see that the gate finds them, and that it is quiet otherwise; takes hours."""
    install(session, "perf")
    session.run("python", "-m", "perf.selftest", *session.posargs)


@nox.session
def docs(session: nox.Session) -> None:
    """Check the generated references against the code and the links between pages; ``-- --write`` mends the former."""
    install(session)
    session.run("python", "tools/check_docs.py", *session.posargs)


def lowest(requirement: str) -> str:
    """``name>=1.2`` as ``name==1.2``."""
    return re.sub(r">=([^,;]+).*", r"==\1", requirement)


def python_files(folder: str) -> list[str]:
    """Every module below `folder`; flake8-async takes no folders."""
    return sorted(map(str, Path(folder).rglob("*.py")))
