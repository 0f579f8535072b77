"""Teams: made, applied from a plan, stopped, started and removed with their agents."""

import pytest

from tests.support import Home
from tests.tmux.supervisor._orc import EXITED, FAILED, SLEEP, Orc, alive, gone
from tmuxorc.errors import RemoteError
from tmuxorc.model import AgentSpec, Desired, Restart, Strategy, TeamSpec
from tmuxorc.wire import methods as m


def test_a_team_stops_in_reverse_order_and_starts_in_order(orc: Orc) -> None:
    orc.create_team("crew")
    agents = [orc.spawn(name, *SLEEP, team="crew") for name in "abc"]
    seq = orc.seq
    stopped = orc.call(m.TEAM_STOP, m.TeamName(team="crew"))
    assert stopped.team.desired is Desired.STOPPED
    assert [view.state for view in stopped.agents] == [EXITED] * 3
    assert not any(alive(agent.pid) for agent in agents)
    with pytest.raises(RemoteError) as refused:
        orc.start("a")
    assert refused.value.code == "team_stopped"
    with pytest.raises(RemoteError):
        orc.spawn("d", *SLEEP, team="crew")
    started = orc.call(m.TEAM_START, m.TeamName(team="crew"))
    assert all(alive(view.pid) for view in started.agents)
    assert [view.pane for view in started.agents] == [agent.pane for agent in agents]
    order = [(e.type, e.subject[-1]) for e in orc.events(since=seq) if e.type in ("agent.exited", "agent.started")]
    assert order == [
        *(("agent.exited", name) for name in "cba"),
        *(("agent.started", name) for name in "abc"),
    ]


def test_a_stopped_team_stays_stopped_when_the_supervisor_is_killed(orc: Orc) -> None:
    orc.create_team("crew")
    orc.spawn("a", *SLEEP, team="crew")
    orc.call(m.TEAM_STOP, m.TeamName(team="crew"))
    orc.kill_supervisor()
    assert orc.team("crew").team.desired is Desired.STOPPED
    assert orc.info("a").pid is None
    assert orc.remove("a").changed
    assert orc.team("crew").agents == ()


def test_a_removed_team_is_gone_with_its_agents_and_its_session(orc: Orc) -> None:
    orc.create_team("crew")
    agents = [orc.spawn(name, *SLEEP, team="crew") for name in "ab"]
    session = orc.team("crew").team.session
    orc.call(m.TEAM_REMOVE, m.TeamName(team="crew"))
    assert all(gone(agent.pid) for agent in agents)
    assert orc.agents() == {}
    assert session not in orc.tmux.run("list-sessions", "-F", "#{session_id}").split()
    with pytest.raises(RemoteError) as unknown:
        orc.team("crew")
    assert unknown.value.code == "not_found"
    orc.kill_supervisor()
    assert orc.call(m.TEAM_LIST, m.Empty()).teams == ()
    orc.create_team("crew")
    assert orc.team("crew").agents == ()


def test_a_team_has_one_name_and_a_sound_policy(orc: Orc) -> None:
    orc.create_team("crew")
    for spec, code in (
        (TeamSpec(name="crew"), "name_taken"),
        (TeamSpec(name="a/b"), "bad_name"),
        (TeamSpec(name="x", intensity=-1), "usage"),
        (TeamSpec(name="x", period_s=0), "usage"),
    ):
        with pytest.raises(RemoteError) as refused:
            orc.call(m.TEAM_CREATE, m.CreateTeam(spec=spec))
        assert refused.value.code == code
    assert [team.name for team in orc.call(m.TEAM_LIST, m.Empty()).teams] == ["crew"]


