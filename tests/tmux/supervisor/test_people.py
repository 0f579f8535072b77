"""What a person does to the panes with tmux itself is their will, and is never fought (S13)."""

import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tests.support import TmuxServer
from tests.tmux.supervisor._orc import DEADLINE_S, EXITED, PYTHON, SLEEP, Orc, alive, gone
from tmuxorc.errors import RemoteError
from tmuxorc.model import AgentView, Desired, Restart
from tmuxorc.wire import methods as m

STUBBORN = (
    PYTHON,
    "-ISc",
    "import signal, sys; [signal.signal(n, signal.SIG_IGN) for n in (1, 15)]; open(sys.argv[1], 'w'); signal.pause()",
)


def is_left_alone(orc: Orc, before: AgentView) -> AgentView:
    """It was stopped by a person: ended, without a pane, and not wanted any more."""
    now = orc.await_state(before.address, EXITED)
    orc.await_event("agent.stopped", before.address)
    now = orc.info(before.address)
    assert (now.desired, now.pane, now.pid, now.restart_at) == (Desired.STOPPED, None, None, None)
    assert (now.generation, now.restarts) == (before.generation, 0)
    assert now.last_exit is not None
    assert now.last_exit.reason == "stopped"
    assert gone(before.pid)
    return now


def test_a_closed_pane_is_a_stopped_agent(orc: Orc) -> None:
    sibling = orc.spawn("bob", *SLEEP)
    closed = orc.spawn("alice", *SLEEP, restart=Restart.PERMANENT)
    orc.tmux.run("kill-pane", "-t", str(closed.pane))
    assert "closed by a person" in is_left_alone(orc, closed).detail
    assert orc.info("bob").pid == sibling.pid
    with pytest.raises(RemoteError) as paneless:
        orc.screen("alice")
    assert paneless.value.code == "not_found"
    orc.kill_supervisor()
    assert orc.info("alice").state is EXITED
    again = orc.start("alice")
    assert (again.generation, again.desired) == (2, Desired.RUNNING)
    assert alive(again.pid)
    assert again.pane != closed.pane


def test_a_killed_session_stops_its_team_and_only_that(orc: Orc) -> None:
    """`kill-session` leaves the windows alive in the hub, where nobody sees them: their agents are ended in order."""
    orc.create_team("crew")
    team = [orc.spawn(name, *SLEEP, team="crew", restart=Restart.PERMANENT) for name in "ab"]
    other = orc.spawn("other", *SLEEP)
    session = orc.team("crew").team.session
    orc.tmux.run("kill-session", "-t", str(session))
    for agent in team:
        is_left_alone(orc, agent)
    assert orc.team("crew").team.session is None
    assert orc.info("other").pid == other.pid
    again = orc.start("a")
    assert alive(again.pid)
    assert orc.team("crew").team.session not in (None, session)


def test_an_unlinked_window_is_a_stopped_agent(orc: Orc) -> None:
    agent = orc.spawn("alice", *SLEEP, restart=Restart.PERMANENT)
    keeper = orc.spawn("bob", *SLEEP)
    session = orc.team("main").team.session
    orc.tmux.run("unlink-window", "-t", f"{session}:{agent.window}")
    is_left_alone(orc, agent)
    assert orc.info("bob").pid == keeper.pid


@pytest.mark.parametrize("how", ["kill-pane", "unlink-window"])
def test_a_person_may_close_what_is_being_stopped(orc: Orc, how: str, tmp_path: Path) -> None:
    """The agent takes its time to end; what a person does meanwhile must not break the connection of all."""
    keeper = orc.spawn("bob", *SLEEP)
    os.mkfifo(up := tmp_path / "up")
    agent = orc.spawn("alice", *STUBBORN, str(up))
    up.read_bytes()
    session = orc.team("main").team.session
    with ThreadPoolExecutor(1) as pool:
        stopping = pool.submit(orc.stop, "alice", 2.0)
        orc.await_event("agent.desired", "main/alice")
        orc.tmux.run(how, "-t", str(agent.pane) if how == "kill-pane" else f"{session}:{agent.window}")
        assert stopping.result(DEADLINE_S).state is EXITED
    assert gone(agent.pid)
    assert [event for event in orc.events() if event.type == "tmux.left"] == []
    assert (orc.info("bob").pid, orc.info("bob").adopted) == (keeper.pid, False)


