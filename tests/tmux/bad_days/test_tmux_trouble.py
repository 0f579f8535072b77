"""tmux missing, too old, hanging or killed: said at once, waited for no longer than must be, and recovered from."""

import json
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from tests.support import Cli, Home, wait_gone
from tests.tmux.supervisor._orc import IDLE, PYTHON, SLEEP, Orc, alive, gone
from tmuxorc.errors import RemoteError, TmuxOrcError
from tmuxorc.model import Restart, Rung, TeamSpec
from tmuxorc.tmux.process import find_marked
from tmuxorc.wire import methods as m

SCRIPTS = {
    "tmux_too_old": ("echo tmux 2.9a", 1),
    "tmux_timeout": ("exec sleep 1000", 6),
    "tmux_gone": ('[ "$1" = -V ] && exec echo tmux 3.4; echo what do you want; exit 3', 1),
}


@pytest.mark.parametrize("code", SCRIPTS)
def test_a_tmux_that_is_none_is_the_first_commands_error(home: Home, code: str) -> None:
    cli, (script, status) = Cli(), SCRIPTS[code]
    program = home.programs / "tmux"
    program.unlink(missing_ok=True)
    program.write_text(f"#!/bin/sh\n{script}\n")
    program.chmod(0o755)
    failed = cli("list", "--json")
    assert (failed.status, failed.error["code"]) == (status, code)
    assert failed.error["hint"]
    assert cli("daemon", "status", "--json").error["code"] == "unreachable"


def test_a_missing_tmux_says_where_it_was_looked_for_and_how_to_get_it(cli: Cli, home: Home) -> None:
    failed = cli("spawn", "alice", "--kind", "demo", "--json", env={"PATH": str(home.programs)})
    assert (failed.status, failed.error["code"]) == (1, "tmux_missing")
    assert str(home.programs) in failed.error["message"]
    assert "apt install tmux" in failed.error["hint"]
    assert "brew install tmux" in failed.error["hint"]


def test_a_tmux_server_that_hangs_is_left_and_found_again(orc: Orc, home: Home) -> None:
    """Nothing that was asked meanwhile is lost, doubled, or done after it was refused."""
    record = home.root / "record"
    demo = (PYTHON, "-I", "-m", "tmuxorc.agents.demo", "--record", str(record))
    alice = orc.spawn("alice", *demo, kind="demo", wait="ready")
    server, seq = orc.tmux.pid, orc.seq
    assert server is not None
    os.kill(server, signal.SIGSTOP)
    try:
        (message,) = orc.send("alice", "echo hello")
        began = time.monotonic()
        with pytest.raises(RemoteError) as refused:
            orc.call(m.AGENT_SPAWN, m.Spawn(spec=orc.spec("bob", *SLEEP)), 30)
        assert refused.value.code in ("tmux_timeout", "tmux_gone", "actor_died", "tmux_away")
        assert time.monotonic() - began < 15
        assert orc.agents()["main/alice"].pid == alice.pid
        orc.await_event("tmux.left", "tmux", seq)
        with pytest.raises(RemoteError) as away:
            orc.screen("alice")
        assert (away.value.code, away.value.hint) == ("tmux_away", "see: tmux-orc daemon logs")
        assert orc.call(m.DAEMON_STATUS, m.Empty()).tmux_state == "away"
    finally:
        os.kill(server, signal.SIGCONT)
    orc.await_event("tmux.connected", "tmux", seq)
    orc.await_rung(message, Rung.SUBMITTED)
    orc.await_state("alice", IDLE)
    assert [json.loads(line)["text"] for line in record.read_text().splitlines()] == ["echo hello"]
    assert orc.info("alice").pid == alice.pid
    assert orc.spawn("bob", *SLEEP).generation == 1
    marked = find_marked("TMUX_ORC_ID", f"{orc.paths.socket}#main/bob")
    assert [process.pid for process in marked] == [orc.info("bob").pid]


