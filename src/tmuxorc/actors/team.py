"""Teams as supervisors of agents, agents as their children, and what it takes to add and remove them while all runs."""

from collections.abc import Generator, Iterable
from contextlib import contextmanager, suppress
from functools import partial

import msgspec
import trio

from tmuxorc.actors import (
    Actor,
    ActorDied,
    Backoff,
    ChildSpec,
    DuplicateChild,
    NoSuchActor,
    Supervisor,
    SupervisorRef,
    SupervisorSpec,
)
from tmuxorc.actors._place import forget_place
from tmuxorc.actors._whole import whole
from tmuxorc.actors.agent import AgentActor
from tmuxorc.actors.launch import MOST_GRACE_S, pane_options, process_marker, spec_hash
from tmuxorc.actors.roster import AgentRow
from tmuxorc.actors.services import Services
from tmuxorc.errors import ConflictError, NotFoundError, TmuxError
from tmuxorc.model import AgentSpec, Desired, Restart, Strategy, TeamSpec
from tmuxorc.tmux import PaneInfo
from tmuxorc.tmux.process import end_tree, find_process

TEAMS = "core/teams"

START_TIMEOUT_S = 30.0

UP_AGAIN_S = 5.0
"""How long an order waits for a team that is just starting again."""

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
        desired=_desired_at_start(services.roster.agent(spec.address)),
    )


def _desired_at_start(row: AgentRow) -> Desired:
    """What has ended for good is registered and not started: a new supervisor is no reason to run it again (S2)."""
    return Desired.STOPPED if row.over else row.desired


def team_supervisor(services: Services, team: str) -> SupervisorRef:
    """The supervisor of `team`'s agents."""
    return services.system.supervisor(f"{TEAMS}/{team}")


def teams_supervisor(services: Services) -> SupervisorRef:
    """The supervisor of all teams."""
    return services.system.supervisor(TEAMS)


async def ensure_team(services: Services, name: str) -> None:
    """Make team `name` with the default policy if there is none; if somebody else is making it, wait for that."""
    await services.unclaimed(name)
    if name not in services.roster.teams:
        await add_team(services, TeamSpec(name=name))


@whole
async def add_team(services: Services, spec: TeamSpec) -> None:
    """Journal the team and start its supervisor; raises `ConflictError` if there is one of that name."""
    if spec.name in services.roster.teams or services.is_claimed(spec.name):
        raise name_taken(f"there is a team {spec.name} already", f"see it with: tmux-orc team status {spec.name}")
    with services.claim(spec.name, "made"):
        record = await services.journal.put_team(spec, Desired.RUNNING)
        services.events.publish("team.defined", spec.name, spec=msgspec.to_builtins(spec), created_at=record.created_at)
        await teams_supervisor(services).start_child(team_child(services, spec.name))


def name_taken(message: str, hint: str) -> ConflictError:
    """The error for a name that is given already."""
    error = ConflictError(message, hint=hint)
    error.code = "name_taken"
    return error


async def reach_team(services: Services, name: str) -> SupervisorRef:
    """The supervisor of a team that is to run, once it takes orders.

    Raises `NotFoundError` for an unknown team, `ConflictError` for a stopped one (``team_stopped``) and for one that is
    down (``team_down``) and not up again soon.
    """
    await services.unclaimed(name)
    row = services.roster.team(name)
    if row.desired is Desired.STOPPED:
        raise _team_error(name, "team_stopped", "is stopped")
    with trio.move_on_after(UP_AGAIN_S):
        await services.events.until(name, lambda: services.roster.team(name).up or None)
        return team_supervisor(services, name)
    raise _team_error(name, "team_down", "is down: it failed, or tmux is away")


@contextmanager
def ordering(name: str) -> Generator[None]:
    """Within, orders to the team's supervisor; that it went down under them is told as by `reach_team`."""
    try:
        yield
    except (ActorDied, NoSuchActor):
        hint = "try again in a moment; see: tmux-orc status"
        raise _team_error(name, "team_down", "went down meanwhile: it failed, or tmux is away", hint) from None


def _team_error(name: str, code: str, what: str, hint: str = "") -> ConflictError:
    error = ConflictError(f"team {name} {what}", hint=hint or f"tmux-orc team start {name}", details={"team": name})
    error.code = code
    return error


