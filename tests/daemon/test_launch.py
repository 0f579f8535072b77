"""Starting and stopping the supervisor from short commands."""

import json
import os
import signal
import stat
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.daemon.conftest import fifo, program
from tests.support import wait_gone
from tmuxorc.daemon import launch, lock
from tmuxorc.errors import RemoteError, TimedOutError, TmuxOrcError, UnreachableError
from tmuxorc.model import DaemonStatus
from tmuxorc.paths import Paths
from tmuxorc.wire.client import Client
from tmuxorc.wire.codec import ProtocolMismatchError
from tmuxorc.wire.methods import DAEMON_STATUS, DAEMON_STOP, Empty, StopDaemon

Start = Callable[[str], int]

BELONGS_TO_THE_CALLER = {"TMUX", "TMUX_PANE", "STY", "CLAUDECODE", "CLAUDE_PID", "TMUX_ORC_AGENT", "PWD"}


def status(paths: Paths) -> DaemonStatus:
    with Client.connect(paths.socket) as client:
        return client.call(DAEMON_STATUS, Empty())


def log_entries(paths: Paths) -> list[dict[str, object]]:
    return [json.loads(line) for line in Path(paths.log).read_text().splitlines() if line.startswith("{")]


def test_the_first_need_starts_it_and_the_next_finds_it(paths: Paths) -> None:
    assert launch.ensure_running(paths, program=program("good")) is True
    assert launch.ensure_running(paths, program=program("good")) is False
    assert status(paths).pid == launch.running_pid(paths)


def test_the_process_is_detached_and_keeps_nothing_of_its_caller(
    paths: Paths, start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in BELONGS_TO_THE_CALLER:
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("KEPT", "y")
    monkeypatch.setenv("CLAUDE_CODE_USE_BEDROCK", "1")
    pid = start("good")
    told = status(paths)
    names = told.tmux_socket.split()
    assert {"KEPT", "CLAUDE_CODE_USE_BEDROCK"} <= set(names)
    assert not BELONGS_TO_THE_CALLER & set(names)
    assert told.tmux_version == "/"
    assert told.rss_bytes not in {os.getsid(0), pid}  # a session of its own, which it does not lead
    assert {os.readlink(f"/proc/{pid}/fd/{fd}") for fd in (1, 2)} == {paths.log}
    assert os.readlink(f"/proc/{pid}/fd/0") == "/dev/null"


def test_signals_ignored_by_the_caller_work_again_in_the_supervisor(paths: Paths) -> None:
    """A shell starts background jobs with SIGINT ignored: the agents must not inherit that."""
    code = f"""
import signal
from tmuxorc.daemon import launch
from tmuxorc.paths import find_paths
for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
launch.ensure_running(find_paths("test"), program={program("good")!r})
"""
    subprocess.run([sys.executable, "-c", code], check=True, timeout=30)
    assert not {"SIGINT", "SIGQUIT", "SIGHUP"} & set(status(paths).tmux_state.split())


def test_the_socket_and_its_directory_are_private(paths: Paths, start: Start) -> None:
    start("good")
    assert stat.S_IMODE(os.stat(paths.socket).st_mode) == 0o600
    assert stat.S_IMODE(os.stat(paths.runtime_dir).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(paths.log).st_mode) == 0o600


def test_ten_at_once_start_exactly_one(paths: Paths) -> None:
    code = f"""
from tmuxorc.daemon import launch
from tmuxorc.paths import find_paths
from tmuxorc.wire.client import Client
from tmuxorc.wire.methods import DAEMON_STATUS, Empty
paths = find_paths("test")
started = launch.ensure_running(paths, program={program("good")!r})
with Client.connect(paths.socket) as client:
    print(started, client.call(DAEMON_STATUS, Empty()).pid)
"""
    commands = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) for _ in range(10)]
    answers = [command.communicate(timeout=50)[0].split() for command in commands]
    assert {pid for _, pid in answers} == {str(launch.running_pid(paths))}
    assert sorted(started for started, _ in answers) == ["False"] * 9 + ["True"]
    assert [entry["message"] for entry in log_entries(paths)].count("starting") == 1


