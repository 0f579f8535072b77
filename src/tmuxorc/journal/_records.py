"""What goes into the journal and comes out of it, where `tmuxorc.model` has no type for it."""

from datetime import datetime
from typing import Any

from tmuxorc.model import AgentSpec, Desired, Frozen, LastExit, MessageView, TeamSpec, Terms


class TeamRecord(Frozen):
    """A team as journaled."""

    spec: TeamSpec
    desired: Desired
    created_at: datetime


class AgentRecord(Frozen):
    """An agent as journaled: what is wanted of it, and its last known run.

    `restarts` counts the restarts so far, `generation` the incarnations (S6), `pane` is tmux's id of the pane.
    `session` is the agent's own name for the session it was in, empty if it has none or none is known.
    """

    spec: AgentSpec
    desired: Desired
    created_at: datetime
    pane: str | None = None
    pid: int | None = None
    generation: int = 0
    restarts: int = 0
    last_exit: LastExit | None = None
    session: str = ""


class NewMessage(Frozen):
    """A message not accepted yet; `target` is the address of one agent."""

    sender: str
    target: str
    text: str
    terms: Terms = Terms()


class EventDraft(Frozen):
    """An event that has no sequence number yet; `data` must be JSON-able."""

    type: str
    subject: str
    at: datetime
    generation: int = 0
    data: dict[str, Any] = {}


class Snapshot(Frozen):
    """All a new supervisor needs to carry on: desired state, messages not settled yet (oldest first), the newest event.

    `last_seq` is 0 while there has never been an event.
    """

    teams: tuple[TeamRecord, ...]
    agents: tuple[AgentRecord, ...]
    messages: tuple[MessageView, ...]
    last_seq: int