async def take_down(services: Services, spec: AgentSpec, *, forget: bool = False) -> None:
    """End the agent's process and what it left behind, and let its team know that it stays down.

    A team that is just starting, as after tmux was away, is waited for: it may be starting the agent.  One that stays
    down needs no telling; its agents' processes may run on.
    """
    await services.unclaimed(spec.team)
    row = services.roster.agent(spec.address)
    at_rest, pid = _at_rest([row]), row.pid
    # If the team is up, the order comes first, with nothing awaited before it: orders must arrive as the wishes were
    # journaled.
    ordered = False
    while not ordered and await _comes_up(services, spec.team):
        ordered = await _take_out(services, spec, forget=forget)
    if not ordered or row.pid is not None or _lives(pid):
        # Its team is down, came up with the agent to be left at rest, or let go of it because tmux is away.
        await _end_alone(services, row, pid)
    await _end_left_behind(services, at_rest)


async def _comes_up(services: Services, name: str) -> bool:
    """Whether the team takes orders, now or, if it is to run, soon."""
    row = services.roster.team(name)
    if row.desired is Desired.RUNNING:
        with trio.move_on_after(UP_AGAIN_S):
            await services.events.until(name, lambda: row.up or None)
    return row.up


async def _take_out(services: Services, spec: AgentSpec, *, forget: bool) -> bool:
    """Have the team end the agent; False if the team went down meanwhile."""
    supervisor = team_supervisor(services, spec.team)
    try:
        await (supervisor.remove_child if forget else supervisor.stop_child)(spec.name)
    except ActorDied:
        await trio.lowlevel.checkpoint()
        return False
    except NoSuchActor:
        await trio.lowlevel.checkpoint()
        return services.roster.team(spec.team).up  # then it is the agent that the team does not know
    return True


def _lives(pid: int | None) -> bool:
    return pid is not None and find_process(pid) is not None


async def _end_alone(services: Services, row: AgentRow, pid: int | None) -> None:
    """End the agent's process without an actor to do it."""
    marker = process_marker(services, row.spec.address)
    await end_tree(pid or 0, services.grace_of(row.spec), marker=marker)
    services.events.publish("agent.stopped", row.spec.address, row.generation, detail="stopped by the operator")
    services.keeper.note_run(row.spec.address)


def _at_rest(rows: Iterable[AgentRow]) -> list[AgentRow]:
    return [row for row in rows if row.pid is None]


async def _end_left_behind(services: Services, at_rest: Iterable[AgentRow]) -> None:
    """End what agents that ran no more have left running; the end of one that runs sees to its own."""
    async with trio.open_nursery() as nursery:
        for row in at_rest:
            if row.pid is None:
                marker = process_marker(services, row.spec.address)
                nursery.start_soon(partial(end_tree, 0, services.grace_of(row.spec), marker=marker))


@whole
async def _want_team(services: Services, name: str, desired: Desired) -> None:
    services.roster.team(name)
    await services.journal.set_desired((name,), desired)
    services.events.publish("team.desired", name, desired=desired)


async def set_team(services: Services, name: str, desired: Desired) -> None:
    """Start or stop the whole team; agents that an operator stopped singly stay stopped."""
    await _want_team(services, name, desired)
    if desired is Desired.STOPPED:
        at_rest = _at_rest(services.roster.members(name))
        with ordering(name):
            await teams_supervisor(services).stop_child(name)
        for member in services.roster.members(name):
            services.events.publish("agent.stopped", member.spec.address, detail="its team is stopped")
        await _end_left_behind(services, at_rest)
    else:
        with ordering(name):
            await teams_supervisor(services).resume_child(name)


@whole
async def remove_team(services: Services, name: str) -> None:
    """Stop the team's agents in order, close their panes and forget them and the team."""
    members = services.roster.members(name)
    await _end_left_behind(services, members)
    pids = {member.spec.address: member.pid for member in members}
    with ordering(name):
        await teams_supervisor(services).remove_child(name)
    for member in reversed(members):
        if _lives(pids[member.spec.address]):
            await _end_alone(services, member, pids[member.spec.address])
        await _forget_agent(services, member.spec)
    await services.journal.remove_team(name)
    services.events.publish("team.removed", name)


