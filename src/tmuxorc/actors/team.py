"""Teams as supervisors of agents, agents as their children, and what it takes to add and remove them while all runs."""

import msgspec

from tmuxorc.actors import Actor, Backoff, ChildSpec, Supervisor, SupervisorRef, SupervisorSpec
from tmuxorc.actors.agent import AgentActor
from tmuxorc.actors.launch import MOST_GRACE_S
from tmuxorc.actors.services import Services
from tmuxorc.errors import NotFoundError, TmuxOrcError
from tmuxorc.model import AgentSpec, Desired, Restart, Strategy, TeamSpec

TEAMS = "core/teams"

START_TIMEOUT_S = 30.0

TEAM_TIMEOUT_S = 24 * 3600.0
"""A team starts and stops its agents one after another; each has its own limit, so this only bounds a defect."""

STOP_TIMEOUT_S = MOST_GRACE_S + 10.0
"""An agent keeps to its own grace, which an operator may change at each stop; this only bounds a defect."""

AGENT_BACKOFF = Backoff(base_s=1.0, cap_s=60.0, jitter=0.1, stable_after_s=30.0, max_streak=5, immediate=1)
TEAM_BACKOFF = Backoff(base_s=1.0, cap_s=60.0, jitter=0.1, stable_after_s=60.0, max_streak=5, immediate=1)


def teams_spec(services: Services) -> SupervisorSpec:
    """The supervisor of all teams, with those the roster knows."""
    children = tuple(team_child(services, name) for name in services.roster.teams)
    return SupervisorSpec(strategy=Strategy.ONE_FOR_ONE, intensity=1000, period_s=1.0, children=children)


def team_child(services: Services, name: str) -> ChildSpec:
    """Team `name` as a child; its spec and agents are read from the roster at each start."""

    async def start() -> Actor:
        return Supervisor(_team_spec(services, name))

    return ChildSpec(
        id=name,
        start=start,
        restart=Restart.TRANSIENT,
        shutdown_s=TEAM_TIMEOUT_S,
        start_timeout_s=TEAM_TIMEOUT_S,
        backoff=TEAM_BACKOFF,
        desired=services.roster.team(name).desired,
    )


def _team_spec(services: Services, name: str) -> SupervisorSpec:
    spec = services.roster.team(name).spec
    return SupervisorSpec(
        strategy=spec.strategy,
        intensity=spec.intensity,
        period_s=spec.period_s,
        auto_shutdown=spec.auto_shutdown,
        children=tuple(agent_child(services, row.spec, fresh=False) for row in services.roster.members(name)),
    )


def agent_child(services: Services, spec: AgentSpec, *, fresh: bool) -> ChildSpec:
    """One agent as a child.

    A `fresh` one that cannot start is refused; any other counts as exited and is tried again, so that one agent whose
    program went missing does not keep its team down.
    """
    first = fresh

    async def start() -> Actor:
        nonlocal first
        strict, first = first, False
        return AgentActor(services, spec.address, strict=strict)

    return ChildSpec(
        id=spec.name,
        start=start,
        restart=spec.restart,
        shutdown_s=STOP_TIMEOUT_S,
        significant=spec.significant,
        start_timeout_s=START_TIMEOUT_S,
        backoff=AGENT_BACKOFF,
        desired=services.roster.agent(spec.address).desired,
    )


def team_supervisor(services: Services, team: str) -> SupervisorRef:
    """The supervisor of `team`'s agents."""
    return services.system.supervisor(f"{TEAMS}/{team}")


def teams_supervisor(services: Services) -> SupervisorRef:
    """The supervisor of all teams."""
    return services.system.supervisor(TEAMS)


async def ensure_team(services: Services, name: str) -> None:
    """Make team `name` with the default policy if there is none."""
    if name not in services.roster.teams:
        await add_team(services, TeamSpec(name=name))


async def add_team(services: Services, spec: TeamSpec) -> None:
    """Journal the team and start its supervisor."""
    await services.journal.put_team(spec, Desired.RUNNING)
    services.events.publish("team.defined", spec.name, spec=msgspec.to_builtins(spec))
    await teams_supervisor(services).start_child(team_child(services, spec.name))


async def set_team(services: Services, name: str, desired: Desired) -> None:
    """Start or stop the whole team; agents that an operator stopped singly stay stopped."""
    row = services.roster.team(name)
    await services.journal.put_team(row.spec, desired)
    services.events.publish("team.desired", name, desired=desired)
    if desired is Desired.STOPPED:
        await teams_supervisor(services).stop_child(name)
        for member in services.roster.members(name):
            services.events.publish("agent.stopped", member.spec.address, detail="its team is stopped")
    else:
        await teams_supervisor(services).resume_child(name)


async def remove_team(services: Services, name: str) -> None:
    """Stop the team's agents in order, close their panes and forget them and the team."""
    members = services.roster.members(name)
    await teams_supervisor(services).remove_child(name)
    for member in reversed(members):
        await _forget_agent(services, member.spec)
    await services.journal.remove_team(name)
    services.events.publish("team.removed", name)


async def replace_team(services: Services, spec: TeamSpec) -> None:
    """Give the team another policy."""
    row = services.roster.team(spec.name)
    await services.journal.put_team(spec, row.desired)
    services.events.publish("team.defined", spec.name, spec=msgspec.to_builtins(spec))
    await _reload_team(services, spec.name)


async def _reload_team(services: Services, name: str) -> None:
    """Start the team's supervisor anew from the roster; agents that are as specified keep running, adopted again."""
    with services.letting_go(name):
        await teams_supervisor(services).remove_child(name)
    await teams_supervisor(services).start_child(team_child(services, name))


async def replace_agent(services: Services, spec: AgentSpec) -> None:
    """Give the agent another spec; its process starts anew if it was started as something else."""
    row = services.roster.agent(spec.address)
    await services.journal.put_agent(spec, row.desired)
    services.events.publish("agent.defined", spec.address, spec=msgspec.to_builtins(spec))
    await _reload_team(services, spec.team)


async def add_agent(services: Services, spec: AgentSpec) -> None:
    """Journal the agent and start it; if its first start fails it is forgotten again and the cause raised."""
    await services.journal.put_agent(spec, Desired.RUNNING)
    services.events.publish("agent.defined", spec.address, spec=msgspec.to_builtins(spec))
    try:
        await team_supervisor(services, spec.team).start_child(agent_child(services, spec, fresh=True))
    except TmuxOrcError:
        await _forget_agent(services, spec)
        raise


async def remove_agent(services: Services, spec: AgentSpec) -> None:
    """Stop the agent, close its pane, forget it."""
    if services.roster.team(spec.team).desired is Desired.RUNNING:
        await team_supervisor(services, spec.team).remove_child(spec.name)
    await _forget_agent(services, spec)


async def _forget_agent(services: Services, spec: AgentSpec) -> None:
    await services.post.forget(services.journal, spec.address, "its agent was removed")
    await services.journal.remove_agent(spec.address)
    pane = services.panes.pop(spec.address, None)
    services.events.publish("agent.removed", spec.address)
    if pane is not None:
        try:
            await services.tmux.close_pane(pane.pane_id)
        except NotFoundError:
            pass
