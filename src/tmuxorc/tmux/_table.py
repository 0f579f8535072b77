"""The system's table of processes: ``/proc`` on Linux, ``ps`` elsewhere."""

import os
import subprocess
import sys
from collections.abc import Iterator

from tmuxorc.model import Frozen

_PS_S = 10.0


class Process(Frozen):
    """One process.

    `foreground` is the process group in the foreground of its terminal, -1 if it has none; `started` its start time in
    the system's own units, good only for comparing.
    """

    pid: int
    parent: int
    group: int
    foreground: int
    started: str


def find_process(pid: int) -> Process | None:
    """The process with this pid now; None if there is none, or only a zombie."""
    if sys.platform == "linux":
        return _read_stat(str(pid))
    else:  # noqa: RET505 - a checker sees what belongs to another platform only as a branch of its own
        return next(_parse_ps(_ps("-p", str(pid))), None)


def all_processes() -> tuple[Process, ...]:
    """Every process that can be seen, zombies left out."""
    if sys.platform == "linux":
        found = (_read_stat(name) for name in os.listdir("/proc") if name.isdecimal())
        return tuple(process for process in found if process is not None)
    else:  # noqa: RET505 - as above
        return tuple(_parse_ps(_ps("-A")))


def environment_of(pid: int) -> tuple[bytes, ...]:
    """``NAME=value`` as the process was started with; empty if it cannot be read."""
    try:
        with open(f"/proc/{pid}/environ", "rb") as file:
            return tuple(file.read().split(b"\0"))
    except OSError:
        return ()


def _read_stat(pid: str) -> Process | None:
    try:
        with open(f"/proc/{pid}/stat", "rb") as file:
            return parse_stat(file.read())
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None


def parse_stat(stat: bytes) -> Process | None:
    """A line of ``/proc/PID/stat``; the name in its second field may hold anything, parentheses and blanks included."""
    fields = stat[stat.rindex(b")") + 2 :].split()
    if fields[0] in (b"Z", b"X"):
        return None
    return Process(
        pid=int(stat[: stat.index(b" ")]),
        parent=int(fields[1]),
        group=int(fields[2]),
        foreground=int(fields[5]),
        started=fields[19].decode(),
    )


def _ps(*selection: str) -> str:
    command = ["ps", *selection, "-o", "pid=,ppid=,pgid=,tpgid=,stat=,lstart="]
    done = subprocess.run(command, capture_output=True, text=True, timeout=_PS_S, check=False)
    return done.stdout


def _parse_ps(listing: str) -> Iterator[Process]:
    for line in listing.splitlines():
        pid, parent, group, foreground, state, started = line.split(None, 5)
        if not state.startswith("Z"):
            yield Process(
                pid=int(pid), parent=int(parent), group=int(group), foreground=int(foreground), started=started
            )
