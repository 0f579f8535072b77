"""Messages and events for people."""

from tmuxorc.cli._output import terminal_width as width
from tmuxorc.cli.render._text import Cell, ago, clean, clock, cut, fields, on_terminal, paint, table
from tmuxorc.model import EventView, MessageView, Rung
from tmuxorc.wire.methods import EventList, MessageList, Sent

RUNG_COLOURS = {
    Rung.QUEUED: "green",
    Rung.SUBMITTED: "green",
    Rung.TAKEN_IN: "green",
    Rung.ANSWERED: "green",
    Rung.HELD: "yellow",
    Rung.UNVERIFIED: "yellow",
    Rung.EXPIRED: "red",
    Rung.DEAD_LETTER: "red",
    Rung.CANCELLED: "dim",
}


def message_list(result: MessageList) -> str:
    """One line a message."""
    if not result.messages:
        return "no messages"
    head = ("ID", "AGE", "FROM", "TO", "RUNG", "TEXT")
    return table(head, map(_row, result.messages), flexible=("TEXT",))


def _row(message: MessageView) -> tuple[Cell | str, ...]:
    return (
        Cell(message.id, "bold"),
        ago(message.created_at),
        message.sender,
        message.target,
        Cell(message.rung.value, RUNG_COLOURS.get(message.rung)),
        message.text[:200],
    )


def sent(result: Sent) -> str:
    """One line a copy: where it went and how far it came."""
    return "\n".join(_sent(message) for message in result.messages) or "nobody to send to"


def redelivered(result: MessageView) -> str:
    """The message's line."""
    return _sent(result)


def _sent(message: MessageView) -> str:
    why = f" ({clean(message.detail)})" if message.detail else ""
    return f"{message.id} to {message.target}: {paint(message.rung.value, RUNG_COLOURS.get(message.rung))}{why}"


def message(result: MessageView) -> str:
    """One message with its history and its whole text."""
    steps = (f"{clock(step.at)}  {step.rung.value}  {step.evidence}".rstrip() for step in result.history)
    return fields(
        (
            ("message", result.id),
            ("from", result.sender),
            ("to", result.target),
            ("rung", result.rung.value),
            ("detail", result.detail),
            ("history", "\n".join(steps)),
            ("text", result.text),
        )
    )


def event_list(result: EventList) -> str:
    """One line an event."""
    return "\n".join(map(event, result.events)) or f"no events after {result.last_seq}"


def event(result: EventView) -> str:
    """One line."""
    data = " ".join(f"{key}={clean(str(value))}" for key, value in result.data.items() if value not in (None, ""))
    at = result.at.astimezone().strftime("%m-%d %H:%M:%S")
    line = f"{result.seq:>6}  {at}  {result.type:<20}  {clean(result.subject)}  {data}".rstrip()
    return cut(line, width()) if on_terminal() else line
