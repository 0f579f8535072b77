"""Results drawn for people.  One function per result type; a command may name another for its own."""

from collections.abc import Callable
from importlib import import_module
from typing import Any

DRAWN_IN = {
    "AgentView": ("_agents", "agent"),
    "acted": ("_agents", "acted"),
    "AgentList": ("_agents", "agent_list"),
    "Screen": ("_agents", "screen"),
    "TeamView": ("_teams", "team"),
    "TeamList": ("_teams", "team_list"),
    "TeamDetail": ("_teams", "team_detail"),
    "Plan": ("_teams", "plan"),
    "MessageView": ("_messages", "message"),
    "MessageList": ("_messages", "message_list"),
    "sent": ("_messages", "sent"),
    "redelivered": ("_messages", "redelivered"),
    "EventView": ("_messages", "event"),
    "EventList": ("_messages", "event_list"),
    "SystemStatus": ("_system", "system_status"),
    "DaemonStatus": ("_system", "daemon_status"),
    "Overview": ("_system", "overview"),
    "SessionList": ("_system", "session_list"),
    "Done": ("_system", "done"),
    "LogLines": ("_system", "log_lines"),
    "ConfigView": ("_help", "config_view"),
    "path": ("_help", "path"),
    "ConfigCheck": ("_help", "config_check"),
    "Health": ("_help", "health"),
    "Script": ("_help", "script"),
    "Answered": ("_prompts", "answered"),
    "Why": ("_prompts", "why"),
    "Detected": ("_kinds", "detected"),
    "KindList": ("_kinds", "kind_list"),
    "CommandTree": ("_help", "command_tree"),
    "DemoReport": ("_help", "demo_report"),
}
"""Module and function by the name of the result's type, or by the name a command gives in its declaration."""


def renderer(name: str) -> Callable[[Any], str]:
    """The function that draws results of this name."""
    module, function = DRAWN_IN[name]
    found: Callable[[Any], str] = getattr(import_module(f"tmuxorc.cli.render.{module}"), function)
    return found


def render(result: Any, name: str | None = None) -> str:
    """`result` as text for this terminal, without the newline at its end."""
    return renderer(name or type(result).__name__)(result)
