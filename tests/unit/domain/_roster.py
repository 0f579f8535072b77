"""Rosters made of events."""

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from tmuxorc.actors.roster import Roster
from tmuxorc.journal import EventDraft
from tmuxorc.model import AgentSpec, TeamSpec

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)


class Story:
    """A roster and the clock of its events: each is a second after the one before."""

    def __init__(self) -> None:
        self.roster = Roster()
        self.now = NOON

    def tell(self, type: str, subject: str, generation: int = 0, **data: Any) -> datetime:
        """Fold one event in; returns when it was."""
        self.now += timedelta(seconds=1)
        self.roster.apply(EventDraft(type=type, subject=subject, generation=generation, data=data, at=self.now))
        return self.now

    def team(self, name: str, **fields: Any) -> datetime:
        """Define a team."""
        return self.tell("team.defined", name, spec=msgspec.to_builtins(TeamSpec(name=name, **fields)))

    def agent(self, address: str, **fields: Any) -> datetime:
        """Define an agent."""
        team, _, name = address.partition("/")
        spec = AgentSpec(name=name, team=team, **fields)
        return self.tell("agent.defined", address, spec=msgspec.to_builtins(spec))

    def start(self, address: str, generation: int = 1, *, adopted: bool = False) -> datetime:
        """An incarnation begins."""
        where = {"pane": "%7", "window": "@7", "pid": 100 + generation}
        return self.tell("agent.started", address, generation, **where, adopted=adopted)

    def exit(self, address: str, reason: str, message: str = "it ended", **data: Any) -> datetime:
        """Its process ends."""
        return self.tell("agent.exited", address, 1, reason=reason, message=message, **data)


def one_agent(**fields: Any) -> Story:
    """A team ``main`` with one agent ``a`` that runs."""
    story = Story()
    story.team("main")
    story.agent("main/a", **fields)
    story.start("main/a")
    return story
