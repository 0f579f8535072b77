"""The runtime's events in the terms of agents, teams and parts (S24)."""

import logging
from datetime import timedelta
from typing import Any

import msgspec
import pytest
import trio

from tests.unit.domain._roster import NOON
from tmuxorc.actors import (
    ChildExited,
    ChildLeaked,
    ChildQuarantined,
    ChildStarted,
    ChildStartFailed,
    ChildStopped,
    ExitReason,
    Failed,
    Finished,
    Killed,
    LifecycleEvent,
    RestartScheduled,
    StartFailed,
    StartTimeout,
    Stopped,
    StoppedLate,
    SupervisorGaveUp,
)
from tmuxorc.actors.lifecycle import report
from tmuxorc.actors.services import Services
from tmuxorc.agents import load_kinds
from tmuxorc.config import Settings
from tmuxorc.errors import TmuxError
from tmuxorc.model import AgentSpec, AgentState, Desired, TeamSpec
from tmuxorc.paths import find_paths

TEAM, AGENT = "core/teams/crew", "core/teams/crew/a"
OURS, DEFECT = Failed(TmuxError("it broke")), Failed(ZeroDivisionError("a bug"))


@pytest.fixture
async def services() -> Services:
    await trio.lowlevel.checkpoint()
    paths = find_paths()
    services = Services(paths, Settings(), load_kinds(paths.kinds_dir))
    services.events.publish("team.defined", "crew", spec=msgspec.to_builtins(TeamSpec(name="crew")))
    for name in ("a", "b"):
        spec = msgspec.to_builtins(AgentSpec(name=name, team="crew"))
        services.events.publish("agent.defined", f"crew/{name}", spec=spec)
        services.events.publish("agent.started", f"crew/{name}", 4, pane="%1", window="@1", pid=9, adopted=False)
    return services


def event(type_: type[LifecycleEvent], path: str, **fields: Any) -> LifecycleEvent:
    return type_(path=path, id=path.rpartition("/")[2], generation=2, at=NOON, **fields)


def told(services: Services, happened: LifecycleEvent) -> list[tuple[str, str, int, dict[str, Any]]]:
    """What is published because of it."""
    before = len(services.events._unwritten)
    report(services, happened)
    return [(each.type, each.subject, each.generation, each.data) for each in list(services.events._unwritten)[before:]]


def scheduled(path: str, reason: ExitReason = OURS) -> LifecycleEvent:
    return event(RestartScheduled, path, reason=reason, delay_s=2.0, restart_at=NOON + timedelta(seconds=2), streak=3)


async def test_an_agents_restarts_and_quarantine_carry_its_own_generation(services: Services) -> None:
    """The runtime counts from one in each supervisor; an agent's generation is older than that."""
    assert told(services, scheduled(AGENT)) == [
        ("agent.restart_scheduled", "crew/a", 4, {"delay_s": 2.0, "streak": 3, "reason": "failed"})
    ]
    ((type_, _, generation, data),) = told(services, event(ChildQuarantined, AGENT, reason=OURS, streak=5))
    assert (type_, generation, data) == ("agent.quarantined", 4, {"streak": 5, "reason": "it ended 6 times in a row"})
    assert services.roster.agent("crew/a").over


async def test_an_agent_that_stopped_late_or_leaked(services: Services) -> None:
    assert told(services, event(StoppedLate, AGENT, limit_s=5.0)) == [
        ("agent.stopped_late", "crew/a", 4, {"limit_s": 5.0})
    ]
    assert told(services, event(ChildLeaked, AGENT)) == [("agent.leaked", "crew/a", 4, {})]


async def test_a_stopped_agent_says_how_it_ended(services: Services) -> None:
    stopped = event(ChildStopped, AGENT, reason=Stopped())
    assert told(services, stopped) == [("agent.stopped", "crew/a", 4, {"detail": "stopped"})]
    services.events.publish("agent.exited", "crew/a", 4, reason="stopped", message="its pane was closed by a person")
    assert told(services, stopped)[0][3] == {"detail": "its pane was closed by a person"}


