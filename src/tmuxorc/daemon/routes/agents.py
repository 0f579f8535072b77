"""Requests about single agents: each finds the actor that owns the agent and answers from the roster."""

import os

from tmuxorc.actors._whole import whole
from tmuxorc.actors.launch import check_grace, check_spec
from tmuxorc.actors.services import Services
from tmuxorc.actors.team import add_agent, ensure_team, ordering, reach_team, remove_agent, take_down
from tmuxorc.agents import find_kind
from tmuxorc.daemon.routes._common import within
from tmuxorc.errors import ConflictError, NotFoundError, RefusedError, UsageError
from tmuxorc.model import AgentSpec, AgentState, AgentView, Desired
from tmuxorc.names import check_name
from tmuxorc.tmux import FoundPane, NoSuchTarget
from tmuxorc.tmux.keys import check_key
from tmuxorc.tmux.process import environment_of
from tmuxorc.wire import methods as m


async def spawn(services: Services, params: m.Spawn) -> AgentView:
    """Start one agent; a team called ``main`` is made on the way, any other must exist."""
    spec = check_spec(params.spec, services)
    if params.wait not in (None, "ready"):
        raise UsageError(f"cannot wait for {params.wait!r}", hint="the only thing to wait for here is: ready")
    if spec.team == "main":
        await ensure_team(services, spec.team)
    await add_agent(services, spec)
    if spec.brief:
        await services.post.accept(services.journal, "operator", [spec.address], spec.brief)

    def ready() -> AgentView | None:
        row = services.roster.agent(spec.address)
        return None if row.state is AgentState.STARTING else services.roster.agent_view(row)

    if params.wait:
        return await within(params.timeout_s, services.events.until(spec.address, ready), f"{spec.address} to be ready")
    return services.roster.agent_view(services.roster.agent(spec.address))


async def list_agents(services: Services, params: m.ListAgents) -> m.AgentList:
    """Agents in the order of their addresses."""
    if params.team is not None:
        services.roster.team(params.team)
    rows = sorted(services.roster.agents.values(), key=lambda row: row.spec.address)
    return m.AgentList(
        agents=tuple(
            services.roster.agent_view(row)
            for row in rows
            if (params.team is None or row.spec.team == params.team)
            and (not params.states or row.state in params.states)
        )
    )


async def info(services: Services, params: m.Target) -> AgentView:
    """One agent."""
    return services.roster.agent_view(services.roster.resolve(params.target))


async def screen(services: Services, params: m.ReadScreen) -> m.Screen:
    """The pane as it is, a dead one included."""
    row = services.roster.resolve(params.target)
    pane = _need_pane(row.spec.address, row.pane)
    if params.history < 0:
        raise UsageError(f"--history must not be negative, not {params.history}", hint="it counts lines of scrollback")
    seen = await services.tmux.capture(pane, ansi=params.ansi, history=params.history)
    if seen.dead and not params.history:
        # tmux made room for its "Pane is dead" by scrolling the first line away.
        seen = await services.tmux.capture(pane, ansi=params.ansi, history=1)
    return m.Screen(
        address=row.spec.address,
        pane=pane,
        lines=seen.lines,
        cursor=seen.cursor,
        columns=seen.columns,
        rows=seen.rows,
        title=seen.title,
    )


async def keys(services: Services, params: m.SendKeys) -> m.Done:
    """Press keys in the agent's pane."""
    row = services.roster.resolve(params.target)
    pane = _need_pane(row.spec.address, row.pane)
    if not row.pid:
        raise RefusedError(f"{row.spec.address} is not running", hint=f"tmux-orc agent start {row.spec.address}")
    if not params.keys:
        raise UsageError("no keys given", hint="for example: tmux-orc agent keys NAME Enter")
    keys = params.keys if params.literal else tuple(map(check_key, params.keys))
    await services.tmux.send_keys(pane, keys, literal=params.literal)
    return m.Done(changed=True)


async def wait(services: Services, params: m.WaitAgent) -> AgentView:
    """Answer when the agent is in one of the states, at once if it is."""
    row = services.roster.resolve(params.target)
    address = row.spec.address

    def reached() -> AgentView | None:
        now = services.roster.agent(address)
        return services.roster.agent_view(now) if now.state in params.states else None

    if not params.states:
        raise UsageError("no state given to wait for", hint="for example: --state idle")
    wanted = "|".join(params.states)
    return await within(params.timeout_s, services.events.until(address, reached), f"{address} to be {wanted}")


async def start(services: Services, params: m.Target) -> AgentView:
    """Start a stopped, failed or quarantined agent; one that runs is left as it is."""
    row = services.roster.resolve(params.target)
    address = row.spec.address
    supervisor = await reach_team(services, row.spec.team)
    if row.pid is None:
        check_spec(row.spec, services)
    await _want(services, address, Desired.RUNNING)
    # Also if it runs: it may be about to stop, which only its supervisor knows.
    with ordering(row.spec.team):
        await supervisor.resume_child(row.spec.name)
    return services.roster.agent_view(services.roster.agent(address))


async def stop(services: Services, params: m.StopAgent) -> AgentView:
    """End the agent in order; it stays stopped until started again."""
    row = services.roster.resolve(params.target)
    await stop_agent(services, row.spec, params.grace_s)
    return services.roster.agent_view(row)


async def kill(services: Services, params: m.Target) -> AgentView:
    """End the agent at once; it stays stopped until started again."""
    row = services.roster.resolve(params.target)
    await stop_agent(services, row.spec, 0.0)
    return services.roster.agent_view(row)


