"""The roster: every event folds to what people are shown, and nothing else does."""

from datetime import timedelta

import msgspec
import pytest

from tests.unit.domain._roster import NOON, Story, one_agent
from tmuxorc.actors.roster import Roster, count_states
from tmuxorc.errors import ConflictError, NotFoundError
from tmuxorc.journal import AgentRecord, EventDraft, TeamRecord
from tmuxorc.model import AgentSpec, AgentState, AgentView, Desired, LastExit, Restart, Strategy, TeamSpec


def view(story: Story, address: str = "main/a") -> AgentView:
    return story.roster.agent_view(story.roster.agent(address))


def test_a_defined_agent_is_starting_and_keeps_its_date_when_it_is_defined_anew() -> None:
    story = Story()
    story.team("main")
    made = story.agent("main/a", role="writer")
    assert (view(story).state, view(story).created_at, view(story).role) == (AgentState.STARTING, made, "writer")
    story.start("main/a")
    story.agent("main/a", role="reader")
    assert (view(story).created_at, view(story).role, view(story).pid) == (made, "reader", 101)


def test_the_journals_date_of_creation_counts() -> None:
    story = Story()
    before = NOON - timedelta(days=1)
    spec = msgspec.to_builtins(AgentSpec(name="a"))
    story.tell("team.defined", "main", spec={"name": "main"}, created_at=before)
    story.tell("agent.defined", "main/a", spec=spec, created_at=before)
    assert view(story).created_at == before
    assert story.roster.team_view("main").created_at == before


def test_a_start_tells_pane_and_process_and_only_a_new_process_is_a_restart() -> None:
    story = one_agent()
    first = view(story)
    assert (first.pane, first.window, first.pid, first.generation, first.restarts) == ("%7", "@7", 101, 1, 0)
    story.exit("main/a", "failed")
    story.start("main/a", 2)
    assert (view(story).generation, view(story).restarts, view(story).pid) == (2, 1, 102)
    story.start("main/a", 2, adopted=True)
    assert (view(story).generation, view(story).restarts, view(story).adopted) == (2, 1, True)


def test_a_state_has_its_detail_and_is_dated_by_its_first_event() -> None:
    story = one_agent()
    since = story.tell("agent.state", "main/a", state="blocked", detail="rm -rf build")
    story.tell("agent.state", "main/a", state="blocked", detail="rm -rf dist")
    now = view(story)
    assert (now.state, now.state_since, now.detail) == (AgentState.BLOCKED, since, "rm -rf dist")
    assert [each.detail for each in story.roster.attention()] == ["rm -rf dist"]
    story.tell("agent.state", "main/a", state="idle")
    assert (view(story).state, view(story).detail) == (AgentState.IDLE, "")
    assert story.roster.attention() == ()


@pytest.mark.parametrize(
    ("reason", "state"),
    [
        ("finished", AgentState.EXITED),
        ("stopped", AgentState.EXITED),
        ("failed", AgentState.FAILED),
        ("killed", AgentState.FAILED),
    ],
)
def test_an_exit_is_kept_and_says_failed_only_if_it_was_none_that_was_wanted(reason: str, state: AgentState) -> None:
    story = one_agent()
    at = story.exit("main/a", reason, "how it went", status=3, signal=None, last_lines=["bye"])
    now = view(story)
    assert (now.state, now.pid, now.detail, now.pane) == (state, None, "how it went", "%7")
    assert now.last_exit == LastExit(
        reason=reason, at=at, status=3, signal=None, message="how it went", last_lines=("bye",)
    )


def test_a_failure_of_what_was_to_stop_is_no_failure() -> None:
    story = one_agent()
    story.tell("agent.desired", "main/a", desired="stopped")
    story.exit("main/a", "failed")
    assert (view(story).state, view(story).desired) == (AgentState.EXITED, Desired.STOPPED)


def test_a_closed_pane_is_forgotten_and_a_found_one_is_known() -> None:
    story = one_agent()
    story.tell("agent.pane_closed", "main/a")
    assert (view(story).pane, view(story).window) == (None, None)
    story.tell("agent.pane_found", "main/a", pane="%9", window="@9")
    assert (view(story).pane, view(story).window) == ("%9", "@9")


