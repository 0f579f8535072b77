"""Requests about the supervisor itself, the whole system, and its tmux sessions."""

import os
import resource
import sys

import msgspec
import trio

from tmuxorc import __version__
from tmuxorc.actors.roster import count_states
from tmuxorc.actors.services import Services
from tmuxorc.daemon.routes.agents import stop_agent
from tmuxorc.errors import NotFoundError
from tmuxorc.model import DaemonStatus, SessionView, SystemStatus
from tmuxorc.wire import methods as m


async def daemon_status(services: Services, params: m.Empty) -> DaemonStatus:
    """The supervisor process."""
    paths = services.paths
    tmux = services.tmux_or_none
    return DaemonStatus(
        pid=os.getpid(),
        version=__version__,
        protocol=m.PROTOCOL,
        uptime_s=round(trio.current_time() - services.started_at, 3),
        instance=paths.instance,
        socket=paths.socket,
        tmux_socket=services.tmux_socket,
        journal=paths.journal,
        log=paths.log,
        tmux_version="" if tmux is None else str(tmux.version),
        tmux_state="away" if tmux is None else "connected",
        rss_bytes=_rss_bytes(),
        cpu_s=sum(os.times()[:2]),
    )


async def status(services: Services, params: m.Empty) -> SystemStatus:
    """Everything at a glance."""
    roster = services.roster
    return SystemStatus(
        **msgspec.structs.asdict(await daemon_status(services, params)),
        teams=tuple(roster.team_view(name) for name in sorted(roster.teams)),
        agents_total=len(roster.agents),
        agents=count_states(roster.agents.values()),
        messages=await services.journal.message_counts(),
        attention=roster.attention(),
    )


def _rss_bytes() -> int:
    try:
        with open("/proc/self/statm", "rb") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


async def stop(services: Services, params: m.StopDaemon) -> m.Done:
    """Stop the supervisor once this has been answered; with `agents`, end every agent first, in order."""
    if params.agents:
        async with trio.open_nursery() as nursery:
            for name in services.roster.teams:
                nursery.start_soon(_stop_agents, services, name)
        services.close_tmux = True
    services.shutdown.set()
    return m.Done(changed=True, message="stopping, agents ended" if params.agents else "stopping, agents stay")


async def _stop_agents(services: Services, team: str) -> None:
    for row in reversed(services.roster.members(team)):
        await stop_agent(services, row.spec, None)


async def list_sessions(services: Services, params: m.Empty) -> m.SessionList:
    """Our tmux sessions."""
    sessions = await services.tmux.list_sessions()
    return m.SessionList(
        sessions=tuple(
            SessionView(id=s.session_id, name=s.name, team=s.team, windows=s.windows, attached=s.attached)
            for s in sessions
        )
    )


async def attach_session(services: Services, params: m.TeamName) -> m.AttachTarget:
    """What tmux needs to show a team."""
    session = services.roster.team(params.team).session
    if session is None:
        raise NotFoundError(
            f"team {params.team} has no tmux session: no agent of it has run yet",
            hint=f"tmux-orc spawn NAME --team {params.team} -- COMMAND",
        )
    endpoint = services.tmux.endpoint
    return m.AttachTarget(tmux=endpoint.binary, tmux_socket=endpoint.socket_path, session=session, window=None)
