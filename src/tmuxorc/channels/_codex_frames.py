"""The messages of codex's app-server as data: JSON-RPC without its `jsonrpc` member, one message a text frame.

Only what is looked at is declared, and all of it may be missing: the server calls its interface experimental.
Names and shapes are those of codex 0.169.0.
"""

import msgspec

from tmuxorc.model import Frozen

Id = int | str

MAX_FRAME_BYTES = 64 * 1024 * 1024
"""Frames hold whole messages, of up to 1 048 576 characters, with everything escaped."""


_LIMITS = (b'"rateLimitExceeded"', b'"usageLimitExceeded"', b'"httpStatusCode":429')


class Wire(Frozen, rename="camel"):
    """Base of what is read: fields that are not declared are ignored."""


class Refusal(Wire):
    """Why a request was refused."""

    code: int = 0
    message: str = ""


class Frame(Wire):
    """One frame: a request or notification has a `method`, an answer has only an `id`."""

    id: Id | None = None
    method: str = ""
    params: msgspec.Raw = msgspec.Raw(b"{}")
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: Refusal | None = None


class Status(Wire):
    """What a thread is doing: ``idle``, ``active`` (with flags), ``systemError`` or ``notLoaded``."""

    type: str = ""
    active_flags: tuple[str, ...] = ()


class Thread(Wire):
    """A conversation.  Those that codex keeps for itself (titles) are `ephemeral`, sub-agents have a parent.

    The `id` is a UUIDv7, so later ones are greater.  `preview` is empty until something was said; until then the times
    that the server gives are those of its answer, and say nothing.
    """

    id: str = ""
    ephemeral: bool = False
    parent_thread_id: str | None = None
    attached_to_thread_id: str | None = None
    preview: str = ""
    status: Status = Status()

    @property
    def top(self) -> bool:
        """Whether it is one that a person speaks in."""
        return not self.ephemeral and self.parent_thread_id is None and self.attached_to_thread_id is None


class Trouble(Wire):
    """An error of a turn; `codex_error_info` is a word, or an object with a word as its only name, unread."""

    message: str = ""
    codex_error_info: msgspec.Raw = msgspec.Raw(b"null")
    additional_details: str | None = None

    @property
    def limited(self) -> bool:
        """Whether it is for having asked too much."""
        info = bytes(self.codex_error_info)
        return any(mark in info for mark in _LIMITS)


class Turn(Wire):
    """One answer of the model: ``inProgress``, ``completed``, ``interrupted`` or ``failed``."""

    id: str = ""
    status: str = ""
    error: Trouble | None = None


class Content(Wire):
    """A part of what a user said."""

    type: str = ""
    text: str = ""


class Item(Wire):
    """A piece of a conversation; for a ``userMessage``, `client_id` is what its sender called it."""

    id: str = ""
    type: str = ""
    client_id: str | None = None


class Params(Wire):
    """The members of all notifications that are looked at."""

    thread_id: str = ""
    thread: Thread = Thread()
    status: Status = Status()
    turn: Turn = Turn()
    turn_id: str = ""
    item: Item = Item()
    error: Trouble = Trouble()
    will_retry: bool = False
    request_id: Id | None = None


class Opened(Wire):
    """The answer to ``initialize``: the server's name and version."""

    user_agent: str = ""


class ThreadIds(Wire):
    """The answer to ``thread/loaded/list``."""

    data: tuple[str, ...] = ()


class ThreadFound(Wire):
    """The answer to ``thread/read`` and ``thread/resume``."""

    thread: Thread = Thread()


class Submission(Wire):
    """A message in the queue of a thread."""

    id: str = ""
    client_user_message_id: str = ""


class Queued(Wire):
    """The answer to ``thread/queue/list``."""

    data: tuple[Submission, ...] = ()
    next_cursor: str | None = None


class Entry(Wire):
    """One item with the turn it belongs to."""

    turn_id: str = ""
    item: Item = Item()


class Items(Wire):
    """The answer to ``thread/items/list``."""

    data: tuple[Entry, ...] = ()
    next_cursor: str | None = None


class TurnItems(Turn):
    """A turn with what was said in it."""

    items: tuple[Item, ...] = ()


class Turns(Wire):
    """The answer to ``thread/turns/list``."""

    data: tuple[TurnItems, ...] = ()


def encode(**members: object) -> str:
    """A frame to send."""
    return msgspec.json.encode(members).decode()


def decode(text: str | bytes) -> Frame | None:
    """A frame that came; None if it is no such thing."""
    try:
        return msgspec.json.decode(text, type=Frame)
    except msgspec.MsgspecError:
        return None


def text_input(text: str) -> list[dict[str, object]]:
    """A message as the server wants it."""
    return [{"type": "text", "text": text, "text_elements": []}]
