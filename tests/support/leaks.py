"""The gate every test passes on its way out: what it opened or started is closed and gone.

Checked are file descriptors, threads, child processes and, outside `tests/unit`, every process anywhere (tmux servers,
supervisors, agents) that carries the test's home directory in its environment.
"""

import gc
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from tests.support.waiting import wait_gone

SETTLE_S = 3.0
"""How long the ending of what is already being ended may take."""

HARMLESS_FILES = ("/dev/null", "/dev/urandom", "/proc/")
IDLE_WORKER = "Trio thread "
"""Trio keeps idle worker threads for the next job; at work they carry the job's name."""


@dataclass(frozen=True)
class LeakGate:
    """What was there before the test; `root` marks the processes that the test starts."""

    root: Path
    descriptors: frozenset[tuple[int, str]]
    threads: frozenset[threading.Thread]
    children: frozenset[int]
    settle_s: float = SETTLE_S

    @classmethod
    def open(cls, root: Path, *, settle_s: float = SETTLE_S) -> Self:
        """Remember what is there now; what ends within `settle_s` of the check is no leak."""
        return cls(root, _descriptors(), frozenset(threading.enumerate()), _children(), settle_s)

    def leaks(self, *, everywhere: bool) -> list[str]:
        """Say what is still there that was not; stray processes are ended, so that one leak fails one test."""
        found = [*self._new_threads(), *self._new_children(), *self._new_descriptors()]
        return found + (self._new_processes() if everywhere else [])

    def _new_descriptors(self) -> list[str]:
        if _descriptors() - self.descriptors:
            gc.collect()
        new = sorted(_descriptors() - self.descriptors)
        return [f"file descriptor {number}: {target}" for number, target in new]

    def _new_threads(self) -> list[str]:
        new = (thread for thread in threading.enumerate() if thread not in self.threads)
        deadline = time.monotonic() + self.settle_s
        return [f"thread {thread.name}" for thread in new if not _settled(thread, deadline)]

    def _new_children(self) -> list[str]:
        new = sorted(_children() - self.children)
        _still_there(new, self.settle_s)
        unreaped = [pid for pid in new if pid in _children()]
        return [_describe(pid, "child process") for pid in unreaped]

    def _new_processes(self) -> list[str]:
        stray = _still_there(_processes_of(self.root), self.settle_s)
        found = [_describe(pid, "process") for pid in stray]
        for pid in stray:
            _kill(pid)
        return found


def _settled(thread: threading.Thread, deadline: float) -> bool:
    while thread.is_alive() and not thread.name.startswith(IDLE_WORKER):
        if time.monotonic() > deadline:
            return False
        thread.join(0.05)
    return True


def _still_there(pids: list[int], settle_s: float) -> list[int]:
    deadline = time.monotonic() + settle_s
    return [pid for pid in pids if not wait_gone(pid, max(0.0, deadline - time.monotonic()))]


def _descriptors() -> frozenset[tuple[int, str]]:
    directory = "/proc/self/fd" if sys.platform == "linux" else "/dev/fd"
    found = ((int(name), _target(f"{directory}/{name}")) for name in os.listdir(directory))
    return frozenset((number, target) for number, target in found if target and not target.startswith(HARMLESS_FILES))


def _target(path: str) -> str:
    try:
        return os.readlink(path) if sys.platform == "linux" else str(os.stat(path).st_ino)
    except OSError:  # the descriptor of the listing itself
        return ""


def _children() -> frozenset[int]:
    if sys.platform == "linux":
        files = Path("/proc/self/task").glob("*/children")
        return frozenset(int(pid) for file in files for pid in _read(file).split())
    listing = subprocess.run(["pgrep", "-P", str(os.getpid())], capture_output=True, text=True, check=False)
    return frozenset(int(pid) for pid in listing.stdout.split())


def _processes_of(root: Path) -> list[int]:
    if sys.platform != "linux":
        return []
    mark = f"={root}/".encode()
    pids = (int(name) for name in os.listdir("/proc") if name.isdecimal())
    return [pid for pid in pids if pid != os.getpid() and mark in _environment(pid)]


def _environment(pid: int) -> bytes:
    return _read(Path(f"/proc/{pid}/environ"))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError:  # gone meanwhile, a thread as much as a process, or somebody else's
        return b""


def _describe(pid: int, what: str) -> str:
    listing = subprocess.run(["ps", "-o", "stat=,args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return f"{what} {pid}: {listing.stdout.strip() or 'not reaped'}"


def _kill(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    wait_gone(pid, SETTLE_S)
