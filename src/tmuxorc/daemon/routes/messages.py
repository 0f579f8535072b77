"""Requests about messages: accept them for their receivers, and tell how far they have come."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from tmuxorc.actors.services import Services
from tmuxorc.channels import ChannelError
from tmuxorc.daemon.routes._common import within
from tmuxorc.delivery import check_sender, check_text
from tmuxorc.errors import ConflictError, NotFoundError, RefusedError, TimedOutError, TmuxError, UsageError
from tmuxorc.model import MessageView, Rung, Terms
from tmuxorc.wire import methods as m

NOW_PRIORITY = 1000
"""Before everything that only waits."""

_LADDER = (Rung.ACCEPTED, Rung.STAGED, Rung.QUEUED, Rung.SUBMITTED, Rung.TAKEN_IN, Rung.ANSWERED)


async def send(services: Services, params: m.SendMessage) -> m.Sent:
    """Accept one message per receiver, in one transaction; with `wait`, answer once each came so far or never will."""
    text = check_text(params.text)
    targets = receivers(services, params.target)
    accepted = await services.post.accept(
        services.journal, check_sender(params.sender), targets, text, await _terms(services, params)
    )
    if params.now:
        await _interrupt(services, targets)
    if params.wait is None or params.wait is Rung.ACCEPTED:
        return m.Sent.of(accepted)
    with services.post.following(accepted) as latest:
        try:
            await within(
                params.timeout_s,
                _all_reach(services, accepted, latest, params.wait),
                f"the message to be {params.wait.value}",
            )
        except TimedOutError as error:
            error.details["messages"] = [_brief(latest(message.id)) for message in accepted]
            raise
        return m.Sent.of(tuple(latest(message.id) for message in accepted))


async def _terms(services: Services, params: m.SendMessage) -> Terms:
    """What the sender asks for, checked."""
    if params.ttl_s is not None and params.ttl_s <= 0:
        raise UsageError(f"a message cannot expire after {params.ttl_s:g} s", hint="for example --ttl 10m")
    if params.reply_to:
        await services.journal.message(params.reply_to)
    return Terms(
        priority=NOW_PRIORITY if params.now else params.priority,
        expires_at=None if params.ttl_s is None else datetime.now(UTC) + timedelta(seconds=params.ttl_s),
        reply_to=params.reply_to,
        steer=params.steer,
        dedup=params.dedup,
    )


async def _interrupt(services: Services, targets: Iterable[str]) -> None:
    """End the turns that run; an agent that has none, or shows a prompt, gets the message in its time."""
    for target in targets:
        if (desk := services.desks.get(target)) is not None:
            with suppress(RefusedError, ChannelError, TmuxError):
                await desk.interrupt()


async def _all_reach(
    services: Services, messages: tuple[MessageView, ...], latest: Callable[[str], MessageView], wanted: Rung
) -> None:
    for message in messages:

        def there(id_: str = message.id) -> bool | None:
            return reached(latest(id_).rung, wanted) or services.post.is_final(id_) or None

        await services.events.until(message.target, there)


def _brief(message: MessageView) -> dict[str, str]:
    return {"id": message.id, "target": message.target, "rung": message.rung.value, "detail": message.detail}


def receivers(services: Services, target: str) -> list[str]:
    """The addresses meant by a name, an address, ``team/*`` or ``*``; raises `NotFoundError` when there are none."""
    roster = services.roster
    if target == "*":
        found = list(roster.agents)
    elif target.endswith("/*"):
        team = roster.team(target[:-2])
        found = [row.spec.address for row in roster.members(team.spec.name)]
    else:
        return [roster.resolve(target).spec.address]
    if not found:
        raise NotFoundError(f"{target!r} has no agents", hint="see what there is with: tmux-orc list")
    return found


def reached(rung: Rung, wanted: Rung) -> bool:
    """Whether `rung` is at or past `wanted`, or off the ladder for good."""
    if rung in _LADDER and wanted in _LADDER:
        return _LADDER.index(rung) >= _LADDER.index(wanted)
    return rung is wanted or (rung.settled and rung not in _LADDER)


async def list_messages(services: Services, params: m.ListMessages) -> m.MessageList:
    """The journal's view, newest last."""
    target = None if params.target is None else services.roster.resolve(params.target).spec.address
    messages = await services.journal.messages(target=target, rungs=params.rungs, limit=params.limit)
    return m.MessageList(messages=messages)


async def show(services: Services, params: m.MessageId) -> MessageView:
    """One message with its whole history."""
    return await services.journal.message(params.id)


async def cancel(services: Services, params: m.MessageId) -> MessageView:
    """Take back a message of which nothing has reached its receiver."""
    message = await services.journal.message(params.id)
    return await services.post.cancel(services.journal, message.id, message.target)


async def ack(services: Services, params: m.MessageId) -> MessageView:
    """The receiver says that it has the message, whatever was seen of its delivery."""
    message = await services.journal.message(params.id)
    if message.rung in (Rung.TAKEN_IN, Rung.ANSWERED):
        return message
    return await services.post.advance(services.journal, message.id, Rung.TAKEN_IN, "the receiver says so")


async def reply(services: Services, params: m.Reply) -> MessageView:
    """The receiver answers: an agent that asked gets the answer as a message, and the question is `answered`."""
    message, text = await services.journal.message(params.id), check_text(params.text)
    if message.sender in services.roster.agents:
        terms = Terms(reply_to=message.id)
        await services.post.accept(services.journal, check_sender(params.sender), [message.sender], text, terms)
    return await services.post.advance(services.journal, message.id, Rung.ANSWERED, text, text)


async def redeliver(services: Services, params: m.MessageId) -> MessageView:
    """Put a message that ended short of its receiver back into the queue; one that arrived is refused."""
    message = await services.journal.message(params.id)
    if message.rung not in (Rung.UNVERIFIED, Rung.EXPIRED, Rung.DEAD_LETTER, Rung.CANCELLED):
        raise ConflictError(
            f"{message.id} is {message.rung.value}: only a message that did not arrive can be redelivered",
            details={"id": message.id, "rung": message.rung.value},
        )
    services.roster.agent(message.target)
    return await services.post.requeue(services.journal, message)
