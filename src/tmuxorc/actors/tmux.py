"""The connection to tmux as an actor: when it dies, everything that needs panes starts again after it and adopts them."""

import logging
from collections.abc import Callable

import trio

from tmuxorc.actors._holding import Holding
from tmuxorc.actors.services import Services
from tmuxorc.paths import make_tmux_socket_dir
from tmuxorc.tmux import Endpoint, ServerEvent, SessionClosed, SessionOpened, Tmux, find_tmux, open_tmux

log = logging.getLogger(__name__)


class TmuxActor(Holding):
    """Holds the control-mode connection; keeps the roster's sessions true."""

    def __init__(self, services: Services) -> None:
        super().__init__()
        self.services = services

    async def hold(self, ready: Callable[[], None]) -> None:
        """Connect, take the inventory of our panes, stay until cancelled or tmux is gone."""
        services = self.services
        endpoint = services.endpoint = await find_endpoint(services)
        async with open_tmux(
            endpoint,
            instance=services.paths.instance,
            size=services.settings.tmux.size,
            history_limit=services.settings.tmux.history_limit,
        ) as tmux:
            found = await tmux.inventory()
            services.panes.clear()
            services.panes.update({pane.options["agent"]: pane for pane in found if pane.options.get("agent")})
            services.inherited = await _inherited_variables(tmux)
            for session in await tmux.list_sessions():
                self._set_session(session.team, session.session_id)
            services.tmux_or_none = tmux
            tmux.watch_server(self._on_server_event)
            services.events.publish("tmux.connected", "tmux", version=str(tmux.version), panes=len(found))
            try:
                ready()
                await tmux.wait_closed()
            finally:
                services.tmux_or_none = None
                for row in services.roster.teams.values():
                    row.session = None
                services.events.publish("tmux.left", "tmux")

    def _on_server_event(self, event: ServerEvent) -> None:
        if isinstance(event, SessionOpened):
            self._set_session(event.team, event.session_id)
        elif isinstance(event, SessionClosed):
            self._set_session(event.team, None)

    def _set_session(self, team: str, session: str | None) -> None:
        if team in self.services.roster.teams:
            self.services.events.publish("team.session", team, session=session)


async def find_endpoint(services: Services) -> Endpoint:
    """Where this instance's tmux is; raises `TmuxError` if tmux is missing, too old or does not answer."""
    settings = services.settings.tmux
    installed = await trio.to_thread.run_sync(find_tmux, settings.binary, abandon_on_cancel=True)
    make_tmux_socket_dir(services.tmux_socket)
    return Endpoint(binary=installed.path, socket_path=services.tmux_socket, private=settings.socket == "private")


async def _inherited_variables(tmux: Tmux) -> tuple[str, ...]:
    """Names of the variables that the server hands to every pane."""
    lines = await tmux.run("show-environment", "-g")
    words = (line.decode(errors="replace").partition("=")[0] for line in lines)
    return tuple(word for word in words if word and not word.startswith("-"))
