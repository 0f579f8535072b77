"""Agents outlive the supervisor, its connection, and come back when tmux itself dies (S13, S14)."""

import os
import signal
from pathlib import Path

from tests.support import Cli, Supervisor
from tests.tmux.supervisor._orc import EXITED, IDLE, SLEEP, Orc, alive, gone
from tmuxorc.model import AgentView, Restart, Rung
from tmuxorc.wire import methods as m


def identity(view: AgentView) -> tuple[object, ...]:
    return view.pane, view.window, view.pid, view.generation, view.restarts, view.created_at


def test_a_killed_supervisor_is_followed_by_one_that_adopts_every_pane(orc: Orc) -> None:
    orc.create_team("crew")
    orc.spawn("alice", wait="ready")
    for name in "abc":
        orc.spawn(name, *SLEEP, team="crew", restart=Restart.PERMANENT)
    orc.kill_process("crew/c")
    orc.await_generation("crew/c", 2)
    before = orc.agents()
    for _ in range(2):
        orc.kill_supervisor()
        for address in before:
            assert identity(orc.await_adoption(address)) == identity(before[address])
    assert all(alive(view.pid) for view in before.values())
    orc.await_state("alice", IDLE)
    assert orc.send("alice", "echo still here", Rung.SUBMITTED)[0].rung in (Rung.SUBMITTED, Rung.TAKEN_IN)
    orc.kill_process("crew/c")
    assert orc.await_generation("crew/c", 3).restarts == 2


def test_a_state_that_goes_on_is_as_old_as_it_was(orc: Orc) -> None:
    """Who looks in the morning sees since when an agent has been blocked, not since when the supervisor runs."""
    orc.spawn("alice", wait="ready")
    orc.spawn("b", *SLEEP)
    orc.await_state("alice", IDLE)
    before = orc.agents()
    for lose in (orc.kill_supervisor, orc.lose_tmux_client):
        lose()
        for address, view in before.items():
            orc.await_adoption(address)
            assert orc.await_state(address, view.state).state_since == view.state_since


def test_a_lost_connection_to_tmux_changes_no_process(orc: Orc) -> None:
    orc.spawn("alice", wait="ready")
    orc.spawn("b", *SLEEP)
    before = orc.agents()
    orc.lose_tmux_client()
    for address in before:
        assert identity(orc.await_adoption(address)) == identity(before[address])
    orc.kill_process("b")
    assert orc.await_generation("main/b", 2).pane == before["main/b"].pane


def test_a_killed_tmux_server_brings_the_agents_back_on_a_new_one(orc: Orc) -> None:
    """It is nobody's failure: no restart is counted as one of the agent's own, and what was stopped stays so."""
    orc.create_team("crew")
    runs = orc.spawn("runs", *SLEEP, team="crew")
    temporary = orc.spawn("temporary", *SLEEP, restart=Restart.TEMPORARY)
    orc.spawn("stopped", *SLEEP)
    orc.stop("stopped")
    seq = orc.seq
    orc.tmux.kill()
    assert gone(runs.pid)
    orc.await_event("agent.started", "crew/runs", seq)
    again = orc.info("runs")
    assert alive(again.pid)
    assert again.generation == 2
    assert orc.team("crew").team.session is not None
    assert orc.info("stopped").state is EXITED
    assert gone(temporary.pid)
    assert orc.info("temporary").pid is None
    assert orc.info("temporary").generation == 1
    assert orc.call(m.DAEMON_STATUS, m.Empty()).tmux_state == "connected"


def test_stopping_the_supervisor_leaves_agents_and_the_next_one_finds_them(orc: Orc) -> None:
    before = orc.spawn("alice", *SLEEP)
    tmux = orc.tmux
    pid = orc.supervisor.pid
    orc.supervisor.stop(agents=False)
    assert gone(pid)
    assert alive(before.pid)
    assert tmux.alive
    orc.mark = 0
    orc.supervisor.start()
    assert identity(orc.await_adoption("main/alice")) == identity(before)


