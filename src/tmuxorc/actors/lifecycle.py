"""The runtime's lifecycle events told in the terms of teams and agents."""

import logging
from typing import Any

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
    LifecycleEvent,
    RestartScheduled,
    StartFailed,
    StoppedLate,
    SupervisorGaveUp,
)
from tmuxorc.actors.services import Services
from tmuxorc.actors.team import TEAMS
from tmuxorc.errors import TmuxOrcError
from tmuxorc.model import AgentState, Desired

log = logging.getLogger(__name__)


def report(services: Services, event: LifecycleEvent) -> None:
    """Publish what `event` means for an agent, a team or a part of the supervisor."""
    under_teams = event.path.removeprefix(TEAMS + "/")
    if under_teams == event.path:
        _report_part(services, event)
    elif "/" in under_teams:
        _report_agent(services, under_teams, event)
    else:
        _report_team(services, under_teams, event)
    _log_defect(event)


def _report_agent(services: Services, address: str, event: LifecycleEvent) -> None:
    """The actor itself tells of its start and of how its process ended; the rest is told here."""
    row = services.roster.agents.get(address)
    if row is None:
        return

    def publish(type: str, **data: Any) -> None:
        services.events.publish(type, address, row.generation, **data)

    match event:
        case RestartScheduled():
            publish("agent.restart_scheduled", delay_s=event.delay_s, streak=event.streak, reason=event.reason.name)
        case ChildQuarantined():
            publish("agent.quarantined", streak=event.streak, reason=f"it ended {event.streak + 1} times in a row")
        case ChildStopped():
            publish("agent.stopped", detail=row.last_exit.message if row.last_exit and row.pid is None else "stopped")
        case StoppedLate():
            publish("agent.stopped_late", limit_s=event.limit_s)
        case ChildLeaked():
            publish("agent.leaked")
        case ChildExited(reason=Failed(error=error)) if not isinstance(error, TmuxOrcError):
            publish("agent.actor_failed", error=str(event.reason))
        case ChildStartFailed(reason=reason) if not _is_told(reason):
            publish("agent.start_failed", error=str(reason))
        case _:
            pass


def _is_told(reason: ExitReason) -> bool:
    return isinstance(reason, StartFailed) and isinstance(reason.error, TmuxOrcError)


def _report_team(services: Services, team: str, event: LifecycleEvent) -> None:
    match event:
        case ChildStarted():
            services.events.publish("team.started", team, event.generation)
        case ChildExited():
            services.events.publish("team.exited", team, event.generation, reason=str(event.reason))
            if isinstance(event.reason, Finished):
                _fold_up(services, team)
        case ChildQuarantined():
            services.events.publish("team.quarantined", team, event.generation, streak=event.streak)
            _fail_members(services, team, f"team {team} keeps failing; start it again with: team start {team}")
        case SupervisorGaveUp():
            why = f"more than {event.intensity} restarts in {event.period_s:g} s"
            services.events.publish("team.gave_up", team, event.generation, reason=why)
            _fail_members(services, team, f"team {team} gave up: {why}")
        case _:
            pass


def _fold_up(services: Services, team: str) -> None:
    """Its lead has finished: the team is at rest, also for the next supervisor, until a person starts it (S12)."""
    if team in services.roster.teams:
        services.events.publish("team.desired", team, desired=Desired.STOPPED, why="its significant agents finished")
        services.keeper.note_wish(team)


def _fail_members(services: Services, team: str, detail: str) -> None:
    for row in services.roster.members(team):
        if row.desired is Desired.RUNNING:
            services.events.publish(
                "agent.state", row.spec.address, row.generation, state=AgentState.FAILED, detail=detail
            )


def _report_part(services: Services, event: LifecycleEvent) -> None:
    match event:
        case ChildStarted():
            services.events.publish("part.started", event.path, event.generation)
        case ChildExited() | ChildStartFailed():
            services.events.publish("part.exited", event.path, event.generation, reason=str(event.reason))
        case RestartScheduled():
            services.events.publish("part.restart_scheduled", event.path, event.generation, delay_s=event.delay_s)
        case _:
            pass


def _log_defect(event: LifecycleEvent) -> None:
    """Anything but one of our own errors is a bug: the log gets the traceback."""
    reason = getattr(event, "reason", None)
    error = getattr(reason, "error", None)
    if isinstance(error, BaseException) and not isinstance(error, TmuxOrcError):
        log.error("%s failed: %s", event.path, error, exc_info=error)
