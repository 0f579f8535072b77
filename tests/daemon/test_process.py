"""The supervisor process itself: signals, limits, its log, its one lock."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.daemon.conftest import PROGRAM, fifo, program
from tests.support import wait_gone
from tmuxorc.daemon import launch, lock
from tmuxorc.errors import RemoteError
from tmuxorc.paths import Paths
from tmuxorc.wire.client import Client
from tmuxorc.wire.methods import DAEMON_STATUS, Empty

Start = Callable[[str], int]


def entries(paths: Paths) -> list[dict[str, Any]]:
    return [json.loads(line) for line in Path(paths.log).read_text().splitlines() if line.startswith("{")]


def messages(paths: Paths) -> list[str]:
    return [entry["message"] for entry in entries(paths)]


def ask(paths: Paths) -> None:
    with Client.connect(paths.socket) as client:
        client.call(DAEMON_STATUS, Empty())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_in_order(paths: Paths, start: Start, number: signal.Signals) -> None:
    os.kill(pid := start("good"), number)
    assert wait_gone(pid)
    assert not os.path.exists(paths.socket)
    assert messages(paths) == ["starting", "ready", "signal", "stopped"]
    assert entries(paths)[2]["signal"] == number.name


def configure(paths: Paths, text: str) -> None:
    Path(paths.config_file).parent.mkdir(parents=True)
    Path(paths.config_file).write_text(text)


def test_an_app_that_does_not_end_is_cancelled_in_time(paths: Paths, start: Start) -> None:
    configure(paths, "daemon.drain_s = 0.1\n")
    os.kill(pid := start("lingering"), signal.SIGTERM)
    assert wait_gone(pid, 10)
    assert Path(paths.runtime_dir, "cancelled").exists()


def test_a_second_signal_ends_it_at_once(paths: Paths, start: Start) -> None:
    configure(paths, "daemon.drain_s = 600\n")
    pid = start("lingering")
    os.kill(pid, signal.SIGTERM)
    ask(paths)  # the first has been heeded when this is answered
    os.kill(pid, signal.SIGTERM)
    assert wait_gone(pid, 10)


def test_an_app_that_is_not_ready_in_time_is_ended_and_its_starter_told(paths: Paths, start: Start) -> None:
    Path(paths.make_runtime_dir(), "fifo").touch()
    with pytest.raises(RemoteError, match="not ready after 2 s") as caught:
        start("hanging")
    assert caught.value.code == "timed_out"
    assert launch.stop(paths).message in {"stopped", "no supervisor was running"}


def test_a_defect_after_it_was_ready_is_logged_and_ends_it(paths: Paths) -> None:
    launch.ensure_running(paths, program=program("failing_later"))
    ended = lock.acquire(paths.lock, 10, shared=True)
    assert ended is not None
    os.close(ended)
    assert messages(paths)[:3] == ["starting", "ready", "ended by a defect"]


def test_hang_up_reopens_the_log(paths: Paths, start: Start) -> None:
    """What a log rotator does: move the file away, then say so."""
    pid = start("good")
    os.rename(paths.log, f"{paths.log}.moved")
    os.kill(pid, signal.SIGHUP)
    launch.stop(paths)
    assert messages(paths) == ["signal", "stopped"]
    assert "ready" in Path(f"{paths.log}.moved").read_text()


def test_a_hang_up_while_the_log_cannot_be_opened_ends_nothing(paths: Paths, start: Start) -> None:
    pid = start("good")
    os.rename(paths.log, f"{paths.log}.moved")
    os.mkdir(paths.log)
    os.kill(pid, signal.SIGHUP)
    ask(paths)  # the signal has been heeded when this is answered
    assert launch.running_pid(paths) == pid
    os.rmdir(paths.log)
    launch.stop(paths)
    assert "Is a directory" in Path(f"{paths.log}.moved").read_text()


def test_in_the_foreground_it_stays_with_its_caller_and_a_second_one_is_refused(paths: Paths) -> None:
    command = [sys.executable, PROGRAM, "announcing", "test"]
    with fifo(paths) as reader, subprocess.Popen(command, stdout=subprocess.DEVNULL) as first:
        assert int(reader.readline()) == launch.running_pid(paths) == first.pid
        second = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)
        assert second.returncode == 4
        assert f"already runs (pid {first.pid})" in second.stderr
        launch.stop(paths)
        assert first.wait(10) == 0


def test_it_sleeps_while_idle(paths: Paths, start: Start) -> None:
    """No timer wakes it: the scheduler has not run it between two looks half a second apart.

    Not at once: it has yet to notice that the one who asked went away, and how long that takes is up to the machine.
    """
    pid = start("good")
    ask(paths)

    def switches() -> int:
        status = Path(f"/proc/{pid}/status").read_text()
        return sum(int(line.split()[1]) for line in status.splitlines() if "ctxt_switches" in line)

    def runs() -> int:
        before = switches()
        assert not wait_gone(pid, 0.5)
        return switches() - before

    assert any(runs() <= 1 for _ in range(10))
