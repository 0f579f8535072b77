"""Where an agent's pane comes from: taken over if it is there, else made (S14)."""

from collections.abc import Mapping

from tmuxorc.actors._companion import start_companion
from tmuxorc.actors._place import recall
from tmuxorc.actors.launch import pane_options, pane_spec, place_by_pid, prepared, process_marker, spec_hash
from tmuxorc.actors.services import Services
from tmuxorc.channels import Place
from tmuxorc.model import AgentSpec, Frozen
from tmuxorc.tmux import NoSuchTarget, PaneInfo, PaneSpec, PaneStatus
from tmuxorc.tmux.process import end_tree

NOTED_STATE = "state"
"""The pane option that says what its agent was last seen doing, and since when."""


class Taken(Frozen):
    """A pane with the agent's process in it; `adopted` if it ran before, `noted` is what was last seen of it.

    `place` is where it can be reached besides, None if nowhere.
    """

    pane: PaneInfo
    generation: int
    adopted: bool
    noted: str = ""
    place: Place | None = None


async def take_pane(services: Services, spec: AgentSpec) -> Taken:
    """The agent's pane with its process running; raises a `TmuxOrcError` if it cannot be had."""
    known = services.panes.get(spec.address)
    status = None if known is None else await _status_of(services, known)
    if known is None or status is None:
        return await _create(services, spec)
    if status.dead:
        return await _respawn(services, spec, known)
    options = await services.tmux.get_options(known.pane_id)
    # A pane without our mark is one a person told us to adopt: whatever runs there is what was meant.
    if options.get("spec", "") not in ("", spec_hash(spec)):
        await end_tree(status.pid, services.grace_of(spec), marker=process_marker(services, spec.address))
        return await _respawn(services, spec, known)
    return await _adopt(services, spec, known, status.pid, options)


async def _status_of(services: Services, pane: PaneInfo) -> PaneStatus | None:
    try:
        return await services.tmux.pane_status(pane.pane_id)
    except NoSuchTarget:
        return None


async def _create(services: Services, spec: AgentSpec) -> Taken:
    generation = _next_generation(services, spec)
    wanted, place = await _made_ready(services, spec, generation)
    session = await _session(services, spec.team)
    try:
        pane = await services.tmux.create_pane(session, wanted)
    except NoSuchTarget:
        services.events.publish("team.session", spec.team, session=None)
        pane = await services.tmux.create_pane(await _session(services, spec.team), wanted)
    return Taken(pane=pane, generation=generation, adopted=False, place=place)


async def _respawn(services: Services, spec: AgentSpec, pane: PaneInfo) -> Taken:
    generation = _next_generation(services, spec)
    wanted, place = await _made_ready(services, spec, generation)
    again = await services.tmux.respawn_pane(pane.pane_id, wanted)
    return Taken(pane=again, generation=generation, adopted=False, place=place)


async def _made_ready(services: Services, spec: AgentSpec, generation: int) -> tuple[PaneSpec, Place | None]:
    """What is to run in the pane, with all that must be there before it."""
    ready = prepared(services, spec)
    wanted = pane_spec(services, spec, generation, ready)
    if ready.companion:
        await start_companion(services, spec, ready, wanted)
    return wanted, ready.place


def _next_generation(services: Services, spec: AgentSpec) -> int:
    return services.roster.agent(spec.address).generation + 1


async def _adopt(services: Services, spec: AgentSpec, pane: PaneInfo, pid: int, options: Mapping[str, str]) -> Taken:
    generation = max(1, services.roster.agent(spec.address).generation)
    if options.get("agent"):
        generation = int(options.get("generation") or generation)
    else:
        await services.tmux.adopt_pane(pane.pane_id, pane_options(services, spec, generation))
        await services.tmux.link_pane(pane.window_id, await _session(services, spec.team))
    live = PaneInfo(pane_id=pane.pane_id, window_id=pane.window_id, pid=pid)
    place = recall(services.paths, spec.address) or place_by_pid(services, spec, pid)
    return Taken(pane=live, generation=generation, adopted=True, noted=options.get(NOTED_STATE, ""), place=place)


async def _session(services: Services, team: str) -> str:
    known = services.roster.team(team).session
    return known if known is not None else await services.tmux.ensure_team_session(team)