def test_stopping_it_with_its_agents_ends_everything(orc: Orc) -> None:
    agents = [orc.spawn("alice", wait="ready"), orc.spawn("bob", *SLEEP)]
    tmux, pid = orc.tmux, orc.supervisor.pid
    server = tmux.pid
    orc.supervisor.stop()
    assert gone(pid)
    assert all(gone(agent.pid) for agent in agents)
    assert gone(server)
    assert not os.path.exists(orc.paths.socket)


def test_a_person_session_on_our_server_survives_the_end_of_everything(orc: Orc) -> None:
    orc.spawn("alice", *SLEEP)
    tmux = orc.tmux
    tmux.run("new-session", "-d", "-s", "mine", "sleep", "2000")
    orc.supervisor.stop()
    assert tmux.run("list-panes", "-a", "-f", "#{==:#{session_name},mine}", "-F", "#{pane_dead}") == "0"
    tmux.kill()


def test_sigterm_leaves_agents_too(orc: Orc) -> None:
    alice = orc.spawn("alice", *SLEEP)
    pid = orc.supervisor.pid
    os.kill(pid, signal.SIGTERM)
    assert gone(pid)
    assert alive(alice.pid)
    orc.supervisor.start()
    assert orc.info("alice").pid == alice.pid


def test_two_instances_do_not_touch_each_other(orc: Orc, cli: Cli, tmux_binary: str) -> None:
    """The same address in both: neither its process, its messages nor its end concern the other."""
    second = Orc(Other(cli, "second"), tmux_binary, "second")
    second.supervisor.start()
    try:
        mine, theirs = orc.spawn("alice", wait="ready"), second.spawn("alice", wait="ready")
        assert orc.tmux.socket_path != second.tmux.socket_path
        orc.send("alice", "echo only for the first", Rung.SUBMITTED)
        assert second.call(m.MESSAGE_LIST, m.ListMessages()).messages == ()
        assert "only for the first" not in second.screen("alice")
        orc.stop("alice")
        assert not alive(mine.pid)
        orc.supervisor.stop()
        assert alive(theirs.pid)
        assert second.info("alice").pid == theirs.pid
    finally:
        second.supervisor.stop()


class Other(Supervisor):
    """The supervisor of another instance."""

    def __init__(self, cli: Cli, instance: str) -> None:
        super().__init__(lambda *args, **options: cli("-L", instance, *args, **options))  # type: ignore[arg-type]
        self.named = cli
        self.instance = instance

    def status(self) -> dict[str, object]:
        status: dict[str, object] = self.named.json("-L", self.instance, "daemon", "status")
        return status


def test_doctor_finds_the_panes_that_a_lost_journal_left_behind(orc: Orc, cli: Cli) -> None:
    """With the commands that make an agent of one again, or end it; a known agent's pane is none of them."""
    alice = orc.spawn("alice", *SLEEP)
    assert tmux_server_of(cli)["status"] == "ok"
    orc.supervisor.kill()
    assert tmux_server_of(cli)["status"] == "ok", "the journal knows them, and nobody asks it"
    for file in Path(orc.paths.state_dir).glob("journal.db*"):
        file.unlink()
    lost = tmux_server_of(cli)
    assert (lost["status"], f"{alice.pane} (was main/alice)" in lost["detail"]) == ("note", True)
    orc.supervisor.start()
    bob = orc.spawn("bob", *SLEEP)
    still = tmux_server_of(cli)
    assert str(alice.pane) in still["detail"]
    assert f"{bob.pane} " not in still["detail"]
    adopt = still["remedy"].partition(",")[0].split()
    assert cli(*adopt[1:]).status == 0
    assert orc.info("alice").pid == alice.pid
    assert tmux_server_of(cli)["status"] == "ok"


def tmux_server_of(cli: Cli) -> dict[str, str]:
    """What doctor says about the tmux server."""
    checks: list[dict[str, str]] = cli("doctor", "--json").json["checks"]
    return next(check for check in checks if check["name"] == "tmux server")
