"""Fixtures of all tests: an isolated home and a leak gate around each, and real programs for those that ask."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.support import Cli, Home, LeakGate, Supervisor, TmuxServer, find_test_tmux, make_home
from tests.support.servers import servers_in

settings.register_profile("project", max_examples=100, deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("project"), derandomize=True)
settings.load_profile("ci" if os.environ.get("CI") else "project")


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """HOME, the XDG directories and TMUX_TMPDIR, empty and private to this test, in a short path."""
    with make_home() as home:
        inside = home.environment(dict(os.environ))
        for name in os.environ.keys() - inside.keys():
            monkeypatch.delenv(name)
        for name, value in inside.items():
            monkeypatch.setenv(name, value)
        if wanted := os.environ.get("TMUX_ORC_TEST_TMUX"):
            (home.programs / "tmux").symlink_to(wanted)
        yield home


@pytest.fixture
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep coverage out of the processes this test starts: it imports modules of its own and takes its time."""
    for name in [name for name in os.environ if name.startswith("COVERAGE_PROCESS")]:
        monkeypatch.delenv(name)


@pytest.fixture(autouse=True)
def leak_gate(home: Home, request: pytest.FixtureRequest) -> Iterator[LeakGate]:
    """Fail the test that leaves a descriptor, a thread, a child, or a process anywhere behind."""
    gate = LeakGate.open(home.root)
    yield gate
    leaks = gate.leaks(everywhere="unit" not in request.node.path.parts)
    if leaks:
        pytest.fail("left behind:\n  " + "\n  ".join(leaks), pytrace=False)


@pytest.fixture(scope="session")
def tmux_binary() -> str:
    """The tmux under test: TMUX_ORC_TEST_TMUX, else the one on PATH."""
    return find_test_tmux()


@pytest.fixture
def tmux_server(home: Home, tmux_binary: str) -> Iterator[TmuxServer]:
    """An endpoint of its own; nothing runs there until the test starts it."""
    server = TmuxServer(tmux_binary, str(home.root / "tmux.sock"))
    yield server
    server.kill()


@pytest.fixture
def cli(home: Home, tmux_binary: str) -> Iterator[Cli]:
    """``tmux-orc`` as whole processes; supervisors and tmux servers it starts are ended with the test."""
    cli = Cli()
    yield cli
    Supervisor(cli).stop()
    for server in servers_in(home.tmux, tmux_binary):
        server.kill()


@pytest.fixture
def supervisor(cli: Cli) -> Supervisor:
    """The real supervisor, started in the test's own home; stopped with its agents at the end."""
    supervisor = Supervisor(cli)
    supervisor.start()
    return supervisor
