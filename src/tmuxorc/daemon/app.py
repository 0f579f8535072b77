"""The supervisor's whole life in one function: load the kinds, open the tree, tell what happens in it, leave."""

from collections.abc import Callable
from contextlib import suppress

import trio

from tmuxorc import __version__
from tmuxorc.actors import Actor, LifecycleEvent, open_system
from tmuxorc.actors.lifecycle import report
from tmuxorc.actors.root import root_spec
from tmuxorc.actors.services import Services
from tmuxorc.agents import load_kinds
from tmuxorc.config import Settings
from tmuxorc.daemon.routes import make_routes
from tmuxorc.daemon.socket import SocketActor
from tmuxorc.errors import TmuxError
from tmuxorc.paths import Paths


async def run(paths: Paths, settings: Settings, *, ready: Callable[[], None], shutdown: trio.Event) -> None:
    """Supervise until `shutdown` is set; `ready` is called once clients are answered.

    Raises the first part's own error when it cannot start: tmux missing, the journal of a newer version, and so on.
    """
    services = Services(paths, settings, load_kinds(paths.kinds_dir))
    services.shutdown = shutdown
    routes = make_routes(services)

    def socket() -> Actor:
        return SocketActor(paths, routes)

    def on_event(event: LifecycleEvent) -> None:
        report(services, event)

    async with open_system(root_spec(services, socket), on_event=on_event) as system:
        services.events.publish("supervisor.started", "supervisor", version=__version__)
        ready()
        async with trio.open_nursery() as nursery:
            nursery.start_soon(system.wait)
            await shutdown.wait()
            nursery.cancel_scope.cancel()
        services.events.publish("supervisor.stopping", "supervisor")
        services.detaching = True
        unused = services.close_tmux and await _close_panes(services)
    if unused:
        await _end_own_server(services)


async def _close_panes(services: Services) -> bool:
    """Close the panes of agents that have ended; whether the tmux server is ours and holds nothing else."""
    with suppress(TmuxError):
        tmux = services.tmux
        for pane in services.panes.values():
            await tmux.close_pane(pane.pane_id)
        left = await tmux.run("list-sessions", "-F", "#{session_id}")
        return tmux.endpoint.private and left == (tmux.hub.encode(),)
    return False


async def _end_own_server(services: Services) -> None:
    if services.endpoint is not None:
        command = [services.endpoint.binary, "-N", "-S", services.endpoint.socket_path, "kill-server"]
        with trio.move_on_after(5):
            await trio.run_process(command, check=False, capture_stderr=True, capture_stdout=True)