def test_an_agent_that_ends_unseen_can_be_stopped_meanwhile(orc: Orc, tmp_path: Path) -> None:
    os.mkfifo(asked := tmp_path / "asked")
    script = "import signal, sys; signal.signal(15, lambda *_: open(sys.argv[1], 'w'))\nwhile True: signal.pause()"
    orc.spawn("bob", *SLEEP)
    agent = orc.spawn("alice", PYTHON, "-ISc", script, str(asked), shutdown_s=60.0)
    orc.tmux.run("unlink-window", "-t", f"{orc.team('main').team.session}:{agent.window}")
    asked.read_bytes()
    orc.stop("alice", 0.2)
    assert gone(agent.pid)


def persons_pane(tmux: TmuxServer, *how: str) -> tuple[str, int]:
    """A pane that a person made: its id and its process."""
    pane, pid = tmux.run(*how, "-d", "-P", "-F", "#{pane_id} #{pane_pid}", "sleep", "2000").split()
    return pane, int(pid)


def test_a_pane_that_already_runs_is_adopted_and_nobody_elses_touched(orc: Orc) -> None:
    orc.spawn("first", *SLEEP)
    tmux = orc.tmux
    pane, pid = persons_pane(tmux, "new-session", "-s", "mine")
    stranger = persons_pane(tmux, "new-window", "-t", "=mine:")
    adopted = orc.call(m.AGENT_ADOPT, m.Adopt(pane=pane, name="guest", restart=Restart.PERMANENT))
    assert (adopted.pane, adopted.pid, adopted.adopted) == (pane, pid, True)
    session = orc.team("main").team.session
    assert session in tmux.run("list-panes", "-a", "-f", f"#{{==:#{{pane_id}},{pane}}}", "-F", "#{session_id}").split()
    orc.kill_supervisor()
    assert orc.await_adoption("main/guest").pid == pid
    orc.kill_process("guest")
    again = orc.await_generation("main/guest", 2)
    assert (again.pane, alive(again.pid)) == (pane, True)
    assert tmux.run("display-message", "-p", "-t", pane, "#{pane_current_command}") == "sleep"
    orc.remove("guest")
    left = tmux.run("list-panes", "-a", "-F", "#{pane_id}").split()
    assert pane not in left
    assert stranger[0] in left
    assert alive(stranger[1])
    tmux.run("kill-session", "-t", "=mine")


def test_a_refused_adoption_leaves_the_pane_as_it_is(orc: Orc) -> None:
    orc.spawn("first", *SLEEP)
    tmux = orc.tmux
    pane, pid = persons_pane(tmux, "new-session", "-s", "mine")
    own = str(orc.info("first").pane)
    refused = [
        (m.Adopt(pane=pane, name="guest", kind="nonesuch"), "unknown_kind"),
        (m.Adopt(pane=pane, name="guest", team="nobody"), "not_found"),
        (m.Adopt(pane=pane, name="first"), "name_taken"),
        (m.Adopt(pane=pane, name="no spaces"), "bad_name"),
        (m.Adopt(pane="%999", name="guest"), "not_found"),
        (m.Adopt(pane="mine", name="guest"), "usage"),
        (m.Adopt(pane=own, name="guest"), "conflict"),
    ]
    for params, code in refused:
        with pytest.raises(RemoteError) as error:
            orc.call(m.AGENT_ADOPT, params)
        assert error.value.code == code
        assert list(orc.agents()) == ["main/first"]
    assert alive(pid)
    assert pane in tmux.run("list-panes", "-a", "-F", "#{pane_id}").split()
    tmux.run("kill-session", "-t", "=mine")
