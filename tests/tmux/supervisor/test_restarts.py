"""Who comes back after an exit, how soon, and with whom (S2, S7–S10, S12)."""

import signal
import threading

import pytest

from tests.support import Home
from tests.tmux.supervisor._orc import EXITED, FAILED, SLEEP, Orc, alive, gone
from tmuxorc.model import AutoShutdown, Desired, Restart, Strategy
from tmuxorc.wire import methods as m


def test_a_crash_brings_a_new_process_into_the_same_pane(orc: Orc) -> None:
    first = orc.spawn("alice", *SLEEP)
    orc.kill_process("alice")
    second = orc.await_generation("main/alice", 2)
    assert (second.pane, second.window, second.restarts) == (first.pane, first.window, 1)
    assert second.pid != first.pid
    assert alive(second.pid)
    assert second.last_exit is not None
    assert (second.last_exit.reason, second.last_exit.signal) == ("failed", "SIGKILL")
    exited = [event for event in orc.events(subject="main/alice") if event.type == "agent.exited"]
    assert [event.generation for event in exited] == [1]


def test_the_last_lines_and_the_status_of_a_crash_are_kept(orc: Orc) -> None:
    orc.spawn("loud", "sh", "-c", "echo out of cheese; exit 7", restart=Restart.TEMPORARY)
    ended = orc.await_state("loud", FAILED)
    assert ended.last_exit is not None
    assert (ended.last_exit.status, ended.last_exit.last_lines) == (7, ("out of cheese",))
    assert ended.detail == "exited with status 7"
    assert "out of cheese" in orc.screen("loud"), "the dead pane still shows what it showed"


def test_restart_policies(orc: Orc) -> None:
    """S2: every policy against a good and a bad end."""
    ends = {"good": "exit 0", "bad": "exit 3"}
    for policy in Restart:
        for end, script in ends.items():
            orc.spawn(f"{policy.value}-{end}", "sh", "-c", f"read x; {script}", restart=policy)
    for name in orc.agents():
        orc.keys(name, "Enter")
    for back in ("permanent-good", "permanent-bad", "transient-bad"):
        assert alive(orc.await_generation(f"main/{back}", 2).pid)
    for ended, state in (("transient-good", EXITED), ("temporary-good", EXITED), ("temporary-bad", FAILED)):
        view = orc.await_state(ended, state)
        assert (view.generation, view.pid, view.restart_at) == (1, None, None)
        orc.await_event("agent.exited", f"main/{ended}")
        assert orc.start(ended).generation == 2, "a person may start it again"


@pytest.mark.parametrize("how", ["supervisor killed", "team reloaded", "tmux client killed"])
def test_what_ended_for_good_is_not_run_again_by_a_new_supervisor(orc: Orc, home: Home, how: str) -> None:
    """S2 holds through the supervisor's own death, a change of policy and a lost connection."""
    runs = home.root / "runs"
    for name, policy in (("once", Restart.TRANSIENT), ("never", Restart.TEMPORARY)):
        orc.spawn(name, "sh", "-c", f"echo {name} >> {runs}", restart=policy)
        orc.await_state(name, EXITED)
    orc.spawn("crashed", "sh", "-c", f"echo crashed >> {runs}; exit 1", restart=Restart.TEMPORARY)
    orc.await_state("crashed", FAILED)
    alice = orc.spawn("alice", *SLEEP)
    if how == "supervisor killed":
        orc.kill_supervisor()
    elif how == "team reloaded":
        spec = m.TeamSpec(name="main", strategy=Strategy.ONE_FOR_ALL)
        specs = [orc.spec(view.name, *view.command, restart=view.restart) for view in orc.agents().values()]
        assert orc.apply(spec, *specs)[0] == "update main"
    else:
        orc.lose_tmux_client()
    adopted = orc.await_adoption("main/alice")
    assert (adopted.pid, adopted.generation) == (alice.pid, 1)
    for name, state in (("once", EXITED), ("never", EXITED), ("crashed", FAILED)):
        view = orc.info(name)
        assert (view.state, view.generation, view.pid) == (state, 1, None)
        assert view.last_exit is not None
        assert view.last_exit.reason == ("failed" if name == "crashed" else "finished")
    assert sorted(runs.read_text().split()) == ["crashed", "never", "once"]
    assert orc.start("once").generation == 2


def test_an_exit_while_no_supervisor_runs_counts_as_an_exit(orc: Orc, home: Home) -> None:
    """What ended well stays down, what crashed comes back, both with their exit known."""
    script = "read x; exit "
    orc.spawn("good", "sh", "-c", script + "0")
    orc.spawn("bad", "sh", "-c", script + "5")
    panes = {name: orc.info(name).pane or "" for name in ("good", "bad")}
    pids = [view.pid for view in orc.agents().values()]
    tmux = orc.tmux
    orc.supervisor.kill()
    for pane in panes.values():
        tmux.run("send-keys", "-t", pane, "Enter")
    assert all(gone(pid) for pid in pids)
    orc.supervisor.start()
    bad = orc.await_generation("main/bad", 2)
    assert bad.pane == panes["bad"]
    assert bad.last_exit is not None
    assert bad.last_exit.status == 5
    good = orc.await_state("good", EXITED)
    assert (good.generation, good.desired) == (1, Desired.RUNNING)
    assert good.last_exit is not None
    assert good.last_exit.reason == "finished"


