"""Kinds that are started with files and a process of their own beside them: both come in time, and go with them."""

import os
import signal
from pathlib import Path

import pytest

from tests.support import Cli, Home, wait_gone
from tests.tmux.supervisor._orc import SLEEP, Orc, make_orc
from tmuxorc.actors._place import folder_of
from tmuxorc.errors import RemoteError
from tmuxorc.paths import find_paths

KIND = """
summary = "a program with something beside it"
seen_on = "1"
state_from = "process"
stop = [{ signal = "SIGTERM" }]
[deliver]
when = ["busy"]
verify = "echo"
[launch]
companion = ["/bin/sh", "-c", "echo $$ > $0; exec sleep 1000", "{run}/beside"]
companion_ready = "{run}/beside"
[[launch.files]]
path = "settings"
content = "{password}"
"""
UNKNOWN = KIND.replace("[launch]", '[launch]\nchannel = "nobody"')


@pytest.fixture
def orc(home: Home, cli: Cli, tmux_binary: str) -> Orc:
    """A supervisor that knows two kinds of a person's own."""
    folder = home.config / "tmux-orc" / "kinds"
    folder.mkdir(parents=True)
    (folder / "pair.toml").write_text(KIND)
    (folder / "mute.toml").write_text(UNKNOWN)
    return make_orc(cli, tmux_binary)


def beside(folder: Path) -> int:
    """The process that runs beside the agent."""
    return int((folder / "beside").read_text())


def test_what_runs_beside_an_agent_lives_as_long_as_it_does(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP, kind="pair")
    folder = Path(folder_of(find_paths(), "main/alice"))
    companion = beside(folder)
    assert (folder / "settings").read_text()
    os.kill(companion, 0)
    orc.stop("alice")
    assert wait_gone(companion)
    orc.remove("alice")
    assert not folder.exists()


def test_an_agent_comes_back_with_what_runs_beside_it(orc: Orc) -> None:
    """Whichever of the two is killed."""
    view = orc.spawn("alice", *SLEEP, kind="pair")
    folder = Path(folder_of(find_paths(), "main/alice"))
    for number, victim in enumerate((lambda: beside(folder), lambda: orc.info("alice").pid or 0), 2):
        companion = beside(folder)
        os.kill(victim(), signal.SIGKILL)
        again = orc.await_generation("main/alice", number)
        assert again.pid != view.pid
        assert wait_gone(companion)
        os.kill(beside(folder), 0)


def test_a_channel_that_nobody_knows_is_refused_before_anything_runs(orc: Orc) -> None:
    with pytest.raises(RemoteError, match="no channel 'nobody'"):
        orc.spawn("alice", *SLEEP, kind="mute")
    assert orc.agents() == {}
