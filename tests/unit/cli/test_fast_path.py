"""A request costs little more than asyncclick itself: what must not be imported for it, is not."""

import subprocess
import sys

import pytest

from tests.unit.cli import _samples as samples
from tests.unit.cli._peer import Peer
from tmuxorc.wire import methods as m

pytestmark = pytest.mark.usefixtures("unmeasured")

FORBIDDEN = {
    "anyio",
    "asyncio",
    "concurrent",
    "ctypes",
    "dataclasses",
    "email",
    "fastmcp",
    "importlib.metadata",
    "json",
    "libtmux",
    "logging",
    "multiprocessing",
    "pathlib",
    "platformdirs",
    "rich",
    "shutil",
    "sqlite3",
    "ssl",
    "subprocess",
    "tempfile",
    "tomllib",
    "trio",
    "urllib",
}

OURS = {"tmuxorc.actors", "tmuxorc.agents", "tmuxorc.daemon", "tmuxorc.delivery", "tmuxorc.journal", "tmuxorc.tmux"}

AT_MOST = 45
"""Modules of our own that one request may load; each is a file to find and to read."""

LOOK = (
    "import atexit, sys; "
    "atexit.register(lambda: print(*sys.modules, file=sys.stderr)); "
    "from tmuxorc.cli import main; "
    "sys.argv = ['tmux-orc', *sys.argv[1:]]; "
    "main()"
)


def modules_of(*words: str) -> set[str]:
    """The modules a whole process has loaded when it ends."""
    done = subprocess.run([sys.executable, "-c", LOOK, *words], capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout
    return set(done.stderr.split())


@pytest.mark.parametrize(
    "line", ["list --json", "list", "status --json", "send alice hi", "--help", "--version", "agent info alice", ""]
)
def test_a_request_loads_no_more_than_it_needs(line: str, peer: Peer) -> None:
    peer.answers(m.AGENT_LIST, m.AgentList(agents=(samples.agent(),)))
    peer.answers(m.SYSTEM_STATUS, samples.system_status())
    peer.answers(m.MESSAGE_SEND, m.Sent.of((samples.message(),)))
    peer.answers(m.AGENT_INFO, samples.agent())
    loaded = modules_of(*line.split())
    assert not loaded & (FORBIDDEN | OURS)
    ours = {name for name in loaded if name.startswith("tmuxorc")}
    assert len(ours) <= AT_MOST, sorted(ours)


def test_completing_a_name_loads_no_more_either(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    """A key press asks for this."""
    peer.answers(m.AGENT_LIST, m.AgentList(agents=(samples.agent(),)))
    monkeypatch.setenv("_TMUX_ORC_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_WORDS", "tmux-orc agent info a")
    monkeypatch.setenv("COMP_CWORD", "3")
    assert not modules_of() & (FORBIDDEN | OURS)