def test_a_failed_start_a_planned_restart_and_a_quarantine() -> None:
    story = one_agent()
    story.exit("main/a", "failed")
    story.tell("agent.start_failed", "main/a", error="there is no program 'x' in PATH")
    assert (view(story).state, view(story).detail) == (AgentState.FAILED, "there is no program 'x' in PATH")
    assert len(story.roster.attention()) == 1
    at = story.tell("agent.restart_scheduled", "main/a", delay_s=4.0)
    assert view(story).restart_at == at + timedelta(seconds=4)
    assert story.roster.attention() == (), "what comes back by itself needs nobody"
    story.tell("agent.quarantined", "main/a", reason="it ended 6 times in a row")
    quarantined = view(story)
    assert quarantined.restart_at is None
    assert quarantined.detail == "quarantined: it ended 6 times in a row; start it again with: agent start main/a"
    assert len(story.roster.attention()) == 1
    assert story.roster.agent("main/a").over
    story.start("main/a", 2)
    assert not story.roster.agent("main/a").over


def test_a_stopped_agent_has_no_process_and_no_plan() -> None:
    story = one_agent()
    story.tell("agent.restart_scheduled", "main/a", delay_s=1.0)
    story.tell("agent.stopped", "main/a", detail="its team is stopped")
    now = view(story)
    assert (now.state, now.pid, now.restart_at, now.detail) == (AgentState.EXITED, None, None, "its team is stopped")


@pytest.mark.parametrize(
    ("restart", "reason", "over"),
    [
        (Restart.PERMANENT, "finished", False),
        (Restart.PERMANENT, "failed", False),
        (Restart.TRANSIENT, "finished", True),
        (Restart.TRANSIENT, "failed", False),
        (Restart.TRANSIENT, "stopped", False),
        (Restart.TEMPORARY, "finished", True),
        (Restart.TEMPORARY, "failed", True),
        (Restart.TEMPORARY, "stopped", True),
    ],
)
def test_what_has_ended_for_good_is_known(restart: Restart, reason: str, over: bool) -> None:
    """S2, alike for an exit that was seen and for one that the journal remembers."""
    story = one_agent(restart=restart)
    at = story.exit("main/a", reason)
    assert story.roster.agent("main/a").over is over
    last = LastExit(reason=reason, at=at, message="it ended")
    record = AgentRecord(
        spec=AgentSpec(name="a", restart=restart), desired=Desired.RUNNING, created_at=NOON, last_exit=last
    )
    restored = Roster()
    restored.restore([TeamRecord(spec=TeamSpec(name="main"), desired=Desired.RUNNING, created_at=NOON)], [record])
    assert restored.agent("main/a").over is over
    assert (restored.agent("main/a").state is AgentState.STARTING) is not over


def test_a_temporary_agent_that_stopped_with_its_team_comes_back_with_it() -> None:
    story = one_agent(restart=Restart.TEMPORARY)
    story.tell("team.desired", "main", desired="stopped")
    story.exit("main/a", "stopped")
    assert not story.roster.agent("main/a").over


def test_a_team_that_is_started_runs_all_of_its_agents_again() -> None:
    story = one_agent()
    story.exit("main/a", "finished")
    story.tell("team.desired", "main", desired="running")
    assert story.roster.agent("main/a").over, "it was running, so nothing is started"
    story.tell("team.desired", "main", desired="stopped")
    assert view(story).desired is Desired.STOPPED
    story.tell("team.desired", "main", desired="running")
    assert not story.roster.agent("main/a").over
    assert view(story).desired is Desired.RUNNING


def test_a_team_and_its_agents() -> None:
    story = Story()
    made = story.team("crew", strategy=Strategy.ONE_FOR_ALL)
    for name in ("z", "a"):
        story.agent(f"crew/{name}")
        story.start(f"crew/{name}")
    story.tell("agent.state", "crew/z", state="idle")
    story.tell("team.session", "crew", session="$3")
    team = story.roster.team_view("crew")
    assert (team.agents, team.session, team.created_at) == (("crew/z", "crew/a"), "$3", made)
    assert team.states == {"starting": 1, "idle": 1}
    story.team("crew", strategy=Strategy.REST_FOR_ONE)
    assert story.roster.team_view("crew").strategy is Strategy.REST_FOR_ONE
    assert story.roster.team_view("crew").created_at == made
    story.tell("team.started", "crew")
    assert story.roster.team("crew").up
    story.tell("team.exited", "crew")
    assert not story.roster.team("crew").up
    story.tell("agent.removed", "crew/z")
    assert story.roster.team_view("crew").agents == ("crew/a",)
    story.tell("agent.removed", "crew/a")
    story.tell("team.removed", "crew")
    assert (story.roster.teams, story.roster.agents) == ({}, {})


