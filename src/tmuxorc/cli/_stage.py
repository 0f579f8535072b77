"""A throwaway instance: directories, supervisor and tmux server of its own, gone without a trace at the end."""

import os
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Generator
from contextlib import contextmanager, suppress
from types import FrameType

from tmuxorc.cli._app import App
from tmuxorc.errors import TmuxOrcError
from tmuxorc.paths import tmux_socket

INSTANCE = "demo"

DIRECTORIES = {"XDG_STATE_HOME": "s", "XDG_RUNTIME_DIR": "r", "XDG_CONFIG_HOME": "c", "TMUX_TMPDIR": "t"}

ENDINGS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""Signals that end the demo early; it cleans up all the same."""


@contextmanager
def throwaway(app: App) -> Generator[App]:
    """An application on an instance of its own; whatever happens inside, nothing of it is left afterwards.

    `app` is the caller's own, which is not touched; it only lends its voice.
    """
    # /tmp and not $TMPDIR: a Unix socket's path is short, and macOS has a long one there.
    root = tempfile.mkdtemp(prefix="tmux-orc-demo-", dir="/tmp")
    before = dict(os.environ)
    previous = {number: signal.signal(number, _interrupt) for number in ENDINGS}
    try:
        _move_to(root)
        stage = App(INSTANCE, say=app.say)
        yield stage
    finally:
        for number in ENDINGS:
            signal.signal(number, signal.SIG_IGN)
        _strike(root)
        os.environ.clear()
        os.environ.update(before)
        for number, handler in previous.items():
            signal.signal(number, handler)


def _interrupt(_: int, __: FrameType | None) -> None:
    raise KeyboardInterrupt


def _move_to(root: str) -> None:
    for variable, name in DIRECTORIES.items():
        os.environ[variable] = f"{root}/{name}"
        os.mkdir(f"{root}/{name}", 0o700)


def _strike(root: str) -> None:
    """End what runs, in order if it still can be, and remove every file."""
    stage = App(INSTANCE)
    from tmuxorc.daemon import launch

    try:
        launch.stop(stage.paths, agents=True)
    except TmuxOrcError:
        with suppress(TmuxOrcError):
            launch.stop(stage.paths)
    _end_tmux(tmux_socket(INSTANCE))
    shutil.rmtree(root, ignore_errors=True)


def _end_tmux(socket: str) -> None:
    """Kill the tmux server on `socket`, if one still runs; it is ours alone, and its path says so."""
    if not os.path.exists(socket):
        return
    with suppress(OSError, subprocess.TimeoutExpired):
        subprocess.run(["tmux", "-N", "-S", socket, "kill-server"], capture_output=True, timeout=10, check=False)