@whole
async def _want(services: Services, address: str, desired: Desired) -> None:
    """One wish about an agent after the other: what the journal has last is what the roster has and is ordered last."""
    wish = f"the wish for {address}"
    await services.unclaimed(wish)
    with services.claim(wish, "journaled"):
        await services.journal.set_desired((address,), desired)
        services.events.publish("agent.desired", address, desired=desired)


async def stop_agent(services: Services, spec: AgentSpec, grace_s: float | None) -> None:
    """Set desired to stopped and end the process, within `grace_s` (None: the agent's own)."""
    check_grace(grace_s)
    await _want(services, spec.address, Desired.STOPPED)
    with services.grace(spec.address, grace_s):
        await take_down(services, spec)


async def restart(services: Services, params: m.StopAgent) -> AgentView:
    """End the process and start a new one; the operator's own act, so it counts against no limit."""
    row = services.roster.resolve(params.target)
    address = row.spec.address
    supervisor = await reach_team(services, row.spec.team)
    check_spec(row.spec, services)
    check_grace(params.grace_s)
    await _want(services, address, Desired.RUNNING)
    with services.grace(address, params.grace_s), ordering(row.spec.team):
        await supervisor.restart_child(row.spec.name)
    return services.roster.agent_view(row)


async def remove(services: Services, params: m.StopAgent) -> m.Done:
    """Stop the agent, close its pane and forget it; its messages that wait become dead letters."""
    row = services.roster.resolve(params.target)
    with services.grace(row.spec.address, params.grace_s):
        await remove_agent(services, row.spec)
    return m.Done(changed=True, message=f"{row.spec.address} removed")


async def adopt(services: Services, params: m.Adopt) -> AgentView:
    """Take over a pane of our tmux server that already runs a program."""
    check_name(params.name, "agent")
    find_kind(services.kinds, params.kind)
    if not params.pane.startswith("%") or not params.pane[1:].isdigit():
        raise UsageError(
            f"{params.pane!r} is not a pane id", hint=f"a pane id looks like %12; see: {_panes_of(services)}"
        )
    running = await _running_pane(services, params.pane)
    owner = next(
        (a for a, p in services.panes.items() if p.pane_id == params.pane and a in services.roster.agents), None
    )
    if owner:
        raise ConflictError(
            f"pane {params.pane} is agent {owner} already",
            hint=f"see it with: tmux-orc agent info {owner}",
            details={"address": owner},
        )
    spec = AgentSpec(
        name=params.name,
        team=params.team,
        kind=params.kind,
        cwd=await _directory_of(services, params.pane),
        command=command_of(running.pid) or (await _word(services, params.pane, "#{pane_current_command}"),),
        path=search_path_of(running.pid) or os.defpath,
        restart=params.restart,
    )
    if spec.team == "main":
        await ensure_team(services, spec.team)
    await add_agent(services, spec, running)
    return services.roster.agent_view(services.roster.agent(spec.address))


def _panes_of(services: Services) -> str:
    """The command that shows a person which panes there are."""
    return f"tmux -S {services.tmux.endpoint.socket_path} list-panes -a"


async def _running_pane(services: Services, pane: str) -> FoundPane:
    try:
        status = await services.tmux.pane_status(pane)
    except NoSuchTarget:
        status = None
    if status is None or status.dead:
        raise NotFoundError(
            f"there is no running pane {pane} on {services.tmux.endpoint.socket_path}",
            hint=f"only panes of this instance's tmux server can be adopted; see: {_panes_of(services)}",
            details={"pane": pane},
        )
    window = await _word(services, pane, "#{window_id}")
    return FoundPane(pane_id=pane, window_id=window, pid=status.pid, dead=False, sessions=(), options={})


def command_of(pid: int) -> tuple[str, ...]:
    """The words that the process was started with; none where the system does not tell."""
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            words = file.read().rstrip(b"\0").split(b"\0")
    except OSError:
        return ()
    return tuple(word.decode(errors="replace") for word in words if words != [b""])


def search_path_of(pid: int) -> str:
    """The PATH that the process was started with; empty where the system does not tell."""
    found = (entry for entry in environment_of(pid) if entry.startswith(b"PATH="))
    return next(found, b"PATH=").decode(errors="replace")[len("PATH=") :]


async def _directory_of(services: Services, pane: str) -> str:
    path = await _word(services, pane, "#{pane_current_path}")
    return path if os.path.isabs(path) else "/"


async def _word(services: Services, pane: str, format_: str) -> str:
    lines = await services.tmux.run("display-message", "-p", "-t", pane, format_)
    return b"\n".join(lines).decode(errors="replace")


async def attach(services: Services, params: m.Target) -> m.AttachTarget:
    """What tmux needs to show the agent."""
    row = services.roster.resolve(params.target)
    _need_pane(row.spec.address, row.pane)
    session = services.roster.team(row.spec.team).session
    if session is None:
        raise NotFoundError(f"team {row.spec.team} has no tmux session just now")
    endpoint = services.tmux.endpoint
    return m.AttachTarget(tmux=endpoint.binary, tmux_socket=endpoint.socket_path, session=session, window=row.window)


def _need_pane(address: str, pane: str | None) -> str:
    if pane is None:
        raise NotFoundError(
            f"{address} has no pane just now", hint=f"tmux-orc agent start {address}", details={"address": address}
        )
    return pane