def test_what_keeps_failing_backs_off_and_can_be_started_by_hand(orc: Orc) -> None:
    """S10: the first restart at once, the second later and announced; a person overtakes the delay."""
    orc.spawn("crash", "sh", "-c", "read x; exit 1")
    orc.keys("crash", "Enter")
    orc.await_generation("main/crash", 2)
    seq = orc.seq
    orc.keys("crash", "Enter")
    planned = orc.await_event("agent.restart_scheduled", "main/crash", seq)
    assert 1.0 <= planned.data["delay_s"] <= 1.1
    waiting = orc.info("crash")
    assert waiting.state is FAILED
    assert waiting.restart_at is not None
    third = orc.start("crash")
    assert (third.generation, third.restart_at) == (3, None)
    orc.keys("crash", "Enter")
    again = orc.await_event("agent.restart_scheduled", "main/crash", planned.seq)
    assert again.data["delay_s"] == 0, "a person's start begins a new streak"


def test_what_never_stops_failing_is_quarantined_until_a_person_starts_it(orc: Orc) -> None:
    """S10: five restarts, at once and then after 1, 2, 4 and 8 seconds; then none."""
    orc.spawn("broken", "sh", "-c", "exit 1")
    orc.spawn("sound", *SLEEP)
    orc.await_event("agent.quarantined", "main/broken", timeout_s=30)
    plans = [event for event in orc.events(subject="main/broken") if event.type == "agent.restart_scheduled"]
    assert [int(plan.data["delay_s"]) for plan in plans] == [0, 1, 2, 4, 8]
    view = orc.info("broken")
    assert (view.state, view.generation, view.restarts, view.restart_at) == (FAILED, 6, 5, None)
    assert "agent start main/broken" in view.detail
    attention = orc.call(m.SYSTEM_STATUS, m.Empty()).attention
    assert [each.address for each in attention] == ["main/broken"]
    orc.lose_tmux_client()
    orc.await_adoption("main/sound")
    assert orc.info("broken").generation == 6, "a new connection to tmux does not lift the quarantine"
    seq = orc.seq
    assert orc.start("broken").generation == 7
    again = orc.await_event("agent.restart_scheduled", "main/broken", seq)
    assert again.data["delay_s"] == 0


def test_a_stop_overtakes_a_restart_that_waits(orc: Orc) -> None:
    orc.spawn("crash", "sh", "-c", "exit 1")
    orc.await_event("agent.restart_scheduled", "main/crash", where=lambda event: event.data["delay_s"] >= 1)
    stopped = orc.stop("crash")
    assert (stopped.state, stopped.restart_at, stopped.desired) == (EXITED, None, Desired.STOPPED)


def test_what_an_operator_stopped_stays_stopped(orc: Orc) -> None:
    """S7: through a restart of the whole group, of the team, and of the supervisor."""
    orc.create_team("crew", strategy=Strategy.ONE_FOR_ALL)
    orc.spawn("a", *SLEEP, team="crew")
    orc.spawn("b", *SLEEP, team="crew")
    orc.spawn("c", *SLEEP, team="crew")
    orc.stop("b")
    orc.kill_process("c")
    orc.await_generation("crew/a", 2)
    orc.await_generation("crew/c", 2)
    assert orc.info("b").state is EXITED
    orc.call(m.TEAM_STOP, m.TeamName(team="crew"))
    orc.call(m.TEAM_START, m.TeamName(team="crew"))
    orc.await_generation("crew/c", 3)
    assert (orc.info("b").state, orc.info("b").desired) == (EXITED, Desired.STOPPED)
    orc.kill_supervisor()
    orc.await_adoption("crew/c")
    view = orc.info("b")
    assert (view.state, view.desired, view.generation) == (EXITED, Desired.STOPPED, 1)