@contextmanager
def stopped(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_supervisor_that_hangs_is_not_waited_for_for_ever(cli: Cli, orc: Orc, home: Home) -> None:
    """The client says so within its limit; what it had asked for is done whole when the supervisor goes on."""
    record = home.root / "record"
    demo = (PYTHON, "-I", "-m", "tmuxorc.agents.demo", "--record", str(record))
    orc.spawn("alice", *demo, kind="demo", wait="ready")
    with stopped(orc.supervisor.pid):
        silent = cli("wait", "alice", "--state", "idle", "--timeout", "0.1", "--json")
        assert (silent.status, silent.error["code"]) == (6, "timed_out")
        assert "daemon restart" in silent.error["hint"]
        for request in (
            lambda: orc.call(m.MESSAGE_SEND, m.SendMessage(target="alice", text="echo one"), 0.2),
            lambda: orc.call(m.AGENT_SPAWN, m.Spawn(spec=orc.spec("bob", *SLEEP)), 0.2),
            lambda: orc.call(m.TEAM_CREATE, m.CreateTeam(spec=TeamSpec(name="crew")), 0.2),
        ):
            with pytest.raises(TmuxOrcError) as late:
                request()
            assert late.value.code == "timed_out"
    orc.await_event("agent.started", "main/bob")
    orc.await_event("team.started", "crew")
    (second,) = orc.send("alice", "echo two")
    orc.await_rung(second, Rung.SUBMITTED)
    orc.await_state("alice", IDLE)
    assert [json.loads(line)["text"] for line in record.read_text().splitlines()] == ["echo one", "echo two"]
    before = orc.agents()
    orc.kill_supervisor()
    assert orc.await_adoption("main/bob").pid == before["main/bob"].pid
    assert orc.team("crew").agents == ()


def test_the_connection_of_a_killed_supervisor_goes_with_it(orc: Orc) -> None:
    """With output unsent, tmux would keep it for ever, and never end itself."""
    orc.spawn("loud", "sh", "-c", "while :; do head -c 100000 /dev/urandom | base64; sleep 0.01; done")
    for _ in range(3):
        orc.await_event("agent.started", "main/loud", orc.mark)
        orc.kill_supervisor()
    clients = orc.tmux.run("list-clients", "-F", "#{client_pid}").split()
    assert len(clients) == 1
    server = orc.tmux.pid
    orc.supervisor.stop()
    assert gone(int(clients[0]))
    assert gone(server)


def test_a_killed_tmux_server_is_no_failure_in_the_log(orc: Orc) -> None:
    runs = orc.spawn("alice", *SLEEP)
    seq, server = orc.seq, orc.tmux.pid
    assert server is not None
    os.kill(server, signal.SIGKILL)
    assert wait_gone(server)
    orc.await_event("agent.started", "main/alice", seq)
    assert gone(runs.pid)
    assert alive(orc.info("alice").pid)


def test_a_program_that_ignores_its_closed_pane_ends_all_the_same(orc: Orc) -> None:
    script = "trap '' HUP TERM; while :; do sleep 1; done"
    deaf = orc.spawn("deaf", "sh", "-c", script, restart=Restart.PERMANENT, shutdown_s=0.5)
    orc.tmux.run("kill-pane", "-t", str(deaf.pane))
    orc.await_event("agent.stopped", "main/deaf")
    assert gone(deaf.pid)
    assert "closed by a person" in orc.info("deaf").detail
    assert find_marked("TMUX_ORC_ID", f"{orc.paths.socket}#main/deaf") == ()


def test_a_directory_that_vanished_fails_the_restart_and_only_that(orc: Orc, home: Home) -> None:
    """The agent is tried again, less and less often, told of as failed, and starts when the directory is back."""
    place = home.root / "place"
    place.mkdir()
    orc.spawn("alice", *SLEEP, cwd=str(place))
    bob = orc.spawn("bob", *SLEEP)
    place.rmdir()
    seq = orc.kill_process("alice")
    failed = orc.await_event("agent.start_failed", "main/alice", seq)
    assert str(place) in failed.data["error"]
    assert orc.info("alice").state == "failed"
    with pytest.raises(RemoteError) as refused:
        orc.start("alice")
    assert refused.value.code == "bad_cwd"
    place.mkdir()
    assert alive(orc.start("alice").pid)
    assert orc.info("bob").pid == bob.pid


def test_what_agents_leave_behind_goes_when_they_are_stopped(orc: Orc) -> None:
    """Children that outlive their parent, whether it runs still or has ended, and whether they heed signals or not."""
    child = "setsid sh -c 'trap \"\" HUP TERM; echo up >>{0}; exec sleep 1000' </dev/null >/dev/null 2>&1"
    wait = "while [ $(wc -l <{0} 2>/dev/null || echo 0) -lt 2 ]; do sleep 0.02; done"
    script = f"{child} & {child} & {wait}; "
    ups = {name: orc.paths.runtime_dir + f"/{name}.up" for name in ("runs", "ended", "last")}
    for name, end in (("runs", "exec sleep 1000"), ("ended", "exit 0"), ("last", "exec sleep 1000")):
        orc.spawn(name, "sh", "-c", script.format(ups[name]) + end, shutdown_s=0.3)
    orc.await_event("agent.exited", "main/ended")
    for name in ("runs", "ended"):
        assert len(left_by(orc, name)) >= 2
        orc.stop(name)
        assert left_by(orc, name) == []
    children = left_by(orc, "last")
    orc.supervisor.stop()
    assert all(gone(pid) for pid in children)


def left_by(orc: Orc, name: str) -> list[int]:
    return [process.pid for process in find_marked("TMUX_ORC_ID", f"{orc.paths.socket}#main/{name}")]