@pytest.mark.parametrize(
    ("happened", "types"),
    [
        (event(ChildStarted, AGENT), []),
        (event(ChildExited, AGENT, reason=Finished()), []),
        (event(ChildExited, AGENT, reason=OURS), []),
        (event(ChildExited, AGENT, reason=DEFECT), ["agent.actor_failed"]),
        (event(ChildStartFailed, AGENT, reason=StartFailed(TmuxError("no"))), []),
        (event(ChildStartFailed, AGENT, reason=StartFailed(ZeroDivisionError())), ["agent.start_failed"]),
        (event(ChildStartFailed, AGENT, reason=StartTimeout()), ["agent.start_failed"]),
        (event(ChildStarted, "core/teams/crew/nobody"), []),
    ],
    ids=str,
)
async def test_what_an_agents_actor_tells_itself_is_not_told_twice(
    services: Services, happened: LifecycleEvent, types: list[str]
) -> None:
    assert [each[0] for each in told(services, happened)] == types


async def test_a_team_is_up_while_its_supervisor_runs(services: Services) -> None:
    assert told(services, event(ChildStarted, TEAM)) == [("team.started", "crew", 2, {})]
    assert services.roster.team("crew").up
    (exited,) = told(services, event(ChildExited, TEAM, reason=Stopped()))
    assert exited == ("team.exited", "crew", 2, {"reason": "stopped"})
    assert not services.roster.team("crew").up
    assert services.roster.team("crew").desired is Desired.RUNNING


async def test_a_team_whose_lead_finished_is_to_stay_down(services: Services) -> None:
    """S12."""
    types = [each[0] for each in told(services, event(ChildExited, TEAM, reason=Finished()))]
    assert types == ["team.exited", "team.desired"]
    assert services.roster.team("crew").desired is Desired.STOPPED
    assert "crew" in services.keeper._wishes


async def test_a_team_that_gave_up_fails_the_agents_that_were_to_run(services: Services) -> None:
    """S9."""
    services.events.publish("agent.desired", "crew/b", desired="stopped")
    gave_up = event(SupervisorGaveUp, TEAM, child="a", reason=OURS, intensity=3, period_s=60.0)
    assert [each[:2] for each in told(services, gave_up)] == [("team.gave_up", "crew"), ("agent.state", "crew/a")]
    row = services.roster.agent("crew/a")
    assert (row.state, row.detail) == (AgentState.FAILED, "team crew gave up: more than 3 restarts in 60 s")
    types = [each[0] for each in told(services, event(ChildQuarantined, TEAM, reason=OURS, streak=5))]
    assert types == ["team.quarantined", "agent.state"]
    assert "team start crew" in row.detail


async def test_a_removed_teams_end_concerns_nobody(services: Services) -> None:
    services.events.publish("team.removed", "crew")
    assert [each[0] for each in told(services, event(ChildExited, TEAM, reason=Finished()))] == ["team.exited"]


@pytest.mark.parametrize(
    ("happened", "expected"),
    [
        (event(ChildStarted, "core/tmux"), ("part.started", {})),
        (event(ChildExited, "journal", reason=OURS), ("part.exited", {"reason": "failed: it broke"})),
        (event(ChildStartFailed, "core/tmux", reason=StartFailed(TmuxError("gone"))), None),
        (scheduled("core/tmux"), ("part.restart_scheduled", {"delay_s": 2.0})),
        (event(StoppedLate, "socket", limit_s=1.0), ()),
    ],
    ids=str,
)
async def test_the_supervisors_own_parts(services: Services, happened: LifecycleEvent, expected: Any) -> None:
    events = told(services, happened)
    if expected == ():
        assert events == []
    elif expected is None:
        assert [each[0] for each in events] == ["part.exited"]
    else:
        assert [(each[0], each[3]) for each in events] == [expected]
        assert events[0][1] == happened.path


async def test_only_a_defect_is_logged_with_its_traceback(services: Services, caplog: pytest.LogCaptureFixture) -> None:
    for reason in (OURS, Killed(), Finished()):
        report(services, event(ChildExited, AGENT, reason=reason))
    assert [each for each in caplog.records if each.levelno >= logging.ERROR] == []
    report(services, event(ChildExited, AGENT, reason=DEFECT))
    (record,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert record.exc_info is not None
    assert AGENT in record.getMessage()
