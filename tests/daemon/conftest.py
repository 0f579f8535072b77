"""Supervisors with a test's own app, started by the real launcher in the test's own home."""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest

from tests.support import wait_gone
from tmuxorc.daemon import launch
from tmuxorc.paths import Paths, find_paths

PROGRAM = str(Path(__file__).with_name("supervisor_program.py"))


def program(app: str) -> tuple[str, ...]:
    """The command line of a supervisor that behaves as `app` says."""
    return (sys.executable, PROGRAM, app)


@contextmanager
def fifo(paths: Paths) -> Iterator[IO[str]]:
    """Where a supervisor that hangs says so, with its process id."""
    path = Path(paths.make_runtime_dir(), "fifo")
    os.mkfifo(path)
    # Open for writing too, or opening would wait for the writer and reading end with it.
    with open(os.open(path, os.O_RDWR), encoding="utf-8") as reader:
        yield reader


@pytest.fixture
def paths() -> Iterator[Paths]:
    """The files of the instance ``test``; whatever supervisor is left there is ended."""
    paths = find_paths("test")
    yield paths
    pid = launch.running_pid(paths)
    if pid is not None:
        os.kill(pid, signal.SIGKILL)
        wait_gone(pid)


@pytest.fixture
def start(paths: Paths) -> Callable[[str], int]:
    """Start a supervisor with the named app; gives its process id."""

    def start(app: str) -> int:
        launch.ensure_running(paths, program=program(app), timeout_s=20)
        pid = launch.running_pid(paths)
        assert pid is not None
        return pid

    return start
