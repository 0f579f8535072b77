"""Processes by the operating system itself: their end, their descendants, who is in the foreground.

A process is named by its pid *and* its start time, so that a pid used again is never taken for the one that was meant.
"""

import os
import signal
from collections.abc import AsyncGenerator, Iterable
from contextlib import asynccontextmanager, suppress

import trio

from tmuxorc.tmux._handles import Handle, open_handle
from tmuxorc.tmux._table import Process, all_processes, environment_of, find_process

__all__ = [
    "Process",
    "ProcessWatch",
    "all_processes",
    "end_tree",
    "environment_of",
    "find_marked",
    "find_process",
    "foreground_pgid",
    "is_reaped",
    "nudge",
    "open_process_watch",
    "process_tree",
    "send_signal",
]

_KILLED_S = 1.0


def foreground_pgid(pid: int) -> int | None:
    """The process group in the foreground of the terminal of process `pid`; None if it has none."""
    process = find_process(pid)
    return process.foreground if process is not None and process.foreground > 0 else None


def process_tree(pid: int) -> tuple[Process, ...]:
    """The process and its descendants, parents before children; empty if it has ended."""
    root = find_process(pid) if pid > 1 else None  # everything descends from process 1: never take that for an agent's
    if root is None:
        return ()
    children: dict[int, list[Process]] = {}
    for process in all_processes():
        children.setdefault(process.parent, []).append(process)
    tree = [root]
    for process in tree:
        tree += children.get(process.pid, [])
    return tuple(tree)


def find_marked(variable: str, value: str) -> tuple[Process, ...]:
    """Processes that were started with ``variable=value`` in their environment, wherever they have gone since.

    Linux only: elsewhere the environment of another process cannot be read, and none is found.
    """
    needle = os.fsencode(f"{variable}={value}")
    return tuple(process for process in all_processes() if needle in environment_of(process.pid))


def is_reaped(pid: int) -> bool:
    """Whether no process has this pid, not even one that has ended and waits for its parent to ask how."""
    if pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        return False
    return False


def nudge(pid: int) -> None:
    """Make process `pid` look for children that have ended."""
    if pid > 1:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGCHLD)


class ProcessWatch:
    """The end of one process; made by `open_process_watch`.  `process` is None if it had ended before."""

    def __init__(self, process: Process | None, handle: Handle | None) -> None:
        self.process = process
        self._handle = handle

    async def wait_exit(self) -> None:
        """Return when the process has ended; at once if it had before."""
        if self.process is None or self._handle is None:
            await trio.lowlevel.checkpoint()
        else:
            await trio.lowlevel.wait_readable(self._handle.fileno())


@asynccontextmanager
async def open_process_watch(pid: int, *, started: str | None = None) -> AsyncGenerator[ProcessWatch, None]:
    """Watch process `pid`; with `started` (see `Process`) any other process with that pid counts as ended."""
    handle = open_handle(pid)
    try:
        # Looked at after the handle was taken: what we see now is what the handle stands for.
        process = find_process(pid) if handle is not None else None
        if process is not None and started not in (None, process.started):
            process = None
        yield ProcessWatch(process, handle)
    finally:
        if handle is not None:
            handle.close()


async def end_tree(
    pid: int, grace_s: float, *, marker: tuple[str, str] | None = None, ask: signal.Signals = signal.SIGTERM
) -> tuple[int, ...]:
    """End the process and its descendants, deepest first: `ask`, wait `grace_s` at most, kill.  Returns who was killed.

    With no grace at all nobody is asked.

    `marker` is an environment variable and its value; processes that carry it are ended too, for what an agent leaves
    behind may have left its tree.
    """
    members = await trio.to_thread.run_sync(_members, pid, marker)
    if grace_s > 0:
        _signal_all(members, ask)
        with trio.move_on_after(grace_s):
            await _wait_all(members)
    late = await trio.to_thread.run_sync(_members, pid, marker)
    remaining = _still_there([*members, *late])
    _signal_all(remaining, signal.SIGKILL)
    with trio.move_on_after(_KILLED_S):
        await _wait_all(remaining)
    return tuple(process.pid for process in remaining)


def send_signal(process: Process, number: signal.Signals) -> bool:
    """Signal the process that is meant, never another that has its pid now; whether it was still there."""
    handle = open_handle(process.pid)
    if handle is None:
        return False
    try:
        if there := _is_same(process):
            handle.send(number)
        return there
    finally:
        handle.close()


def _members(pid: int, marker: tuple[str, str] | None) -> list[Process]:
    marked = find_marked(*marker) if marker is not None else ()
    every = {process.pid: process for process in (*process_tree(pid), *marked)}
    return [process for process in every.values() if process.pid != os.getpid()]


def _still_there(processes: Iterable[Process]) -> list[Process]:
    unique = {process.pid: process for process in processes}
    return [process for process in unique.values() if _is_same(process)]


def _is_same(process: Process) -> bool:
    now = find_process(process.pid)
    return now is not None and now.started == process.started


def _signal_all(processes: list[Process], number: signal.Signals) -> None:
    for process in reversed(processes):
        send_signal(process, number)


async def _wait_all(processes: Iterable[Process]) -> None:
    for process in processes:
        async with open_process_watch(process.pid, started=process.started) as watch:
            await watch.wait_exit()