def test_the_command_killed_while_starting_leaves_no_second_start_to_happen(paths: Paths) -> None:
    """The starting supervisor holds the start lock itself until it is ready."""
    code = f"""
from tmuxorc.daemon import launch
from tmuxorc.paths import find_paths
launch.ensure_running(find_paths("test"), program={program("hanging")!r})
"""
    with fifo(paths) as reader:
        command = subprocess.Popen([sys.executable, "-c", code])
        pid = int(reader.readline())
        command.kill()
        command.wait(10)
    with pytest.raises(TimedOutError, match="has been starting"):
        launch.ensure_running(paths, program=program("good"), timeout_s=0.1)
    os.kill(pid, signal.SIGKILL)
    assert launch.ensure_running(paths, program=program("good"))


def test_an_error_that_keeps_it_from_starting_is_the_one_the_command_shows(paths: Paths, start: Start) -> None:
    with pytest.raises(RemoteError, match="the journal is corrupt") as caught:
        start("refusing")
    assert (caught.value.code, caught.value.hint) == ("journal", "move it away")
    assert caught.value.details == {"path": paths.journal}
    assert log_entries(paths)[-1]["message"] == "ended: the journal is corrupt"


def test_a_configuration_that_cannot_be_read_is_the_error_shown(paths: Paths, start: Start) -> None:
    Path(paths.config_file).parent.mkdir(parents=True)
    Path(paths.config_file).write_text("[log]\nlevle = 'info'\n")
    with pytest.raises(RemoteError, match="levle") as caught:
        start("good")
    assert (caught.value.code, int(caught.value.exit_status)) == ("config", 2)


def test_a_defect_while_starting_is_told_and_its_traceback_logged(paths: Paths, start: Start) -> None:
    with pytest.raises(RemoteError, match="RuntimeError: no such luck") as caught:
        start("broken")
    assert caught.value.code == "internal"
    assert "in broken" in str(log_entries(paths)[-1]["traceback"])


def test_half_an_installation_is_told(paths: Paths, start: Start) -> None:
    with pytest.raises(RemoteError, match="half an installation"):
        start("missing")


def test_a_process_that_ends_without_a_word_is_an_error_not_a_hang(paths: Paths, start: Start) -> None:
    with pytest.raises(UnreachableError, match="ended while it was starting") as caught:
        start("dumb")
    assert paths.log in caught.value.hint


def test_what_an_interpreter_says_before_it_fails_is_shown(paths: Paths) -> None:
    with pytest.raises(UnreachableError, match="No such file") as caught:
        launch.ensure_running(paths, program=(sys.executable, "/nonexistent.py"))
    assert "nonexistent" in str(caught.value.details["output"])


def test_a_missing_interpreter_is_unreachable(paths: Paths) -> None:
    with pytest.raises(UnreachableError, match="cannot start /nonexistent"):
        launch.ensure_running(paths, program=("/nonexistent",))


def test_a_failed_start_does_not_block_the_next(paths: Paths, start: Start) -> None:
    with pytest.raises(UnreachableError):
        start("dumb")
    assert start("good")


def test_a_supervisor_that_does_not_become_ready_is_waited_for_only_so_long(paths: Paths) -> None:
    with fifo(paths) as reader:
        with pytest.raises(TimedOutError, match="not ready"):
            launch.ensure_running(paths, program=program("hanging"), timeout_s=1)
        assert launch.running_pid(paths) == int(reader.readline())


def test_a_stale_socket_is_reclaimed(paths: Paths, start: Start) -> None:
    os.kill(pid := start("good"), signal.SIGKILL)
    wait_gone(pid)
    assert os.path.exists(paths.socket)
    assert start("good") != pid
    assert status(paths).pid != pid


