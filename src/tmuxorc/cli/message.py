"""Commands about messages."""

from typing import Annotated

from tmuxorc.cli import _complete, _read
from tmuxorc.cli._app import App
from tmuxorc.cli._declare import Arg, Opt, command
from tmuxorc.cli._options import MessageText, Sender, TextFile, Timeout, WaitRung
from tmuxorc.errors import ExitStatus, UsageError
from tmuxorc.model import MessageView, Rung
from tmuxorc.wire.methods import (
    MESSAGE_ACK,
    MESSAGE_CANCEL,
    MESSAGE_LIST,
    MESSAGE_REDELIVER,
    MESSAGE_REPLY,
    MESSAGE_SEND,
    MESSAGE_SHOW,
    ListMessages,
    MessageId,
    MessageList,
    Reply,
    SendMessage,
    Sent,
)

LOST = (Rung.DEAD_LETTER, Rung.EXPIRED, Rung.CANCELLED)
"""Where a message can be that will not arrive unless someone does something."""

IdArgument = Annotated[str, Arg(metavar="ID", help="The message's id: m-17.", complete=_complete.messages)]


def sent_status(result: Sent) -> int:
    """Failed when any copy is known not to arrive."""
    return ExitStatus.FAILED if any(m.rung in LOST for m in result.messages) else ExitStatus.DONE


def one_text(text: str | None, file: str | None) -> str:
    """The message from the one place it was given in."""
    if (text is None) == (file is None):
        raise UsageError("give the message either as TEXT or with --file", hint="- as TEXT reads standard input")
    return text if text is not None else file or ""


async def send_to(app: App, params: SendMessage) -> Sent:
    """Send, and wait for the answer as long as the rung waited for may take."""
    if params.wait is None:
        return await app.call(MESSAGE_SEND, params)
    return await app.wait(MESSAGE_SEND, params, wait_s=params.timeout_s)


@command(
    "tmux-orc send alice 'Please run the tests'",
    "git diff | tmux-orc send review/lead - --wait submitted",
    "tmux-orc send 'review/*' --file brief.md",
    render="sent",
    status=sent_status,
)
async def send(
    app: App,
    target: Annotated[
        str,
        Arg(metavar="TARGET", help="An agent, a team (team/*) or everyone (*).", complete=_complete.targets),
    ],
    text: MessageText = None,
    *,
    file: TextFile = None,
    sender: Sender = "operator",
    wait: WaitRung = None,
    timeout_s: Timeout = 30.0,
    priority: Annotated[int, Opt("--priority", metavar="N", help="Before those of lower priority that wait.")] = 0,
    ttl_s: Annotated[
        float | None,
        Opt("--ttl", metavar="TIME", read=_read.seconds, help="Not to be delivered after so long; else as configured."),
    ] = None,
    reply_to: Annotated[
        str, Opt("--reply-to", metavar="ID", help="The message it answers.", complete=_complete.messages)
    ] = "",
    dedup: Annotated[str, Opt("--dedup", metavar="KEY", help="Keep the first of those with this key, once only.")] = "",
    steer: Annotated[bool, Opt("--steer", help="Into the running turn, where the agent can take it there.")] = False,
    now: Annotated[bool, Opt("--now", help="End the running turn first, in the agent's own way.")] = False,
) -> Sent:
    """Send a message to an agent, a team or everyone.

    Answers with the message's id once it is in the journal; with --wait, when every copy has come so far or no longer
    can. A newline at the very end of a file or of standard input is dropped.
    """
    params = SendMessage(
        target=target,
        text=one_text(text, file),
        sender=sender,
        wait=wait,
        timeout_s=timeout_s,
        priority=priority,
        ttl_s=ttl_s,
        reply_to=reply_to,
        dedup=dedup,
        steer=steer,
        now=now,
    )
    return await send_to(app, params)


@command("tmux-orc message list", "tmux-orc message list --target alice --rung held --limit 20")
async def list_messages(
    app: App,
    *,
    target: Annotated[
        str | None, Opt("--target", "-t", metavar="AGENT", help="Only to this agent.", complete=_complete.agents)
    ] = None,
    rung: Annotated[tuple[Rung, ...], Opt("--rung", "-r", metavar="RUNG", help="Only on these rungs.")] = (),
    limit: Annotated[int, Opt("--limit", "-n", metavar="N", help="How many of the newest.")] = 100,
) -> MessageList:
    """List the newest messages.

    Rungs: accepted staged queued submitted taken_in answered held unverified expired dead_letter cancelled.
    """
    return await app.call(MESSAGE_LIST, ListMessages(target=target, rungs=rung, limit=limit))


@command("tmux-orc message show m-17")
async def show(app: App, id: IdArgument) -> MessageView:
    """Show one message with its history."""
    return await app.call(MESSAGE_SHOW, MessageId(id=id))


@command("tmux-orc message dead-letters")
async def dead_letters(
    app: App,
    *,
    limit: Annotated[int, Opt("--limit", "-n", metavar="N", help="How many of the newest.")] = 100,
) -> MessageList:
    """List the messages that will not arrive by themselves."""
    return await app.call(MESSAGE_LIST, ListMessages(rungs=LOST, limit=limit))


@command("tmux-orc message cancel m-17", render="redelivered")
async def cancel(app: App, id: IdArgument) -> MessageView:
    """Take back a message that has not reached its receiver."""
    return await app.call(MESSAGE_CANCEL, MessageId(id=id))


@command("tmux-orc message ack m-17", render="redelivered")
async def ack(app: App, id: IdArgument) -> MessageView:
    """Say, as its receiver, that a message has arrived."""
    return await app.call(MESSAGE_ACK, MessageId(id=id))


@command("tmux-orc message reply m-17 'All tests pass' --from main/alice", render="redelivered")
async def reply(app: App, id: IdArgument, text: MessageText = None, *, sender: Sender = "operator") -> MessageView:
    """Answer a message: it is answered then, and an agent that sent it gets the answer as a message."""
    return await app.call(MESSAGE_REPLY, Reply(id=id, text=one_text(text, None), sender=sender))


@command("tmux-orc message redeliver m-17", render="redelivered")
async def redeliver(app: App, id: IdArgument) -> MessageView:
    """Try once more to deliver a message."""
    return await app.call(MESSAGE_REDELIVER, MessageId(id=id))
