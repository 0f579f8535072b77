"""Requests about the event stream."""

from tmuxorc.actors.services import Services
from tmuxorc.errors import UsageError
from tmuxorc.model import EventView
from tmuxorc.wire import methods as m
from tmuxorc.wire.server import Session

_PAGE = 500


async def list_events(services: Services, params: m.ListEvents) -> m.EventList:
    """Events from the journal, oldest first."""
    journal = services.journal
    await services.events.flushed()
    events = await journal.events(since=params.since, limit=params.limit, subject=params.subject)
    return m.EventList(events=tuple(events), last_seq=services.events.last_seq)


async def follow(services: Services, params: m.FollowEvents, session: Session) -> m.EventList:
    """Everything after `since`, then each new event, with neither gap nor repetition, until the client goes away."""
    newest = services.events.last_seq
    if params.since is not None and params.since > newest:
        raise UsageError(
            f"there is no event {params.since} yet, the newest is {newest}",
            hint="numbers begin anew with a new journal; leave --since out to follow from now on",
            details={"since": params.since, "last_seq": newest},
        )
    sent = newest if params.since is None else params.since
    while True:
        async with services.events.follow() as live:
            sent = await _catch_up(services, session, params.subject, sent)
            async for event in live:
                if event.seq > sent:
                    sent = event.seq
                    await _show(session, event, params.subject)


async def _catch_up(services: Services, session: Session, subject: str | None, sent: int) -> int:
    while True:
        page = await services.journal.events(since=sent, limit=_PAGE, subject=subject)
        for event in page:
            sent = event.seq
            await session.notify(event)
        if len(page) < _PAGE:
            return sent


async def _show(session: Session, event: EventView, subject: str | None) -> None:
    if subject is None or _is_about(event, subject):
        await session.notify(event)


def _is_about(event: EventView, subject: str) -> bool:
    """What `Journal.events` takes for a match."""
    return event.subject == subject or (subject.endswith("/*") and event.subject.startswith(subject[:-1]))
