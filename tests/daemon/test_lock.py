"""Locks between processes."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from tmuxorc.daemon import lock
from tmuxorc.errors import ConfigError


def test_one_at_a_time_and_the_next_when_it_is_let_go(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = lock.acquire(path, 0)
    assert first is not None
    assert lock.acquire(path, 0) is None
    os.close(first)
    second = lock.acquire(path, 0)
    assert second is not None
    os.close(second)


def test_waiting_ends_the_moment_the_lock_is_let_go(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = lock.acquire(path, 0)
    assert first is not None
    threading.Timer(0.05, os.close, [first]).start()
    second = lock.acquire(path, 10)
    assert second is not None
    os.close(second)


def test_one_that_gave_up_waiting_does_not_hold_the_lock_later(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    first = lock.acquire(path, 0)
    assert first is not None
    assert lock.acquire(path, 0.05) is None
    os.close(first)
    again = lock.acquire(path, 10)
    assert again is not None
    os.close(again)


def test_whoever_holds_it_is_known_and_forgotten_when_it_dies(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    assert lock.holder(path) is None
    code = f"""
import sys
from tmuxorc.daemon import lock
lock.sign(lock.acquire({path!r}, 0))
print("held", flush=True)
sys.stdin.read()
"""
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdin is not None
    with holder.stdout, holder.stdin:
        assert holder.stdout.readline() == b"held\n"
        assert lock.holder(path) == holder.pid
        holder.kill()
        holder.wait(10)
    assert lock.holder(path) is None


def test_asking_who_holds_it_does_not_take_it(tmp_path: Path) -> None:
    path = str(tmp_path / "lock")
    free = lock.acquire(path, 0, shared=True)
    assert free is not None
    assert lock.holder(path) is None
    os.close(free)


def test_a_place_that_cannot_be_written_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot open"):
        lock.acquire(str(tmp_path / "missing" / "lock"), 0)
