"""What becomes of our messages in opencode's sessions, told by the ids (seen on 1.18.33).

A message of ours gets an id of opencode's own make with ours behind it.  opencode orders a session by the ids, and
begins each answer for the newest message: an answer begun for this or a later one means that the model was given it.
"""

from collections.abc import Iterable

from tmuxorc.channels._base import Receipt
from tmuxorc.model import Frozen, Rung

_MASK = (1 << 48) - 1
_REMEMBERED = 1000


class Model(Frozen, rename={"provider": "providerID", "model": "modelID"}):
    """Which model a message is for, as opencode names it."""

    provider: str
    model: str


class Message(Frozen, rename={"session": "sessionID", "parent": "parentID"}):
    """A message of a session; `parent` is the one that an answer was begun for."""

    id: str
    session: str
    role: str
    parent: str = ""
    agent: str = ""
    model: Model | None = None


class Sent(Frozen):
    """Where a message of ours lies: `session` and `id` are opencode's; `there` once opencode has shown it."""

    session: str
    id: str
    there: bool = False


class Ledger:
    """Our messages that the model was not given yet, and the last that it was given."""

    def __init__(self) -> None:
        self._open: dict[str, Sent] = {}
        self._taken: dict[str, None] = {}
        self._answered: dict[str, str] = {}
        self._last_ms = 0

    def __repr__(self) -> str:
        return f"<Ledger open={list(self._open)}>"

    def new_id(self, message_id: str, session: str, now_ms: int) -> str:
        """opencode's id for a message that is about to be sent; `now_ms` are milliseconds since 1970."""
        self._last_ms = max(now_ms, self._last_ms + 1)
        their_id = f"msg_{(self._last_ms << 12) & _MASK:012x}_{message_id}"
        self._open[message_id] = Sent(session=session, id=their_id)
        return their_id

    def find(self, message_id: str) -> Sent | None:
        """Where a message lies that the model was not given yet, as far as is known."""
        return self._open.get(message_id)

    def was_taken(self, message_id: str) -> bool:
        """Whether the model was given this message, as far as is known."""
        return message_id in self._taken

    def shown(self, message: Message) -> list[Receipt]:
        """opencode has this user's message."""
        ours = ours_of(message.id)
        if not ours or ours in self._taken:
            return []
        self._open[ours] = Sent(session=message.session, id=message.id, there=True)
        before = message.id <= self._answered.get(message.session, "")
        return [self._take(ours, "opencode has gone on from it")] if before else []

    def answered(self, answer: Message) -> list[Receipt]:
        """opencode has begun this answer; receipts for those that the model was given with it."""
        if answer.parent <= self._answered.get(answer.session, ""):
            return []
        self._answered[answer.session] = answer.parent
        taken = [
            ours for ours, sent in self._open.items() if sent.session == answer.session and sent.id <= answer.parent
        ]
        evidence = f"opencode began {answer.id} to answer it"
        return [self._take(ours, evidence) for ours in taken]

    def stranded(self, session: str) -> list[Receipt]:
        """The turn of `session` is over: what still waits there was left behind, for opencode never looks at it again.

        It does so when a turn is interrupted or a permission denied.
        """
        evidence = "the turn it waited for was broken off"
        left = [ours for ours, sent in self._open.items() if sent.session == session and sent.there]
        return [Receipt(message_id=ours, rung=Rung.ACCEPTED, evidence=evidence) for ours in left]

    def _take(self, ours: str, evidence: str) -> Receipt:
        del self._open[ours]
        self._taken[ours] = None
        if len(self._taken) > _REMEMBERED:
            del self._taken[next(iter(self._taken))]
        return Receipt(message_id=ours, rung=Rung.TAKEN_IN, evidence=evidence)


def ours_of(their_id: str) -> str:
    """Our id at the end of theirs, or nothing: their own have no second underscore."""
    return their_id[17:] if their_id[16:17] == "_" else ""


def only(message_id: str, messages: Iterable[Message]) -> list[Message]:
    """This message of ours, if it is among those of a session, and the answers of the session."""
    return [message for message in messages if message.role != "user" or ours_of(message.id) == message_id]
