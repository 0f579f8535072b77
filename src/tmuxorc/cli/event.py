"""Commands about the stream of events."""

from typing import Annotated

from tmuxorc.cli import _complete
from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Opt, command
from tmuxorc.model import EventView
from tmuxorc.wire.methods import EVENT_FOLLOW, EVENT_LIST, EventList, FollowEvents, ListEvents

Since = Annotated[int | None, Opt("--since", metavar="SEQ", help="Only events after this sequence number.")]
Subject = Annotated[
    str | None,
    Opt("--subject", metavar="ADDRESS", help="Only about this agent, team or part.", complete=_complete.agents),
]


@command("tmux-orc event list", "tmux-orc event list --since 1200 --subject main/alice")
async def list_events(
    app: App,
    *,
    since: Since = None,
    limit: Annotated[int, Opt("--limit", "-n", metavar="N", help="How many at most.")] = 200,
    subject: Subject = None,
) -> EventList:
    """List the newest events.

    With --since the oldest ones after that number instead, so that a reader can go on where it stopped.
    """
    return await app.call(EVENT_LIST, ListEvents(since=since, limit=limit, subject=subject))


@command(
    "tmux-orc event follow",
    "tmux-orc event follow --since 0 --json | jq .type",
    stream=EventView,
)
async def follow(app: App, *, since: Since = None, subject: Subject = None) -> EventList:
    """Print events as they happen, until interrupted.

    With --json each event is an object on a line of its own.
    """
    return await app.stream(EVENT_FOLLOW, FollowEvents(since=since, subject=subject), app.emit)