def test_what_lies_in_the_socket_s_place_is_not_removed(paths: Paths, start: Start) -> None:
    Path(paths.make_runtime_dir(), "socket").write_text("precious")
    with pytest.raises(TmuxOrcError, match="not a socket"):
        start("good")
    assert Path(paths.socket).read_text() == "precious"


def test_a_live_supervisor_whose_socket_was_removed_is_named(paths: Paths, start: Start) -> None:
    pid = start("good")
    os.unlink(paths.socket)
    with pytest.raises(RemoteError, match=f"already runs .pid {pid}.") as caught:
        launch.ensure_running(paths, program=program("good"))
    assert (caught.value.code, int(caught.value.exit_status)) == ("already_running", 4)
    assert "daemon restart" in caught.value.hint


def test_a_state_directory_that_cannot_be_written_is_the_error_shown(paths: Paths, start: Start) -> None:
    Path(paths.state_dir).parent.mkdir(parents=True)
    Path(paths.state_dir).write_text("in the way")
    with pytest.raises(TmuxOrcError, match="cannot create the directory"):
        start("good")


def test_stop_waits_until_it_is_gone_and_says_whether_there_was_one(paths: Paths, start: Start) -> None:
    pid = start("good")
    assert launch.stop(paths).changed
    assert launch.running_pid(paths) is None
    assert wait_gone(pid)
    assert not os.path.exists(paths.socket)
    assert not launch.stop(paths).changed


def test_stop_with_agents_asks_over_the_socket(paths: Paths, start: Start) -> None:
    start("good")
    assert launch.stop(paths, agents=True).message == "stopped"


def test_stop_with_agents_starts_one_first_for_agents_that_lost_theirs(paths: Paths) -> None:
    """The journal says that there may be some."""
    assert not launch.stop(paths, agents=True, program=program("good")).changed
    Path(paths.make_state_dir(), "journal.db").touch()
    assert launch.stop(paths, agents=True, program=program("good")).changed
    assert "ready" in [entry["message"] for entry in log_entries(paths)]
    assert launch.running_pid(paths) is None


def test_stop_with_agents_gives_up_on_one_that_does_not_answer(paths: Paths, start: Start) -> None:
    os.kill(start("good"), signal.SIGSTOP)
    with pytest.raises(TimedOutError, match="no answer"):
        launch.stop(paths, agents=True, timeout_s=0.2)


def test_one_that_does_not_stop_is_killed(paths: Paths, start: Start) -> None:
    start("stubborn")
    assert launch.stop(paths, timeout_s=0.3).message.startswith("killed")
    assert launch.running_pid(paths) is None


def test_a_stopped_process_is_killed_too(paths: Paths, start: Start) -> None:
    os.kill(start("good"), signal.SIGSTOP)
    assert launch.stop(paths, timeout_s=0.3).message.startswith("killed")


def test_an_upgraded_client_meets_an_old_supervisor_and_restart_mends_it(paths: Paths, start: Start) -> None:
    old = start("old")
    with Client.connect(paths.socket) as client, pytest.raises(ProtocolMismatchError) as caught:
        client.call(DAEMON_STOP, StopDaemon())
    assert "tmux-orc daemon restart" in caught.value.hint
    assert launch.running_pid(paths) == old
    assert launch.restart(paths, program=program("good"))
    assert status(paths).pid not in {old, None}


def test_restart_without_one_just_starts(paths: Paths) -> None:
    assert not launch.restart(paths, program=program("good"))
    assert launch.running_pid(paths)


def test_the_new_supervisor_waits_for_the_old_to_end(paths: Paths, start: Start) -> None:
    """Between closing its socket and its last write a stopping supervisor still owns the journal."""
    paths.make_state_dir()
    ending = lock.acquire(paths.lock, 0)
    assert ending is not None
    threading.Timer(0.2, os.close, [ending]).start()
    assert start("good")