def test_messages_that_wait_are_counted_once_and_a_held_one_says_why() -> None:
    story = one_agent()
    advance = {"sender": "operator", "detail": ""}
    for rung in ("accepted", "staged", "accepted"):
        story.tell("message.advanced", "main/a", id="m-1", rung=rung, **advance)
    story.tell("message.advanced", "main/a", id="m-2", rung="held", sender="operator", detail="the agent is busy")
    assert (view(story).messages_waiting, view(story).detail) == (2, "message m-2 held: the agent is busy")
    story.tell("agent.state", "main/a", state="busy", detail="its own words")
    assert view(story).detail == "its own words"
    for id_, rung in (("m-1", "submitted"), ("m-2", "expired")):
        story.tell("message.advanced", "main/a", id=id_, rung=rung, **advance)
    assert view(story).messages_waiting == 0


def test_events_about_nobody_and_of_unknown_types_change_nothing() -> None:
    story = one_agent()
    before = view(story)
    for type_ in ("agent.desired", "agent.started", "agent.state", "agent.exited", "agent.stopped", "agent.removed"):
        story.tell(type_, "main/nobody", desired="stopped", state="idle", reason="failed")
    story.tell("message.advanced", "main/nobody", id="m-1", rung="accepted", detail="")
    story.tell("team.exited", "nobody")
    story.tell("part.started", "core/tmux")
    story.roster.apply(EventDraft(type="agent.later_invented", subject="main/a", at=NOON))
    assert view(story) == before


def test_what_the_journal_remembers_is_there_before_any_event() -> None:
    teams = [
        TeamRecord(spec=TeamSpec(name="main"), desired=Desired.RUNNING, created_at=NOON),
        TeamRecord(spec=TeamSpec(name="off"), desired=Desired.STOPPED, created_at=NOON),
    ]
    last = LastExit(reason="failed", at=NOON, message="it broke")
    agents = [
        AgentRecord(
            spec=AgentSpec(name="ran"), desired=Desired.RUNNING, created_at=NOON, pid=7, generation=4, restarts=3
        ),
        AgentRecord(spec=AgentSpec(name="broke"), desired=Desired.RUNNING, created_at=NOON, last_exit=last),
        AgentRecord(spec=AgentSpec(name="off"), desired=Desired.STOPPED, created_at=NOON, last_exit=last),
        AgentRecord(spec=AgentSpec(name="a", team="off"), desired=Desired.RUNNING, created_at=NOON),
    ]
    roster = Roster()
    roster.restore(teams, agents)
    ran = roster.agent("main/ran")
    assert (ran.ran, ran.pid, ran.generation, ran.restarts) == (True, None, 4, 3)
    assert roster.agent("main/broke").detail == "it broke"
    states = {address: row.state.value for address, row in roster.agents.items()}
    assert states == {"main/ran": "starting", "main/broke": "starting", "main/off": "exited", "off/a": "exited"}


def test_an_agent_is_found_by_address_or_by_a_name_that_is_its_alone() -> None:
    story = Story()
    for team in ("main", "crew"):
        story.team(team)
        story.agent(f"{team}/bob")
    story.agent("main/alice")
    assert story.roster.resolve("alice").spec.address == "main/alice"
    assert story.roster.resolve("crew/bob").spec.team == "crew"
    with pytest.raises(ConflictError) as ambiguous:
        story.roster.resolve("bob")
    assert ambiguous.value.details == {"addresses": ["crew/bob", "main/bob"]}
    with pytest.raises(NotFoundError) as unknown:
        story.roster.resolve("alise")
    assert "alice" in unknown.value.hint
    with pytest.raises(NotFoundError):
        story.roster.resolve("crew/alice")
    with pytest.raises(NotFoundError) as no_team:
        story.roster.team("mian")
    assert no_team.value.hint == "did you mean main?"


def test_attention_is_asked_for_the_longest_wait_first() -> None:
    story = Story()
    story.team("main")
    for name in ("a", "b", "c"):
        story.agent(f"main/{name}")
    story.tell("agent.state", "main/b", state="limited", detail="until 10:00")
    story.tell("agent.state", "main/a", state="blocked", detail="y/n")
    story.tell("agent.state", "main/c", state="busy")
    assert [each.address for each in story.roster.attention()] == ["main/b", "main/a"]
    assert count_states(story.roster.agents.values()) == {"busy": 1, "blocked": 1, "limited": 1}