@pytest.mark.parametrize(
    ("strategy", "again"),
    [
        (Strategy.ONE_FOR_ONE, ("b",)),
        (Strategy.REST_FOR_ONE, ("b", "c", "d")),
        (Strategy.ONE_FOR_ALL, ("a", "b", "c", "d")),
    ],
)
def test_siblings_restart_by_strategy_and_in_order(orc: Orc, strategy: Strategy, again: tuple[str, ...]) -> None:
    """S8: stops run in reverse order, starts in order, and those not meant keep their processes."""
    orc.create_team("crew", strategy=strategy)
    before = {name: orc.spawn(name, *SLEEP, team="crew") for name in "abcd"}
    seq = orc.kill_process("b")
    for name in again:
        orc.await_event("agent.started", f"crew/{name}", seq)
    events = [event for event in orc.events(since=seq) if event.type in ("agent.exited", "agent.started")]
    stops = [event.subject[-1] for event in events if event.type == "agent.exited"]
    starts = [event.subject[-1] for event in events if event.type == "agent.started"]
    assert stops == ["b", *reversed([name for name in again if name != "b"])]
    assert starts == list(again)
    for name, was in before.items():
        now = orc.info(name)
        assert (now.pid != was.pid) is (name in again)
        assert now.pane == was.pane
        assert alive(now.pid)
        assert not (name in again and alive(was.pid))


def test_a_team_folds_up_when_its_lead_finishes(orc: Orc) -> None:
    """S12, and the team stays folded when the supervisor is killed; a person may start it again."""
    orc.create_team("crew", auto_shutdown=AutoShutdown.ANY_SIGNIFICANT)
    worker = orc.spawn("worker", *SLEEP, team="crew")
    orc.spawn("lead", "sh", "-c", "read x", team="crew", significant=True)
    orc.keys("lead", "Enter")
    orc.await_event("team.exited", "crew")
    orc.await_state("worker", EXITED)
    assert not alive(worker.pid)
    orc.kill_supervisor()
    assert [view.state for view in orc.agents().values()] == [EXITED, EXITED]
    assert orc.team("crew").team.desired is Desired.STOPPED
    assert len(orc.call(m.TEAM_START, m.TeamName(team="crew")).agents) == 2
    assert alive(orc.await_generation("crew/lead", 2).pid)
    assert alive(orc.await_generation("crew/worker", 2).pid)


def test_all_significant_agents_must_finish(orc: Orc) -> None:
    orc.create_team("crew", auto_shutdown=AutoShutdown.ALL_SIGNIFICANT)
    for name in ("one", "two"):
        orc.spawn(name, "sh", "-c", "read x", team="crew", significant=True)
    worker = orc.spawn("worker", *SLEEP, team="crew")
    orc.keys("one", "Enter")
    orc.await_state("one", EXITED)
    assert alive(worker.pid)
    orc.keys("two", "Enter")
    orc.await_event("team.exited", "crew")
    assert not alive(worker.pid)


def test_a_team_that_gives_up_comes_back_and_can_be_stopped_meanwhile(orc: Orc) -> None:
    """S9: too many restarts end the team; it is tried again, and a person's word reaches it all the same."""
    orc.create_team("crew", intensity=0, period_s=60)
    sibling = orc.spawn("calm", *SLEEP, team="crew")
    orc.spawn("wild", "sh", "-c", "read x; exit 1", team="crew")
    seq = orc.kill_process("wild", signal.SIGTERM)
    orc.await_event("team.gave_up", "crew", seq)
    orc.await_event("team.started", "crew", seq)
    again = orc.await_generation("crew/calm", 2)
    assert alive(again.pid)
    assert not alive(sibling.pid)
    orc.await_generation("crew/wild", 2)
    seq = orc.kill_process("wild", signal.SIGTERM)
    orc.await_event("team.exited", "crew", seq)
    assert orc.stop("calm").desired is Desired.STOPPED
    assert orc.remove("wild").changed
    orc.call(m.TEAM_STOP, m.TeamName(team="crew"))
    assert orc.call(m.TEAM_START, m.TeamName(team="crew")).agents[0].state is EXITED


def test_agents_start_in_the_order_they_were_made_also_under_a_new_supervisor(orc: Orc) -> None:
    """S4, S8: `rest_for_one` means those made later, whatever they are called."""
    orc.create_team("crew", strategy=Strategy.REST_FOR_ONE)
    for name in ("zoe", "adam"):
        orc.spawn(name, *SLEEP, team="crew")
    orc.kill_supervisor()
    orc.await_adoption("crew/adam")
    assert orc.team("crew").team.agents == ("crew/zoe", "crew/adam")
    seq = orc.kill_process("zoe")
    orc.await_event("agent.started", "crew/adam", seq)
    assert orc.info("adam").generation == 2


def test_a_stop_that_a_killed_supervisor_began_is_finished_by_the_next(orc: Orc) -> None:
    mule = orc.spawn("mule", "sh", "-c", 'trap "" TERM HUP INT; sleep 1000 & wait; wait', shutdown_s=1000)
    seq = orc.seq
    asking = threading.Thread(target=lambda: orc.all_at_once([lambda: orc.stop("mule", grace_s=1000)]))
    asking.start()
    orc.await_event("agent.desired", "main/mule", seq)
    orc.supervisor.kill()
    asking.join()
    assert alive(mule.pid)
    orc.supervisor.start()
    orc.call(m.AGENT_KILL, m.Target(target="mule"))
    assert gone(mule.pid)
    assert orc.info("mule").state is EXITED