@whole
async def replace_team(services: Services, spec: TeamSpec) -> None:
    """Give the team another policy."""
    row = services.roster.team(spec.name)
    await services.journal.put_team(spec, row.desired)
    services.events.publish("team.defined", spec.name, spec=msgspec.to_builtins(spec))
    await _reload_team(services, spec.name)


async def _reload_team(services: Services, name: str) -> None:
    """Start the team's supervisor anew from the roster; agents that are as specified keep running, adopted again."""
    with services.claim(name, "changed"):
        with services.letting_go(name):
            await teams_supervisor(services).remove_child(name)
        await teams_supervisor(services).start_child(team_child(services, name))


@whole
async def replace_agent(services: Services, spec: AgentSpec) -> None:
    """Give the agent another spec; its process starts anew if it was started as something else."""
    row = services.roster.agent(spec.address)
    if spec_hash(spec) != spec_hash(row.spec):
        await take_down(services, row.spec)
    await services.journal.put_agent(spec, row.desired)
    services.events.publish("agent.defined", spec.address, spec=msgspec.to_builtins(spec))
    await _reload_team(services, spec.team)


@whole
async def add_agent(services: Services, spec: AgentSpec, pane: PaneInfo | None = None) -> None:
    """Journal the agent and start it, in `pane` if that is given, where its program runs already.

    If its first start fails it is forgotten again, a given pane left as it is, and the cause raised.  Raises
    `ConflictError` if there is an agent of that address.
    """
    hint = f"choose another name, or: tmux-orc agent restart {spec.address}"
    if spec.address in services.roster.agents or services.is_claimed(spec.address):
        raise name_taken(f"there is an agent {spec.address} already", hint)
    with services.claim(spec.address, "made"):
        supervisor = await reach_team(services, spec.team)
        record = await services.journal.put_agent(spec, Desired.RUNNING)
        services.events.publish(
            "agent.defined", spec.address, spec=msgspec.to_builtins(spec), created_at=record.created_at
        )
        if pane is not None:
            await _relabel(services, spec, pane)
            services.panes[spec.address] = pane
        try:
            with ordering(spec.team):
                await supervisor.start_child(agent_child(services, spec, fresh=True))
        except DuplicateChild:
            return  # its team came up meanwhile, and with it the agent
        except Exception as error:  # noqa: BLE001 - a defect, too, must leave no agent behind that is in no team
            cause = error
        else:
            return
        if pane is not None:
            services.panes.pop(spec.address, None)
            with suppress(TmuxError):
                await services.tmux.set_options(pane.pane_id, {"since": ""})
        await _forget_agent(services, spec)
        raise cause


async def _relabel(services: Services, spec: AgentSpec, pane: PaneInfo) -> None:
    """A pane that was an agent's whom nobody knows any more, of a lost journal say, is this agent's as it is."""
    if "agent" in await services.tmux.get_options(pane.pane_id):
        await services.tmux.set_options(pane.pane_id, pane_options(services, spec, 1))


@whole
async def remove_agent(services: Services, spec: AgentSpec) -> None:
    """Stop the agent, close its pane, forget it."""
    services.events.publish("agent.desired", spec.address, desired=Desired.STOPPED)  # should its team come up meanwhile
    await take_down(services, spec, forget=True)
    await _forget_agent(services, spec)


async def _forget_agent(services: Services, spec: AgentSpec) -> None:
    await services.post.forget(services.journal, spec.address, "its agent was removed")
    try:
        await services.journal.remove_agent(spec.address)
    except NotFoundError:
        pass  # its team was removed meanwhile
    pane = services.panes.pop(spec.address, None)
    services.events.publish("agent.removed", spec.address)
    forget_place(services.paths, spec.address)
    await _forget_child(services, spec)
    if pane is not None:
        # While tmux is away the dead pane stays; it is closed when tmux is back.
        with suppress(TmuxError):
            await services.tmux.close_pane(pane.pane_id)


async def _forget_child(services: Services, spec: AgentSpec) -> None:
    """A team that came up while its agent was being removed has it as a child, at rest."""
    if spec.team in services.roster.teams and services.roster.team(spec.team).up:
        with suppress(ActorDied, NoSuchActor):
            await team_supervisor(services, spec.team).remove_child(spec.name)
