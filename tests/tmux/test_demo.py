"""The demo as a person runs it: it shows what it promises, and nothing of it is left."""

import os
import signal
import subprocess
from pathlib import Path

import pytest

from tests.support import Cli, Home
from tests.support.programs import PROGRAM


def stages() -> set[Path]:
    """Directories of demos, on this machine."""
    return set(Path("/tmp").glob("tmux-orc-demo-*"))


def test_the_whole_demo(cli: Cli, home: Home) -> None:
    """All five scenes, in under a minute, apart from the person's own instance and tmux."""
    before = stages()
    shown = cli("demo", timeout_s=60)
    assert shown.status == 0, shown.stderr
    assert "four agents started" in shown.stdout
    assert "attach -r" in shown.stdout
    assert "ended with status 3" in shown.stdout
    assert "demo/coder  blocked for 0s  make release" in shown.stdout
    assert "the next adopted all 4 agents" in shown.stdout
    assert stages() == before
    assert not any(home.tmux.iterdir())
    assert not any(home.state.iterdir())


def test_for_programs_it_is_one_object(cli: Cli) -> None:
    report = cli.json("demo", timeout_s=60)
    assert len(report["shown"]) == 5
    assert report["took_s"] < 60


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_it_cleans_up_all_the_same(cli: Cli, number: signal.Signals) -> None:
    """In the middle of a scene, with agents running."""
    before = stages()
    process = subprocess.Popen([PROGRAM, "demo"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout
    for line in process.stdout:
        if line.startswith("3."):
            break
    (stage,) = stages() - before
    process.send_signal(number)
    _, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (130, "")
    assert not stage.exists()
    assert not running_in(stage)


def running_in(stage: Path) -> list[int]:
    """Processes whose environment names the stage."""
    found: list[int] = []
    for name in filter(str.isdecimal, os.listdir("/proc")):
        try:
            environment = Path(f"/proc/{name}/environ").read_bytes()
        except OSError:  # gone meanwhile, or somebody else's
            continue
        if bytes(stage) in environment:
            found.append(int(name))
    return found
