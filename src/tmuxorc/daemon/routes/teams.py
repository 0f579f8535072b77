"""Requests about teams; `apply` compares what is with what is asked and touches only what differs."""

from tmuxorc.actors.launch import check_spec
from tmuxorc.actors.plan import make_plan
from tmuxorc.actors.services import Services
from tmuxorc.actors.team import (
    add_agent,
    add_team,
    remove_agent,
    remove_team,
    replace_agent,
    replace_team,
    set_team,
)
from tmuxorc.daemon.routes import agents
from tmuxorc.errors import TmuxOrcError, UsageError
from tmuxorc.model import AgentSpec, Desired, TeamSpec, TeamView
from tmuxorc.names import check_name
from tmuxorc.wire import methods as m
from tmuxorc.wire.server import Session


async def create(services: Services, params: m.CreateTeam) -> TeamView:
    """Make an empty team."""
    check_team(params.spec)
    await add_team(services, params.spec)
    return services.roster.team_view(params.spec.name)


def check_team(spec: TeamSpec) -> None:
    """Raise `UsageError` for a team that cannot be."""
    check_name(spec.name, "team")
    if spec.intensity < 0:
        raise UsageError(
            f"intensity must be 0 or more, not {spec.intensity}",
            hint="it is how many restarts within period_s the team bears",
        )
    if not 0 < spec.period_s <= 86_400:
        raise UsageError(
            f"period_s must be more than 0 and at most 86400, not {spec.period_s:g}",
            hint="it is the time in seconds within which restarts are counted",
        )


async def list_teams(services: Services, params: m.Empty) -> m.TeamList:
    """Teams by name."""
    return m.TeamList(teams=tuple(services.roster.team_view(name) for name in sorted(services.roster.teams)))


async def status(services: Services, params: m.TeamName) -> m.TeamDetail:
    """A team with its agents."""
    return m.TeamDetail(
        team=services.roster.team_view(params.team),
        agents=tuple(services.roster.agent_view(row) for row in services.roster.members(params.team)),
    )


async def start(services: Services, params: m.TeamName) -> m.TeamDetail:
    """Start a stopped team, with the agents that ran in it; in a team that is up, its stopped agents, in order."""
    row = services.roster.team(params.team)
    was_up = row.up and row.desired is Desired.RUNNING
    await set_team(services, params.team, Desired.RUNNING)
    if was_up:
        for member in services.roster.members(params.team):
            if member.desired is Desired.STOPPED:
                await agents.start(services, m.Target(target=member.spec.address))
    return await status(services, params)


async def stop(services: Services, params: m.TeamName) -> m.TeamDetail:
    """Stop a team's agents in reverse order."""
    await set_team(services, params.team, Desired.STOPPED)
    return await status(services, params)


async def remove(services: Services, params: m.TeamName) -> m.Done:
    """Stop a team and forget it with its agents."""
    services.roster.team(params.team)
    await remove_team(services, params.team)
    return m.Done(changed=True, message=f"team {params.team} removed")


async def apply(services: Services, params: m.ApplyTeam, session: Session) -> m.Plan:
    """Make the team what the file says; each step is told as it is done."""
    check_team(params.spec)
    wanted = _check_agents(services, params)
    if params.dry_run:
        steps = make_plan(services.roster, params.spec, wanted)
        return m.Plan(team=params.spec.name, steps=steps, applied=False)
    with services.claim(f"the plan of team {params.spec.name}", "applied"):
        steps = make_plan(services.roster, params.spec, wanted)
        by_address = {spec.address: spec for spec in wanted}
        for step in steps:
            await _take(services, params.spec, by_address, step)
            await session.notify(step)
    return m.Plan(team=params.spec.name, steps=steps, applied=True)


def _check_agents(services: Services, params: m.ApplyTeam) -> list[AgentSpec]:
    wanted: list[AgentSpec] = []
    for spec in params.agents:
        if spec.team != params.spec.name:
            raise UsageError(f"agent {spec.name} names team {spec.team}, the file is about {params.spec.name}")
        if any(spec.name == other.name for other in wanted):
            raise UsageError(f"agent {spec.name} stands twice in the file")
        wanted.append(_check_agent(services, spec))
    return wanted


def _check_agent(services: Services, spec: AgentSpec) -> AgentSpec:
    """As `check_spec`; of many agents, the error says which one."""
    try:
        return check_spec(spec, services)
    except TmuxOrcError as error:
        error.message = f"agent {spec.name}: {error.message}"
        error.details["agent"] = spec.name
        raise


async def _take(services: Services, team: TeamSpec, wanted: dict[str, AgentSpec], step: m.PlanStep) -> None:
    subject = step.subject
    match step.action:
        case "keep":
            pass
        case "create" if subject == team.name:
            await add_team(services, team)
        case "update" if subject == team.name:
            await replace_team(services, team)
        case "create":
            await add_agent(services, wanted[subject])
            await brief(services, wanted[subject])
        case "restart" | "update":
            await replace_agent(services, wanted[subject])
        case "remove":
            await remove_agent(services, services.roster.agent(subject).spec)
        case action:
            raise AssertionError(action)


async def brief(services: Services, spec: AgentSpec) -> None:
    """Send an agent its brief, as its first message."""
    if spec.brief:
        await services.post.accept(services.journal, "operator", [spec.address], spec.brief)
