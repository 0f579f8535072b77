"""One agent from its spawn to its removal, each request answered by the real supervisor."""

import os
from typing import Any

import pytest

from tests.support import Home
from tests.tmux.supervisor._orc import BUSY, EXITED, IDLE, SLEEP, Orc, alive
from tmuxorc.errors import RemoteError
from tmuxorc.model import AgentSpec, AgentView, Desired, Restart
from tmuxorc.wire import methods as m


def test_a_demo_agent_starts_shows_its_screen_and_takes_keys(orc: Orc) -> None:
    spawned = orc.spawn("alice", wait="ready", role="writer")
    assert (spawned.address, spawned.state, spawned.generation, spawned.role) == ("main/alice", IDLE, 1, "writer")
    assert alive(spawned.pid)
    assert orc.info("alice") == orc.info("main/alice") == orc.agents()["main/alice"]
    assert "? for help" in orc.screen("alice")
    orc.keys("alice", "w", "o", "r", "k", "Space", "9", "Enter")
    assert orc.await_state("alice", BUSY).pid == spawned.pid
    assert "> work 9" in orc.screen("alice")


def test_the_program_is_the_panes_own_process_and_gets_directory_and_variables(orc: Orc, home: Home) -> None:
    script = (
        'printf "%s|" "$PWD" "$COLOUR" "$TMUX_ORC_AGENT" "$TMUX_ORC_INSTANCE" "${CLAUDECODE-unset}"; exec sleep 1000'
    )
    agent = orc.spawn("env", "sh", "-c", script, cwd=str(home.root), env={"COLOUR": "dark blue"})
    panes = orc.tmux.run("list-panes", "-a", "-F", "#{pane_id} #{pane_pid}").split("\n")
    assert f"{agent.pane} {agent.pid}" in panes
    orc.await_state("env", BUSY)
    assert orc.screen("env").startswith(f"{home.root}|dark blue|main/env|default|unset|")


def test_stop_start_restart_kill_and_remove(orc: Orc) -> None:
    first = orc.spawn("worker", *SLEEP)
    stopped = orc.stop("worker")
    assert (stopped.state, stopped.desired, stopped.pid, stopped.generation) == (EXITED, Desired.STOPPED, None, 1)
    assert stopped.last_exit is not None
    assert (stopped.last_exit.reason, stopped.last_exit.signal) == ("stopped", "SIGTERM")
    assert not alive(first.pid)
    assert orc.stop("worker").state is EXITED, "stopping what is stopped is no error"
    again = orc.start("worker")
    assert (again.pane, again.generation, again.desired) == (first.pane, 2, Desired.RUNNING)
    assert alive(again.pid)
    assert orc.start("worker").pid == again.pid, "starting what runs changes nothing"
    third = orc.restart("worker")
    assert (third.pane, third.generation) == (first.pane, 3)
    assert alive(third.pid)
    assert not alive(again.pid)
    killed = orc.call(m.AGENT_KILL, m.Target(target="worker"))
    assert (killed.state, killed.desired) == (EXITED, Desired.STOPPED)
    assert not alive(third.pid)
    assert orc.remove("worker").changed
    assert orc.agents() == {}
    assert first.pane not in orc.tmux.run("list-panes", "-a", "-F", "#{pane_id}").split("\n")
    with pytest.raises(RemoteError) as unknown:
        orc.info("worker")
    assert unknown.value.code == "not_found"


def spawn_trapped(orc: Orc, home: Home, name: str, trap: str, *, shutdown_s: float) -> AgentView:
    """A shell that has set its `trap` by the time this returns: before that a signal would end it."""
    told = home.root / f"{name}.told"
    os.mkfifo(told)
    script = f"trap {trap}; echo deaf > {told}; sleep 1000 & wait; wait"
    agent = orc.spawn(name, "sh", "-c", script, shutdown_s=shutdown_s)
    assert told.read_text() == "deaf\n"
    return agent


def test_an_agent_that_ignores_every_request_to_end_is_killed_when_its_grace_is_over(orc: Orc, home: Home) -> None:
    stubborn = spawn_trapped(orc, home, "mule", '"" TERM HUP INT', shutdown_s=0.3)
    stopped = orc.stop("mule")
    assert stopped.last_exit is not None
    assert stopped.last_exit.signal == "SIGKILL"
    assert not alive(stubborn.pid)