def test_apply_touches_only_what_differs(orc: Orc) -> None:
    policy = TeamSpec(name="crew", strategy=Strategy.ONE_FOR_ALL)

    def agents(**changed: AgentSpec) -> list[AgentSpec]:
        plain = {name: orc.spec(name, *SLEEP, team="crew") for name in "abc"}
        return list({**plain, **changed}.values())

    dry = orc.apply(policy, *agents(), dry_run=True)
    assert dry == ["create crew", "create crew/a", "create crew/b", "create crew/c"]
    assert orc.call(m.TEAM_LIST, m.Empty()).teams == (), "a dry run does nothing"
    assert orc.apply(policy, *agents()) == dry
    first = orc.agents()
    assert all(alive(view.pid) for view in first.values())

    assert orc.apply(policy, *agents()) == ["keep crew", "keep crew/a", "keep crew/b", "keep crew/c"]
    assert pids(orc) == {address: view.pid for address, view in first.items()}

    lenient = TeamSpec(name="crew", strategy=Strategy.ONE_FOR_ONE)
    assert orc.apply(lenient, *agents())[0] == "update crew"
    assert orc.team("crew").team.strategy is Strategy.ONE_FOR_ONE
    assert pids(orc) == {address: view.pid for address, view in first.items()}, "a policy is no process"

    other = orc.spec("b", "sleep", "2000", team="crew")
    assert orc.apply(lenient, *agents(b=other)) == ["keep crew", "keep crew/a", "restart crew/b", "keep crew/c"]
    second = orc.agents()
    assert [address for address in first if first[address].pid != second[address].pid] == ["crew/b"]
    assert (second["crew/b"].command, second["crew/b"].pane) == (("sleep", "2000"), first["crew/b"].pane)
    assert not alive(first["crew/b"].pid)

    calm = orc.spec("a", *SLEEP, team="crew", restart=Restart.PERMANENT, role="keeper")
    assert orc.apply(lenient, *agents(a=calm, b=other))[1] == "update crew/a"
    assert orc.info("a").pid == first["crew/a"].pid
    assert (orc.info("a").restart, orc.info("a").role) == (Restart.PERMANENT, "keeper")

    seq = orc.seq
    assert orc.apply(lenient, calm) == ["keep crew", "remove crew/c", "remove crew/b", "keep crew/a"]
    assert list(orc.agents()) == ["crew/a"]
    assert orc.info("a").pid == first["crew/a"].pid
    assert [e.subject for e in orc.events(since=seq) if e.type == "agent.removed"] == ["crew/c", "crew/b"]


def pids(orc: Orc) -> dict[str, int | None]:
    return {address: view.pid for address, view in orc.agents().items()}


def test_a_plan_with_an_agent_that_cannot_be_changes_nothing(orc: Orc) -> None:
    team = TeamSpec(name="crew")
    good = orc.spec("good", *SLEEP, team="crew")
    orc.apply(team, good)
    before = orc.info("good")
    for bad in (
        orc.spec("bad", "no-such-program", team="crew"),
        orc.spec("bad", *SLEEP, team="crew", cwd="/nowhere"),
        orc.spec("good", "sleep", "5", team="crew", restart=Restart.PERMANENT, significant=True),
        orc.spec("bad", *SLEEP, team="other"),
    ):
        with pytest.raises(RemoteError):
            orc.apply(team, *([] if bad.name == "good" else [good]), bad)
        assert orc.agents() == {"crew/good": before}


def test_a_program_that_went_missing_fails_its_agent_and_not_its_team(orc: Orc, home: Home) -> None:
    """Tried again, more and more slowly; its siblings run."""
    program = home.root / "tool"
    program.symlink_to("/bin/sleep")
    orc.create_team("crew")
    orc.spawn("broken", str(program), "1000", team="crew")
    sibling = orc.spawn("sound", *SLEEP, team="crew")
    program.unlink()
    seq = orc.kill_process("broken")
    orc.await_event("agent.start_failed", "crew/broken", seq)
    failed = orc.await_state("broken", FAILED)
    assert str(program) in failed.detail
    orc.kill_supervisor()
    assert orc.await_adoption("crew/sound").pid == sibling.pid
    program.symlink_to("/bin/sleep")
    assert alive(orc.start("broken").pid)
