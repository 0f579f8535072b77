"""The leak gate sees what it is there to see, and nothing else."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import trio

from tests.support import Home, LeakGate


def test_nothing_left_is_nothing_found(home: Home) -> None:
    gate = LeakGate.open(home.root)
    Path(home.root, "file").write_text("x")
    assert gate.leaks(everywhere=True) == []


def test_an_open_descriptor_is_found(home: Home) -> None:
    gate = LeakGate.open(home.root)
    descriptor = os.open(home.root, os.O_RDONLY)
    found = gate.leaks(everywhere=False)
    os.close(descriptor)
    assert found == [f"file descriptor {descriptor}: {home.root}"]


def test_a_child_that_nobody_waits_for_is_found(home: Home) -> None:
    gate = LeakGate.open(home.root)
    child = subprocess.Popen([sys.executable, "-c", ""])
    found = gate.leaks(everywhere=False)
    child.wait()
    assert [leak.split(":")[0] for leak in found] == [f"child process {child.pid}"]


def test_a_thread_that_ends_by_itself_is_no_leak(home: Home) -> None:
    gate = LeakGate.open(home.root)
    release = threading.Event()
    threading.Thread(target=release.wait).start()
    release.set()
    assert gate.leaks(everywhere=False) == []


async def test_idle_workers_of_trio_are_no_leak(home: Home) -> None:
    gate = LeakGate.open(home.root)
    await trio.to_thread.run_sync(os.getpid)
    assert [leak for leak in gate.leaks(everywhere=False) if leak.startswith("thread")] == []
