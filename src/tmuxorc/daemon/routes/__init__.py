"""What the supervisor does for each request of the protocol: one function a request, in the module of its noun."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from tmuxorc.actors.services import Services
from tmuxorc.daemon.routes import agents, events, messages, running, system, teams
from tmuxorc.wire import methods as m
from tmuxorc.wire.server import Handler, Session

Plain = Callable[[Services, Any], Awaitable[object]]
Streaming = Callable[[Services, Any, Session], Awaitable[object]]

_PLAIN: dict[m.AnyMethod, Plain] = {
    m.DAEMON_STATUS: system.daemon_status,
    m.DAEMON_STOP: system.stop,
    m.SYSTEM_STATUS: system.status,
    m.AGENT_SPAWN: agents.spawn,
    m.AGENT_LIST: agents.list_agents,
    m.AGENT_INFO: agents.info,
    m.AGENT_SCREEN: agents.screen,
    m.AGENT_KEYS: agents.keys,
    m.AGENT_WAIT: agents.wait,
    m.AGENT_START: agents.start,
    m.AGENT_STOP: agents.stop,
    m.AGENT_RESTART: agents.restart,
    m.AGENT_KILL: agents.kill,
    m.AGENT_REMOVE: agents.remove,
    m.AGENT_ADOPT: agents.adopt,
    m.AGENT_ATTACH: agents.attach,
    m.AGENT_ANSWER: running.answer,
    m.AGENT_INTERRUPT: running.interrupt,
    m.AGENT_WHY: running.why,
    m.HOOK_REPORT: running.hook,
    m.MESSAGE_SEND: messages.send,
    m.MESSAGE_LIST: messages.list_messages,
    m.MESSAGE_SHOW: messages.show,
    m.MESSAGE_CANCEL: messages.cancel,
    m.MESSAGE_ACK: messages.ack,
    m.MESSAGE_REPLY: messages.reply,
    m.MESSAGE_REDELIVER: messages.redeliver,
    m.TEAM_CREATE: teams.create,
    m.TEAM_LIST: teams.list_teams,
    m.TEAM_STATUS: teams.status,
    m.TEAM_START: teams.start,
    m.TEAM_STOP: teams.stop,
    m.TEAM_REMOVE: teams.remove,
    m.EVENT_LIST: events.list_events,
    m.SESSION_LIST: system.list_sessions,
    m.SESSION_ATTACH: system.attach_session,
}

_STREAMING: dict[m.AnyMethod, Streaming] = {
    m.TEAM_APPLY: teams.apply,
    m.EVENT_FOLLOW: events.follow,
}


def make_routes(services: Services) -> Mapping[str, Handler]:
    """Every request's handler by its name on the wire."""
    routes = {method.name: _without_session(services, route) for method, route in _PLAIN.items()}
    routes.update({method.name: _with_session(services, route) for method, route in _STREAMING.items()})
    return routes


def _without_session(services: Services, route: Plain) -> Handler:
    async def handle(params: Any, session: Session) -> object:
        return await route(services, params)

    return handle


def _with_session(services: Services, route: Streaming) -> Handler:
    async def handle(params: Any, session: Session) -> object:
        return await route(services, params, session)

    return handle
