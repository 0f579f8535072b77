"""The end of an agent's process: the kind's own way first, then the whole tree, deepest first."""

import signal

import trio

from tmuxorc.actors.launch import process_marker
from tmuxorc.actors.services import Services
from tmuxorc.agents.kinds import find_kind
from tmuxorc.agents.schema import StopStep
from tmuxorc.errors import TmuxError
from tmuxorc.model import AgentSpec
from tmuxorc.tmux import PaneInfo
from tmuxorc.tmux.process import ProcessWatch, end_tree, open_process_watch, send_signal

LAST_LINES = 20
"""Lines of the dead agent's screen kept with its exit."""


async def end_process(services: Services, spec: AgentSpec, pane: PaneInfo) -> bool:
    """End the process and what it started, within the agent's grace; returns when all of it is gone.

    The answer tells whether the process itself had to be killed.
    """
    with services.ending(spec) as scope:
        async with open_process_watch(pane.pid) as watch:
            for step in find_kind(services.kinds, spec.kind).stop:
                await _take_step(services, pane, watch, step)
    left_s = max(0.0, scope.deadline - trio.current_time())
    return pane.pid in await end_tree(pane.pid, left_s, marker=process_marker(services, spec.address))


async def _take_step(services: Services, pane: PaneInfo, watch: ProcessWatch, step: StopStep) -> None:
    if step.keys:
        try:
            await services.tmux.send_keys(pane.pane_id, step.keys)
        except TmuxError:
            return
    if step.signal and watch.process is not None:
        send_signal(watch.process, signal.Signals[step.signal])
    with trio.move_on_after(float("inf") if step.wait_s is None else step.wait_s):
        await watch.wait_exit()


async def last_lines(services: Services, pane: PaneInfo) -> tuple[str, ...]:
    """What stands last on the agent's screen, without blank lines at the end."""
    try:
        # tmux makes room for its "Pane is dead" by scrolling the first line away.
        seen = await services.tmux.capture(pane.pane_id, history=1)
    except TmuxError:
        return ()
    lines = [line.rstrip() for line in seen.lines]
    if seen.dead:
        lines = [line for line in lines if not line.startswith("Pane is dead")]
    while lines and not lines[-1]:
        lines.pop()
    return tuple(lines[-LAST_LINES:])
