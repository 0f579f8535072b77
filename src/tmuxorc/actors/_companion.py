"""The process that runs beside an agent for as long as it does, such as the server that the agent is a client of.

It lives in a window that only the hub shows: tmux starts it with the very environment that the agent gets, and keeps it
when the supervisor goes.
"""

import os

import trio

from tmuxorc.actors._place import Prepared
from tmuxorc.actors.launch import process_marker
from tmuxorc.actors.services import Services
from tmuxorc.errors import ActorError
from tmuxorc.model import AgentSpec
from tmuxorc.tmux import PaneSpec
from tmuxorc.tmux.process import end_tree, find_process

COMPANION = "companion"
"""The pane option that names the agent beside which the pane's program runs."""

GRACE_S = 1.0
"""How long it may take to end once its agent has."""

_WAITS_S = (0.005, 0.01, 0.02, 0.04, *(0.05,) * 300)


class CompanionError(ActorError):
    """What must run beside the agent did not start."""

    code = "companion"


async def start_companion(services: Services, spec: AgentSpec, prepared: Prepared, agent: PaneSpec) -> None:
    """Start what `prepared` asks for, with the environment of `agent`, and return once it is ready; ends an old one.

    Raises `CompanionError`.
    """
    await end_companion(services, spec.address)
    # One that outlived its tmux server still holds its socket; nothing else of the agent runs now.
    await end_tree(0, GRACE_S, marker=process_marker(services, spec.address))
    wanted = PaneSpec(
        name=f"{spec.name}-{COMPANION}",
        argv=prepared.companion,
        cwd=agent.cwd,
        env=agent.env,
        unset=agent.unset,
        options={COMPANION: spec.address},
    )
    pane = services.companions[spec.address] = await services.tmux.create_hidden(wanted)
    for wait_s in _WAITS_S:
        if _is_there(prepared.companion_ready):
            return
        if find_process(pane.pid) is None:
            break
        await trio.sleep(wait_s)
    await end_companion(services, spec.address)
    words = " ".join(prepared.companion[:2])
    raise CompanionError(f"{words} did not get ready for {spec.address}", hint=f"try it by hand: {words}")


async def end_companion(services: Services, address: str) -> None:
    """End the process beside an agent, and all that it started; its pane goes with it."""
    pane = services.companions.pop(address, None)
    if pane is not None and find_process(pane.pid) is not None:
        await end_tree(pane.pid, GRACE_S)


def _is_there(path: str) -> bool:
    return os.path.exists(path)