def test_a_kill_overtakes_a_stop_that_waits(orc: Orc, home: Home) -> None:
    stubborn = spawn_trapped(orc, home, "mule", '"" TERM HUP INT', shutdown_s=1000)
    seq = orc.seq
    slow, quick = orc.all_at_once(
        [
            lambda: orc.stop("mule"),
            lambda: (
                orc.await_event("agent.desired", "main/mule", seq),
                orc.call(m.AGENT_KILL, m.Target(target="mule")),
            ),
        ]
    )
    assert not isinstance(slow, Exception)
    assert not isinstance(quick, Exception)
    assert not alive(stubborn.pid)


def test_a_grace_longer_than_the_agents_own_is_given(orc: Orc, home: Home) -> None:
    done = home.root / "done"
    spawn_trapped(orc, home, "slow", f'"sleep 0.7; echo saved > {done}; exit 0" TERM', shutdown_s=0)
    stopped = orc.stop("slow", grace_s=15.0)
    assert stopped.state is EXITED
    assert done.read_text() == "saved\n"


def test_a_brief_is_the_first_message(orc: Orc) -> None:
    orc.spawn("alice", brief="echo first words")
    message = orc.call(m.MESSAGE_LIST, m.ListMessages()).messages[0]
    assert (message.target, message.text, message.sender) == ("main/alice", "echo first words", "operator")
    orc.await_event("message.advanced", "main/alice", where=lambda event: event.data["rung"] == "submitted")


REFUSED: list[tuple[dict[str, object], str]] = [
    ({"name": "-dash"}, "bad_name"),
    ({"name": "a b"}, "bad_name"),
    ({"team": "no/pe"}, "bad_name"),
    ({"team": "nobody"}, "not_found"),
    ({"kind": "claud"}, "unknown_kind"),
    ({"command": ("no-such-program",)}, "program_not_found"),
    ({"command": ("/etc/passwd",)}, "program_not_found"),
    ({"command": ()}, "usage"),
    ({"cwd": "/no/such/place"}, "bad_cwd"),
    ({"cwd": "/etc/passwd"}, "bad_cwd"),
    ({"cwd": "relative"}, "bad_cwd"),
    ({"env": {"A=B": "c"}}, "usage"),
    ({"brief": "\x1b[2J"}, "message_control"),
    ({"restart": Restart.PERMANENT, "significant": True}, "usage"),
    ({"shutdown_s": -1.0}, "usage"),
]


def test_what_cannot_run_is_refused_and_leaves_nothing(orc: Orc, subtests: pytest.Subtests) -> None:
    for fields, code in REFUSED:
        spec: dict[str, Any] = {"name": "bad", "kind": "command", "command": SLEEP, "path": "/usr/bin:/bin", **fields}
        with subtests.test(**fields):
            with pytest.raises(RemoteError) as refused:
                orc.call(m.AGENT_SPAWN, m.Spawn(spec=AgentSpec(**spec)))
            assert refused.value.code == code
            assert orc.agents() == {}


def test_a_name_is_given_once(orc: Orc) -> None:
    orc.spawn("twin", *SLEEP)
    with pytest.raises(RemoteError) as taken:
        orc.spawn("twin", *SLEEP)
    assert taken.value.code == "name_taken"


def test_a_bare_name_is_enough_while_it_is_the_only_one(orc: Orc) -> None:
    orc.create_team("other")
    orc.spawn("bob", *SLEEP)
    assert orc.info("bob").team == "main"
    orc.spawn("bob", *SLEEP, team="other")
    with pytest.raises(RemoteError) as ambiguous:
        orc.info("bob")
    assert ambiguous.value.code == "ambiguous"
    assert ambiguous.value.details["addresses"] == ["main/bob", "other/bob"]
    assert orc.info("other/bob").team == "other"


def test_a_missing_program_is_told_with_the_path_that_was_searched(orc: Orc) -> None:
    with pytest.raises(RemoteError) as missing:
        orc.call(
            m.AGENT_SPAWN, m.Spawn(spec=AgentSpec(name="x", command=("nothing-here",), path="/usr/bin:/opt/tools"))
        )
    assert "/usr/bin:/opt/tools" in missing.value.hint
