"""The connection to tmux as an actor: when it dies, all that needs panes starts again after it and adopts them."""

import logging
from collections.abc import Callable, Iterable
from contextlib import suppress

import trio

from tmuxorc.actors._companion import COMPANION, end_companion
from tmuxorc.actors._ending import end_process
from tmuxorc.actors._holding import Holding
from tmuxorc.actors.launch import since
from tmuxorc.actors.services import Services
from tmuxorc.errors import TmuxError
from tmuxorc.model import Desired
from tmuxorc.paths import make_tmux_socket_dir
from tmuxorc.tmux import (
    Endpoint,
    FoundPane,
    ServerEvent,
    SessionClosed,
    SessionOpened,
    Tmux,
    TmuxTimeout,
    find_tmux,
    open_tmux,
)
from tmuxorc.tmux.process import end_tree, find_process

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
            # Of two panes of one agent, one removed while tmux was away and made anew, the living one is meant.
            by_life = sorted(found, key=lambda pane: not pane.dead)
            services.panes.update({pane.options["agent"]: pane for pane in by_life if pane.options.get("agent")})
            services.companions.clear()
            services.companions.update({pane.options[COMPANION]: pane for pane in found if COMPANION in pane.options})
            self._tell_of_dead(found)
            services.inherited = await _inherited_variables(tmux)
            for session in await tmux.list_sessions():
                self._set_session(session.team, session.session_id)
            services.tmux_or_none = tmux
            tmux.watch_server(self._on_server_event)
            services.events.publish("tmux.connected", "tmux", version=str(tmux.version), panes=len(found))
            try:
                ready()
                async with trio.open_nursery() as nursery:
                    nursery.start_soon(self._end_unwanted, found)
                    nursery.start_soon(_lose_patience, tmux)
                    await tmux.wait_closed()
            finally:
                services.tmux_or_none = None
                for row in services.roster.teams.values():
                    row.session = None
                services.events.publish("tmux.left", "tmux")

    async def _end_unwanted(self, found: Iterable[FoundPane]) -> None:
        """Finish what could not be before: end agents that were to stop, close panes of removed and refused ones."""
        services = self.services
        with suppress(TmuxError):
            for pane in found:
                address = pane.options.get("agent", "")
                row = services.roster.agents.get(address)
                known = services.panes.get(address, pane)
                ended = pane.dead or find_process(pane.pid) is None  # tmux is now and then late to notice
                if ended and (row is None or known.pane_id != pane.pane_id):
                    await services.tmux.close_pane(pane.pane_id)
                elif row is None and self._is_nobodys(pane):
                    services.panes.pop(address, None)  # whoever takes the name meanwhile is not to adopt it
                    await end_tree(pane.pid, 0.0)
                    await services.tmux.close_pane(pane.pane_id)
                elif row is not None and not ended and services.roster.agent_view(row).desired is Desired.STOPPED:
                    await end_process(services, row.spec, pane)
                    self._tell_of_pane(pane)
            for address in self._alone():
                await end_companion(services, address)

    def _alone(self) -> list[str]:
        """Agents of which nothing but the process beside them is left."""
        panes = self.services.panes
        return [a for a in self.services.companions if a not in panes or find_process(panes[a].pid) is None]

    def _is_nobodys(self, pane: FoundPane) -> bool:
        """Whether its agent was removed, or never came to be, though the pane did: this journal knows its team.

        The pane of a team that was made at another time may be all that a lost journal left.
        """
        team = pane.options.get("agent", "").partition("/")[0]
        return team in self.services.roster.teams and pane.options.get("since") == since(self.services, team)

    def _tell_of_dead(self, found: Iterable[FoundPane]) -> None:
        """An agent that is adopted tells of its pane itself; one that has ended still shows its last screen."""
        for pane in found:
            if pane.dead:
                self._tell_of_pane(pane)

    def _tell_of_pane(self, pane: FoundPane) -> None:
        address = pane.options.get("agent", "")
        if address in self.services.roster.agents:
            self.services.events.publish("agent.pane_found", address, pane=pane.pane_id, window=pane.window_id)

    def _on_server_event(self, event: ServerEvent) -> None:
        if isinstance(event, SessionOpened):
            self._set_session(event.team, event.session_id)
        elif isinstance(event, SessionClosed):
            self._set_session(event.team, None)

    def _set_session(self, team: str, session: str | None) -> None:
        if team in self.services.roster.teams:
            self.services.events.publish("team.session", team, session=session)


async def _lose_patience(tmux: Tmux) -> None:
    """Begin anew once tmux was silent for too long: what was asked of it may yet happen, and is looked for then."""
    await tmux.wait_overdue()
    raise TmuxTimeout("tmux did not answer in time; connecting again")


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
