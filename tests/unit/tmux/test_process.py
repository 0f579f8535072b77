"""Processes: their end, their descendants, and never another one with the same pid."""

import builtins
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

import pytest
import trio

from tmuxorc.tmux._table import parse_stat
from tmuxorc.tmux.process import (
    all_processes,
    end_tree,
    find_marked,
    find_process,
    is_reaped,
    nudge,
    open_process_watch,
    process_tree,
    send_signal,
)

SLEEP = ["sleep", "60"]


@contextmanager
def running(*argv: str, env: dict[str, str] | None = None) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(argv, stdout=subprocess.PIPE, env={**os.environ, **(env or {})}) as process:
        try:
            yield process
        finally:
            process.kill()


def first_line(process: subprocess.Popen[bytes]) -> bytes:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def wait_zombie(process: subprocess.Popen[bytes]) -> None:
    os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)


async def test_an_exit_is_seen():
    with running(*SLEEP) as process:
        async with open_process_watch(process.pid) as watch:
            process.kill()
            with trio.fail_after(5):
                await watch.wait_exit()


async def test_a_process_that_ended_before_is_seen_at_once():
    with running("true") as process:
        process.wait()
        async with open_process_watch(process.pid) as watch:
            with trio.fail_after(5):
                await watch.wait_exit()
        assert is_reaped(process.pid)


async def test_a_zombie_has_ended_but_is_not_reaped():
    with running("true") as process:
        wait_zombie(process)
        async with open_process_watch(process.pid) as watch:
            assert watch.process is None
        assert not is_reaped(process.pid)


async def test_another_process_with_the_pid_counts_as_ended():
    with running(*SLEEP) as process:
        async with open_process_watch(process.pid, started="some other time") as watch:
            with trio.fail_after(5):
                await watch.wait_exit()
        mine = find_process(process.pid)
        assert mine is not None
        async with open_process_watch(process.pid, started=mine.started) as watch:
            with trio.move_on_after(0.05) as scope:
                await watch.wait_exit()
            assert scope.cancelled_caught


def test_no_signal_reaches_another_process_with_the_pid():
    with running(*SLEEP) as process:
        mine = find_process(process.pid)
        assert mine is not None
        other = type(mine)(pid=mine.pid, parent=1, group=1, foreground=1, started="some other time")
        assert not send_signal(other, signal.SIGKILL)
        assert process.poll() is None
        assert send_signal(mine, signal.SIGKILL)
        assert process.wait() == -signal.SIGKILL
        assert not send_signal(mine, signal.SIGKILL)


TREE = """
import subprocess, sys
child = subprocess.Popen([sys.executable, "-ISc", '''
import signal, subprocess, sys
if "stubborn" in sys.argv: signal.signal(signal.SIGTERM, signal.SIG_IGN)
grandchild = subprocess.Popen(["sleep", "60"])
print(grandchild.pid, flush=True)
grandchild.wait(); signal.pause()
''', *sys.argv[1:]])
child.wait()
"""


def test_a_tree_is_listed_parents_first():
    with running(sys.executable, "-ISc", TREE) as process:
        grandchild = int(first_line(process))
        tree = [each.pid for each in process_tree(process.pid)]
        assert tree[0] == process.pid
        assert tree[-1] == grandchild
        assert len(tree) == 3
        for pid in tree[1:]:
            os.kill(pid, signal.SIGKILL)


def test_there_is_no_tree_of_nothing_nor_of_everything():
    assert process_tree(0) == process_tree(1) == process_tree(-1) == ()


async def test_a_tree_is_ended_whole():
    """Agents leave servers of their own behind."""
    with running(sys.executable, "-ISc", TREE) as process:
        first_line(process)
        tree = process_tree(process.pid)
        with trio.fail_after(10):
            killed = await end_tree(process.pid, 5)
        assert killed == ()
        process.wait()
        assert [find_process(each.pid) for each in tree] == [None, None, None]


async def test_what_does_not_go_when_asked_is_killed():
    with running(sys.executable, "-ISc", TREE, "stubborn") as process:
        first_line(process)
        tree = process_tree(process.pid)
        with trio.fail_after(10):
            killed = await end_tree(process.pid, 0.1)
        assert tree[1].pid in killed
        process.wait()
        assert [find_process(each.pid) for each in tree] == [None, None, None]


async def test_what_may_not_be_signalled_keeps_nothing_else_alive(monkeypatch: pytest.MonkeyPatch):
    """An agent may have run something under sudo."""
    send = signal.pidfd_send_signal

    def refuse(handle: int, number: int) -> None:
        with open(f"/proc/self/fdinfo/{handle}") as info:
            if f"Pid:\t{theirs}\n" in info:
                raise PermissionError
        send(handle, number)

    with running(sys.executable, "-ISc", TREE) as process:
        first_line(process)
        mine, theirs = process.pid, process_tree(process.pid)[-1].pid
        monkeypatch.setattr(signal, "pidfd_send_signal", refuse)
        with trio.fail_after(10):
            await end_tree(mine, 0.1)
        monkeypatch.undo()
        assert process.wait() == -signal.SIGTERM
        os.kill(theirs, signal.SIGKILL)


def test_a_process_that_may_not_be_looked_at_is_passed_over(monkeypatch: pytest.MonkeyPatch):
    """As with ``/proc`` mounted ``hidepid=1``."""
    read = builtins.open

    def refuse(path: str, *args: str) -> IO[bytes]:
        if path == "/proc/1/stat":
            raise PermissionError
        return read(path, *args)

    monkeypatch.setattr(builtins, "open", refuse)
    assert os.getpid() in [process.pid for process in all_processes()]


async def test_what_left_the_tree_is_found_by_its_mark():
    script = "import os,subprocess; p=subprocess.Popen(['sleep','60'],start_new_session=True); print(p.pid,flush=True)"
    with running(sys.executable, "-ISc", script, env={"TMUX_ORC_AGENT": "t/a"}) as process:
        orphan = int(first_line(process))
        process.wait()
        assert [each.pid for each in find_marked("TMUX_ORC_AGENT", "t/a")] == [orphan]
        with trio.fail_after(10):
            await end_tree(process.pid, 5, marker=("TMUX_ORC_AGENT", "t/a"))
        assert find_process(orphan) is None


async def test_ending_nothing_is_nothing():
    assert await end_tree(0, 1) == ()


def test_a_name_may_hold_anything():
    fields = " ".join(["S", "7", "8", "9", "10", "11", *["0"] * 13, "4242", "0"])
    process = parse_stat(b"123 (a) S (b) " + fields.encode())
    assert process is not None
    assert (process.pid, process.parent, process.group, process.foreground, process.started) == (123, 7, 8, 11, "4242")


@pytest.mark.parametrize("pid", [0, 1, -5])
def test_nobody_is_nudged_by_accident(pid: int):
    nudge(pid)
