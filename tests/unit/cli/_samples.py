"""Views as a supervisor gives them."""

from datetime import UTC, datetime, timedelta
from typing import Any

from tmuxorc.model import (
    AgentState,
    AgentView,
    Attention,
    AutoShutdown,
    DaemonStatus,
    Desired,
    EventView,
    MessageStep,
    MessageView,
    Restart,
    Rung,
    Strategy,
    SystemStatus,
    TeamView,
)

THEN = datetime.now(UTC) - timedelta(minutes=5)

DAEMON: dict[str, Any] = {
    "pid": 4242,
    "version": "0.1.0",
    "protocol": 1,
    "uptime_s": 312.5,
    "instance": "default",
    "socket": "/run/user/1000/tmux-orc/default/socket",
    "tmux_socket": "/tmp/tmux-1000/tmuxorc",
    "journal": "/home/u/.local/state/tmux-orc/default/journal.db",
    "log": "/home/u/.local/state/tmux-orc/default/supervisor.log",
    "tmux_version": "3.3a",
    "tmux_state": "connected",
    "rss_bytes": 40_000_000,
    "cpu_s": 1.5,
}


def agent(name: str = "alice", **said: Any) -> AgentView:
    """An agent; what is not said is ordinary."""
    team = said.get("team", "main")
    ordinary: dict[str, Any] = {
        "name": name,
        "team": team,
        "address": f"{team}/{name}",
        "kind": "demo",
        "role": "",
        "state": AgentState.IDLE,
        "state_since": THEN,
        "detail": "",
        "desired": Desired.RUNNING,
        "generation": 1,
        "restarts": 0,
        "restart": Restart.TRANSIENT,
        "restart_at": None,
        "last_exit": None,
        "pane": "%3",
        "window": "@3",
        "pid": 4711,
        "cwd": "/home/u/src",
        "command": ("python", "-m", "demo"),
        "brief": "",
        "adopted": False,
        "created_at": THEN,
        "messages_waiting": 0,
    }
    return AgentView(**(ordinary | said))


def team(name: str = "main", **said: Any) -> TeamView:
    """A team; what is not said is ordinary."""
    ordinary: dict[str, Any] = {
        "name": name,
        "strategy": Strategy.ONE_FOR_ONE,
        "intensity": 10,
        "period_s": 60.0,
        "auto_shutdown": AutoShutdown.NEVER,
        "desired": Desired.RUNNING,
        "session": "$1",
        "agents": (f"{name}/alice",),
        "states": {"idle": 1, "busy": 0},
        "created_at": THEN,
    }
    return TeamView(**(ordinary | said))


def message(id: str = "m-1", **said: Any) -> MessageView:
    """A message; what is not said is ordinary."""
    ordinary: dict[str, Any] = {
        "id": id,
        "sender": "operator",
        "target": "main/alice",
        "text": "hello",
        "rung": Rung.ACCEPTED,
        "detail": "",
        "created_at": THEN,
        "updated_at": THEN,
        "history": (MessageStep(rung=Rung.ACCEPTED, at=THEN, evidence="journal"),),
    }
    return MessageView(**(ordinary | said))


def event(seq: int = 1, **said: Any) -> EventView:
    """An event; what is not said is ordinary."""
    ordinary: dict[str, Any] = {"seq": seq, "at": THEN, "type": "agent.started", "subject": "main/alice"}
    return EventView(**(ordinary | said))


def daemon_status() -> DaemonStatus:
    """A supervisor."""
    return DaemonStatus(**DAEMON)


def system_status(**said: Any) -> SystemStatus:
    """A system with one agent."""
    ordinary: dict[str, Any] = {
        "teams": (team(),),
        "agents_total": 1,
        "agents": {"idle": 1},
        "messages": {"submitted": 3},
        "attention": (),
    }
    return SystemStatus(**(DAEMON | ordinary | said))


def attention(address: str = "main/alice", detail: str = "Run: rm") -> Attention:
    """Something that needs a person."""
    return Attention(address=address, state=AgentState.BLOCKED, since=THEN, detail=detail)
