"""The command line as whole processes against the real supervisor and a real tmux."""

import os
import pty
import re
import select
import subprocess
import threading
import time

import pytest

from tests.support import Cli, Home, Supervisor
from tests.support.programs import PROGRAM, Completed

DEADLINE_S = 20.0


def test_the_first_command_starts_the_supervisor(cli: Cli) -> None:
    assert cli("daemon", "status").status == 7
    assert cli.json("list") == {"agents": []}
    assert cli.json("daemon", "status")["instance"] == "default"


def test_ten_at_once_start_one_and_all_get_their_answer(cli: Cli) -> None:
    """Whoever comes first starts it; nobody sees an error, and there is one process id."""
    answers: list[Completed] = []
    threads = [threading.Thread(target=lambda: answers.append(cli("status", "--json"))) for _ in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert [answer.status for answer in answers] == [0] * 10
    assert len({answer.json["pid"] for answer in answers}) == 1


def test_stopping_leaves_agents_and_the_next_one_finds_them(cli: Cli, supervisor: Supervisor) -> None:
    before = cli.json("spawn", "alice", "--kind", "demo", "--wait", "ready")
    assert cli.json("daemon", "stop")["changed"]
    assert not cli.json("daemon", "stop")["changed"]
    assert cli("daemon", "status", "--json").error["code"] == "unreachable"
    after = cli.json("agent", "info", "alice")
    assert (after["pid"], after["pane"], after["generation"]) == (before["pid"], before["pane"], 1)
    assert after["adopted"]


def test_restart_is_another_process(cli: Cli, supervisor: Supervisor) -> None:
    before = supervisor.pid
    assert cli.json("daemon", "restart")["pid"] != before


def test_an_agents_life(cli: Cli, supervisor: Supervisor) -> None:
    """Spawn, send, look, wait, stop, start, remove: each answers with what is then so."""
    assert cli.json("spawn", "alice", "--kind", "demo", "--wait", "ready")["state"] == "idle"
    (sent,) = cli.json("send", "alice", "echo bonjour", "--wait", "submitted")["messages"]
    assert sent["rung"] in ("submitted", "taken_in")
    assert cli.json("wait", "alice", "--state", "idle")["name"] == "alice"
    assert "bonjour" in cli("screen", "alice").stdout
    stopped = cli.json("agent", "stop", "alice")
    assert (stopped["desired"], stopped["pid"]) == ("stopped", None)
    assert cli("agent", "keys", "alice", "Enter").status == 5
    assert cli.json("agent", "start", "alice")["generation"] == 2
    assert cli.json("agent", "remove", "alice")["changed"]
    assert cli("agent", "info", "alice").status == 3


def test_waiting_has_an_end(cli: Cli, supervisor: Supervisor) -> None:
    cli.json("spawn", "sleeper", "sleep", "600")
    late = cli("wait", "sleeper", "--state", "blocked", "--timeout", "200ms", "--json")
    assert (late.status, late.error["code"]) == (6, "timed_out")
    assert late.seconds < 10


def test_a_team_file_is_applied_once(cli: Cli, supervisor: Supervisor, home: Home) -> None:
    """A dry run does nothing, the first run everything, the second nothing."""
    file = home.root / "team.toml"
    file.write_text(
        '[team]\nname = "ab"\n[defaults]\nkind = "demo"\n[[agent]]\nname = "a"\n[[agent]]\nname = "b"\n',
    )
    planned = cli.json("team", "apply", str(file), "--dry-run")
    assert not planned["applied"]
    assert cli.json("team", "list") == {"teams": []}
    assert cli.json("team", "apply", str(file))["steps"] == planned["steps"]
    pids = [agent["pid"] for agent in cli.json("team", "status", "ab")["agents"]]
    assert "nothing to do" in cli("team", "apply", str(file)).stdout
    assert [agent["pid"] for agent in cli.json("team", "status", "ab")["agents"]] == pids


def test_a_team_comes_back_after_its_agents_were_ended(cli: Cli, supervisor: Supervisor, home: Home) -> None:
    """``daemon stop --agents`` leaves them stopped one by one; starting the team is enough to have all of them back."""
    file = home.root / "team.toml"
    file.write_text('[team]\nname = "ab"\n[defaults]\nkind = "demo"\n[[agent]]\nname = "a"\n[[agent]]\nname = "b"\n')
    cli.json("team", "apply", str(file))
    cli.json("daemon", "stop", "--agents")
    assert [agent["desired"] for agent in cli.json("team", "status", "ab")["agents"]] == ["stopped", "stopped"]
    assert [agent["desired"] for agent in cli.json("team", "start", "ab")["agents"]] == ["running", "running"]
    assert cli.json("agent", "wait", "ab/b")["state"] == "idle"


def test_a_stopped_team_comes_back_as_it_was(cli: Cli, supervisor: Supervisor, home: Home) -> None:
    """What was stopped singly before the team was stays stopped."""
    file = home.root / "team.toml"
    file.write_text('[team]\nname = "ab"\n[defaults]\nkind = "demo"\n[[agent]]\nname = "a"\n[[agent]]\nname = "b"\n')
    cli.json("team", "apply", str(file))
    cli.json("agent", "stop", "ab/a")
    cli.json("team", "stop", "ab")
    assert [agent["desired"] for agent in cli.json("team", "start", "ab")["agents"]] == ["stopped", "running"]


def test_progress_is_shown_on_a_terminal(cli: Cli, supervisor: Supervisor, home: Home) -> None:
    """The steps appear on standard error while they are taken, and standard output has the plan alone."""
    file = home.root / "team.toml"
    file.write_text('[team]\nname = "ab"\n[[agent]]\nname = "a"\ncommand = ["sleep", "600"]\n')
    ours, theirs = pty.openpty()
    process = subprocess.Popen([PROGRAM, "team", "apply", str(file)], stdout=subprocess.PIPE, stderr=theirs)
    os.close(theirs)
    out, _ = process.communicate(timeout=DEADLINE_S)
    shown = os.read(ours, 65536)
    os.close(ours)
    assert b"create ab/a" in shown
    assert out.startswith(b"+ create ab")


def test_following_sees_what_happens(cli: Cli, supervisor: Supervisor) -> None:
    """Events come as they are journaled, to a reader in a pipe as well."""
    with cli.start("event", "follow", "--since", "0", "--json", stdout=subprocess.PIPE) as follower:
        assert follower.stdout
        cli.json("spawn", "sleeper", "sleep", "600")
        seen = ""
        for line in follower.stdout:
            seen += line
            if '"agent.started"' in line:
                break
        follower.terminate()
    assert '"main/sleeper"' in seen


def test_attach_hands_the_terminal_over(cli: Cli, supervisor: Supervisor) -> None:
    """The process becomes a tmux client, and what the agent shows is on the terminal."""
    cli.json("spawn", "alice", "--kind", "demo", "--wait", "ready")
    pid, terminal = pty.fork()
    if pid == 0:
        os.execv(PROGRAM, [str(PROGRAM), "attach", "alice", "--read-only"])
    shown = read_until(terminal, b"for help")
    assert b"for help" in shown
    assert cli.json("session", "list")["sessions"][0]["attached"] == 1
    os.close(terminal)
    os.waitpid(pid, 0)


def read_until(terminal: int, wanted: bytes) -> bytes:
    """What is written to the terminal until `wanted` is among it."""
    shown, end = b"", time.monotonic() + DEADLINE_S
    while wanted not in shown and select.select([terminal], [], [], max(0, end - time.monotonic()))[0]:
        shown += os.read(terminal, 65536)
    return shown


@pytest.mark.parametrize("json", [[], ["--json"]])
def test_errors_of_starting_reach_the_one_who_asked(cli: Cli, home: Home, json: list[str]) -> None:
    """A tmux that is too old is the first command's error, with the way out."""
    program = home.programs / "tmux"
    program.unlink(missing_ok=True)
    program.write_text("#!/bin/sh\necho tmux 2.9a\n")
    program.chmod(0o755)
    failed = cli("list", *json)
    assert failed.status == 1
    assert re.search(r"2\.9a|tmux_too_old", failed.stderr)
    assert "Traceback" not in failed.stderr
