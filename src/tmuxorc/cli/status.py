"""The whole system at a glance."""

from tmuxorc.cli._app import GLANCE_TIMEOUT_S, App
from tmuxorc.cli._declare import command
from tmuxorc.errors import UnreachableError
from tmuxorc.model import Frozen, SystemStatus
from tmuxorc.wire.methods import SYSTEM_STATUS, Empty


class Overview(Frozen):
    """What the bare program says: `status` is None while no supervisor runs; `next` are commands to type."""

    instance: str
    running: bool
    status: SystemStatus | None
    next: tuple[str, ...]


@command("tmux-orc status", "tmux-orc status --json")
async def status(app: App) -> SystemStatus:
    """Show the whole system at a glance.

    Supervisor, tmux, teams, agents by state, messages by rung, and what needs a person.
    """
    return await app.call(SYSTEM_STATUS, Empty())


@command("tmux-orc")
async def overview(app: App) -> Overview:
    """Show the state of things in ten lines, and what to type next; starts no supervisor."""
    try:
        found = app.ask(SYSTEM_STATUS, Empty(), timeout_s=GLANCE_TIMEOUT_S)
    except UnreachableError:
        found = None
    commands = tuple(map(app.naming, _next(found)))
    return Overview(instance=app.instance, running=found is not None, status=found, next=commands)


def _next(status: SystemStatus | None) -> tuple[str, ...]:
    if status is None:
        return ("tmux-orc demo", "tmux-orc spawn alice --kind demo", "tmux-orc --help")
    if not status.agents_total:
        return ("tmux-orc spawn alice --kind demo", "tmux-orc demo", "tmux-orc --help")
    if status.attention:
        address = status.attention[0].address
        return (f"tmux-orc screen {address}", f"tmux-orc attach {address}", "tmux-orc --help")
    return ("tmux-orc list", "tmux-orc send AGENT TEXT", "tmux-orc --help")
