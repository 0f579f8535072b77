from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from tmuxorc.errors import NotFoundError
from tmuxorc.journal import JournalNewerError, open_journal
from tmuxorc.model import AgentSpec, AutoShutdown, Desired, LastExit, Restart, Strategy, TeamSpec

NOON = datetime(2026, 1, 2, 12, tzinfo=UTC)
EXIT = LastExit(reason="failed", at=NOON, status=3, message="it broke", last_lines=("$ ", "é\udcff"))


def ticking() -> Iterator[datetime]:
    moment = NOON
    while True:
        yield moment
        moment += timedelta(seconds=1)


async def test_a_new_journal_is_empty(path: str):
    async with open_journal(path) as journal:
        snapshot = await journal.load()
    assert (snapshot.teams, snapshot.agents, snapshot.messages, snapshot.last_seq) == ((), (), (), 0)


async def test_teams_and_agents_come_back_as_they_were_put(path: str):
    team = TeamSpec(
        name="main", strategy=Strategy.REST_FOR_ONE, intensity=3, period_s=1.5, auto_shutdown=AutoShutdown.NEVER
    )
    spec = AgentSpec(
        name="alice",
        kind="demo",
        command=("x", "two words", "\udcfe"),
        cwd="/tmp/\udcff",
        env={"A": "b\n"},
        brief="🙂",
        restart=Restart.PERMANENT,
    )
    async with open_journal(path) as journal:
        put_team = await journal.put_team(team)
        put_agent = await journal.put_agent(spec, Desired.STOPPED)
    async with open_journal(path) as journal:
        snapshot = await journal.load()
    assert snapshot.teams == (put_team,)
    assert snapshot.agents == (put_agent,)
    assert put_team.spec == team
    assert (put_agent.spec, put_agent.desired, put_agent.pane, put_agent.pid) == (spec, Desired.STOPPED, None, None)
    assert (put_agent.generation, put_agent.restarts, put_agent.last_exit) == (0, 0, None)


async def test_putting_again_changes_what_is_wanted_and_nothing_else(path: str):
    clock = ticking()
    async with open_journal(path, now=lambda: next(clock)) as journal:
        team = await journal.put_team(TeamSpec(name="main"))
        agent = await journal.put_agent(AgentSpec(name="alice"))
        await journal.record_run("main/alice", pane="%1", pid=2, generation=3, restarts=4, last_exit=EXIT)
        again_team = await journal.put_team(TeamSpec(name="main", intensity=1), Desired.STOPPED)
        again_agent = await journal.put_agent(AgentSpec(name="alice", kind="shell"))
        snapshot = await journal.load()
    assert (again_team.created_at, again_agent.created_at) == (team.created_at, agent.created_at)
    assert (again_team.spec.intensity, again_team.desired) == (1, Desired.STOPPED)
    assert (again_agent.spec.kind, again_agent.pane, again_agent.pid) == ("shell", "%1", 2)
    assert (again_agent.generation, again_agent.restarts, again_agent.last_exit) == (3, 4, EXIT)
    assert (snapshot.teams, snapshot.agents) == ((again_team,), (again_agent,))


async def test_a_run_is_recorded_without_touching_what_is_wanted(path: str):
    async with open_journal(path) as journal:
        put = await journal.put_agent(AgentSpec(name="alice", kind="demo"), Desired.STOPPED)
        await journal.record_run("main/alice", pane="%9", pid=5, generation=7, restarts=6, last_exit=EXIT)
        (agent,) = (await journal.load()).agents
    assert (agent.spec, agent.desired, agent.created_at) == (put.spec, put.desired, put.created_at)
    assert (agent.pane, agent.pid, agent.generation, agent.restarts, agent.last_exit) == ("%9", 5, 7, 6, EXIT)


async def test_desired_is_set_for_agents_and_teams_all_or_none(path: str):
    async with open_journal(path) as journal:
        await journal.put_team(TeamSpec(name="main"))
        await journal.put_agent(AgentSpec(name="alice"))
        await journal.put_agent(AgentSpec(name="bob"))
        await journal.set_desired(("main", "main/alice"), Desired.STOPPED)
        with pytest.raises(NotFoundError, match="no agent 'main/carol'"):
            await journal.set_desired(("main/bob", "main/carol"), Desired.STOPPED)
        with pytest.raises(NotFoundError, match="no team 'other'"):
            await journal.set_desired(("other",), Desired.STOPPED)
        snapshot = await journal.load()
    assert [team.desired for team in snapshot.teams] == [Desired.STOPPED]
    assert [agent.desired for agent in snapshot.agents] == [Desired.STOPPED, Desired.RUNNING]


async def test_removing_a_team_removes_its_agents_and_no_others(path: str):
    async with open_journal(path) as journal:
        for team in ("main", "main-2"):
            await journal.put_team(TeamSpec(name=team))
            await journal.put_agent(AgentSpec(name="alice", team=team))
        await journal.remove_team("main")
        snapshot = await journal.load()
    assert [team.spec.name for team in snapshot.teams] == ["main-2"]
    assert [agent.spec.address for agent in snapshot.agents] == ["main-2/alice"]


async def test_an_agent_can_be_removed_and_made_anew(path: str):
    clock = ticking()
    async with open_journal(path, now=lambda: next(clock)) as journal:
        first = await journal.put_agent(AgentSpec(name="alice"))
        await journal.record_run("main/alice", pane="%1", pid=2, generation=3, restarts=2, last_exit=None)
        await journal.remove_agent("main/alice")
        second = await journal.put_agent(AgentSpec(name="alice"))
    assert second.generation == 0
    assert second.created_at > first.created_at


async def test_what_is_not_there_cannot_be_changed_or_removed(path: str):
    async with open_journal(path) as journal:
        for attempt in (
            journal.remove_agent("main/alice"),
            journal.remove_team("main"),
            journal.record_run("main/alice", pane=None, pid=None, generation=1, restarts=0, last_exit=None),
        ):
            with pytest.raises(NotFoundError):
                await attempt


async def test_a_teams_agents_are_listed_in_the_order_they_were_made(path: str):
    """It is the order in which they start, and `rest_for_one` restarts those made later (S4, S8)."""
    async with open_journal(path, now=ticking().__next__) as journal:
        for team, name in (("b", "a"), ("a", "c"), ("a", "B"), ("a", "b")):
            await journal.put_agent(AgentSpec(name=name, team=team))
        await journal.put_agent(AgentSpec(name="c", team="a", role="changed"))
        agents = (await journal.load()).agents
    assert [agent.spec.address for agent in agents] == ["a/c", "a/B", "a/b", "b/a"]


async def test_a_spec_with_a_field_of_the_future_is_refused_not_cut(path: str):
    async with open_journal(path) as journal:
        await journal.put_agent(AgentSpec(name="alice"))
        update = "UPDATE agent SET spec = json_set(spec, '$.colour', 'red')"
        await journal._worker.do(lambda db: db.execute(update))
        with pytest.raises(JournalNewerError, match="unknown field `colour`"):
            await journal.load()
