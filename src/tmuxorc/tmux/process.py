"""Processes by the operating system itself: their end, their descendants, who is in the foreground.

A process is named by its pid *and* its start time, so that a pid used again is never taken for the one that was meant.
"""

import os
import select
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress

import trio

from tmuxorc.model import Frozen
from tmuxorc.errors import TmuxOrcError


class Process(Frozen):
    """One process: `started` is its start time in the system's own units, good only for comparing."""

    pid: int
    parent: int
    group: int
    foreground: int
    started: str


def find_process(pid: int) -> Process | None:
    """The process with this pid now; None if there is none, or only a zombie."""
    return _find_linux(pid) if sys.platform == "linux" else _find_ps(pid)


def foreground_pgid(pid: int) -> int | None:
    """The process group in the foreground of the terminal of process `pid`; None if it has none."""
    process = find_process(pid)
    return process.foreground if process is not None and process.foreground > 0 else None


def process_tree(pid: int) -> tuple[Process, ...]:
    """The process and its descendants, parents before children."""
    root = find_process(pid)
    if root is None:
        return ()
    children: dict[int, list[Process]] = {}
    for process in all_processes():
        children.setdefault(process.parent, []).append(process)
    tree = [root]
    for process in tree:
        tree += children.get(process.pid, [])
    return tuple(tree)


def all_processes() -> tuple[Process, ...]:
    """Every process that can be seen."""
    if sys.platform != "linux":
        return tuple(_parse_ps(_ps("-A")))
    found = (_find_linux(int(name)) for name in os.listdir("/proc") if name.isdecimal())
    return tuple(process for process in found if process is not None)


def find_marked(variable: str, value: str) -> tuple[Process, ...]:
    """Processes of ours that started with ``variable=value`` in their environment, wherever they have gone since."""
    needle = os.fsencode(f"{variable}={value}")
    return tuple(process for process in all_processes() if needle in _environment(process.pid))


def is_reaped(pid: int) -> bool:
    """Whether no process has this pid, not even one that has ended and waits for its parent to ask how."""
    if pid <= 0:
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    except PermissionError:
        pass
    return False


def nudge(pid: int) -> None:
    """Make process `pid` look for children that have ended."""
    if pid > 1:
        with suppress(ProcessLookupError, PermissionError):
            os.kill(pid, signal.SIGCHLD)


class ProcessWatch:
    """The end of one process; made by `open_process_watch`."""

    def __init__(self, process: Process | None, handle: int) -> None:
        self.process = process
        self._handle = handle

    async def wait_exit(self) -> None:
        """Return when the process has ended; at once if it had before."""
        if self.process is not None:
            await trio.lowlevel.wait_readable(self._handle)


@asynccontextmanager
async def open_process_watch(pid: int, *, started: str | None = None) -> AsyncIterator[ProcessWatch]:
    """Watch process `pid`; with `started` (see `Process`) any other process with that pid counts as ended."""
    handle = _open_handle(pid)
    # Looked at after the handle was taken: from here on the handle and what we see are the same process.
    process = find_process(pid) if handle >= 0 else None
    if process is not None and started is not None and process.started != started:
        process = None
    try:
        yield ProcessWatch(process, handle)
    finally:
        if handle >= 0:
            os.close(handle)


async def end_tree(pid: int, grace_s: float, *, marker: tuple[str, str] | None = None) -> tuple[int, ...]:
    """End the process and its descendants, deepest first: ask, wait `grace_s` at most, kill.  Returns who was killed.

    `marker` is an environment variable and its value; processes that carry it are ended too, for what an agent leaves
    behind may have left its tree.
    """
    members = await trio.to_thread.run_sync(_members, pid, marker)
    _signal_all(members, signal.SIGTERM)
    with trio.move_on_after(grace_s):
        await _wait_all(members)
    late = await trio.to_thread.run_sync(_members, pid, marker)
    remaining = _still_there([*members, *late])
    _signal_all(remaining, signal.SIGKILL)
    return tuple(process.pid for process in remaining)


def _members(pid: int, marker: tuple[str, str] | None) -> list[Process]:
    tree = list(process_tree(pid))
    marked = find_marked(*marker) if marker is not None else ()
    known = {process.pid for process in tree}
    return [*tree, *(process for process in marked if process.pid not in known and process.pid != os.getpid())]


def _still_there(processes: Iterable[Process]) -> list[Process]:
    unique = {process.pid: process for process in processes}
    return [process for process in unique.values() if _is_same(process)]


def _is_same(process: Process) -> bool:
    now = find_process(process.pid)
    return now is not None and now.started == process.started


def _signal_all(processes: Iterable[Process], number: signal.Signals) -> None:
    for process in reversed(list(processes)):
        send_signal(process, number)


def send_signal(process: Process, number: signal.Signals) -> None:
    handle = _open_handle(process.pid)
    if handle < 0:
        return
    try:
        if _is_same(process):
            _send(handle, process.pid, number)
    finally:
        os.close(handle)


async def _wait_all(processes: Iterable[Process]) -> None:
    for process in processes:
        async with open_process_watch(process.pid, started=process.started) as watch:
            await watch.wait_exit()


if sys.platform == "linux":

    def _open_handle(pid: int) -> int:
        try:
            return os.pidfd_open(pid)
        except ProcessLookupError:
            return -1
        except OSError as error:
            raise TmuxOrcError(f"process {pid} cannot be watched: {error.strerror}") from error

    def _send(handle: int, pid: int, number: signal.Signals) -> None:
        try:
            signal.pidfd_send_signal(handle, number)
        except ProcessLookupError:
            pass

else:

    def _open_handle(pid: int) -> int:
        queue = select.kqueue()
        event = select.kevent(
            pid,
            filter=select.KQ_FILTER_PROC,
            flags=select.KQ_EV_ADD | select.KQ_EV_ONESHOT,
            fflags=select.KQ_NOTE_EXIT,
        )
        try:
            queue.control([event], 0)
        except ProcessLookupError:
            queue.close()
            return -1
        handle = os.dup(queue.fileno())
        queue.close()
        return handle

    def _send(handle: int, pid: int, number: signal.Signals) -> None:
        try:
            os.kill(pid, number)
        except ProcessLookupError:
            pass


def _find_linux(pid: int) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            stat = file.read()
    except (FileNotFoundError, ProcessLookupError):
        return None
    # The second field is the program's name in parentheses and may hold anything, parentheses and blanks included.
    fields = stat[stat.rindex(b")") + 2 :].split()
    if fields[0] in (b"Z", b"X"):
        return None
    return Process(
        pid=pid,
        parent=int(fields[1]),
        group=int(fields[2]),
        foreground=int(fields[5]),
        started=fields[19].decode(),
    )


def _environment(pid: int) -> tuple[bytes, ...]:
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return tuple(file.read().split(b"\0"))
    except OSError:
        return ()


def _find_ps(pid: int) -> Process | None:
    return next(iter(_parse_ps(_ps("-p", str(pid)))), None)


def _ps(*selection: str) -> str:
    columns = "pid=,ppid=,pgid=,tpgid=,stat=,lstart="
    done = subprocess.run(["ps", *selection, "-o", columns], capture_output=True, text=True, timeout=10, check=False)
    return done.stdout


def _parse_ps(listing: str) -> Iterable[Process]:
    for line in listing.splitlines():
        pid, parent, group, foreground, state, started = line.split(None, 5)
        if not state.startswith("Z"):
            yield Process(
                pid=int(pid), parent=int(parent), group=int(group), foreground=int(foreground), started=started
            )
