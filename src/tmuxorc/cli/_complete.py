"""Live names for shell completion: asks a supervisor that runs, starts none, and never says what went wrong."""

from tmuxorc.cli._app import App
from tmuxorc.errors import TmuxOrcError
from tmuxorc.wire.methods import AGENT_LIST, MESSAGE_LIST, TEAM_LIST, AgentList, Empty, ListAgents, ListMessages

PATIENCE_S = 1.0
"""Nobody waits longer for a key press to answer."""


def agents(app: App, typed: str) -> list[str]:
    """Addresses, or bare names that are the only one of their kind, beginning with `typed`."""
    return _fitting(_agent_words(app), typed)


def targets(app: App, typed: str) -> list[str]:
    """What a message may be sent to: agents, ``team/*`` and ``*``."""
    return _fitting([*_agent_words(app), *(f"{team}/*" for team in _team_words(app)), "*"], typed)


def teams(app: App, typed: str) -> list[str]:
    """Names of teams beginning with `typed`."""
    return _fitting(_team_words(app), typed)


def messages(app: App, typed: str) -> list[str]:
    """Ids of the newest messages beginning with `typed`."""
    try:
        found = app.ask(MESSAGE_LIST, ListMessages(), timeout_s=PATIENCE_S)
    except (TmuxOrcError, OSError):
        return []
    return _fitting([message.id for message in found.messages], typed)


def kinds(app: App, typed: str) -> list[str]:
    """Kinds of agents, shipped and the person's own."""
    from tmuxorc.agents.kinds import kind_names

    try:
        return _fitting(kind_names(app.paths.kinds_dir), typed)
    except (TmuxOrcError, OSError):
        return []


def _fitting(words: list[str], typed: str) -> list[str]:
    return [word for word in words if word.startswith(typed)]


def _agent_words(app: App) -> list[str]:
    try:
        found: AgentList = app.ask(AGENT_LIST, ListAgents(), timeout_s=PATIENCE_S)
    except (TmuxOrcError, OSError):
        return []
    names = [agent.name for agent in found.agents]
    return [name for name in names if names.count(name) == 1] + [agent.address for agent in found.agents]


def _team_words(app: App) -> list[str]:
    try:
        return [team.name for team in app.ask(TEAM_LIST, Empty(), timeout_s=PATIENCE_S).teams]
    except (TmuxOrcError, OSError):
        return []
