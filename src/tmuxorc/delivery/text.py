"""What may be in a message, and how it is framed for an agent that would misread its first or last character."""

import re

from tmuxorc.agents.kinds import Kind
from tmuxorc.agents.schema import Frame
from tmuxorc.errors import DeliveryError, ExitStatus
from tmuxorc.model import MessageView
from tmuxorc.names import NAME_RULE, BadNameError, parse_address

MAX_BYTES = 1 << 20
"""The longest message, in bytes of UTF-8; this many are still accepted."""

OPERATOR = "operator"
"""The sender of what a person says; their words are not framed without need."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_SURROGATE = re.compile("[\ud800-\udfff]")
_NAMES = {"\x00": "NUL", "\x08": "backspace", "\r": "a carriage return", "\x1b": "ESC", "\x7f": "DEL"}


class TextError(DeliveryError):
    """The text cannot be a message.

    `code` is one of ``message_empty``, ``message_too_large``, ``message_control``, ``message_surrogate``.
    """

    exit_status = ExitStatus.REFUSED

    def __init__(self, code: str, message: str, hint: str) -> None:
        super().__init__(message, hint=hint)
        self.code = code


def check_text(text: str) -> str:
    """The text as it will be delivered, or `TextError`.

    Tabs and newlines are kept.  A CR LF pair becomes LF, for a composer cannot be given the difference; any other
    control character would act on the agent's terminal and is refused, as are lone surrogates, which are no text.
    """
    text = text.replace("\r\n", "\n")
    if not text.strip():
        raise TextError("message_empty", "the message is empty", "give some text besides blanks")
    if found := _SURROGATE.search(text):
        raise TextError(
            "message_surrogate",
            f"the message holds half a character ({_code(found)}) at position {found.start()}",
            "send valid Unicode text; bytes that are not UTF-8 arrive as lone surrogates",
        )
    if found := _CONTROL.search(text):
        name = _NAMES.get(found.group(), "the control character")
        raise TextError(
            "message_control",
            f"the message holds {name} ({_code(found)}) at position {found.start()}",
            "only tab and newline are allowed, for the rest would act on the agent's terminal",
        )
    size = len(text.encode())
    if size > MAX_BYTES:
        hint = "write it to a file and send the file's name"
        raise TextError("message_too_large", f"the message has {size} bytes, at most {MAX_BYTES} are allowed", hint)
    return text


def check_sender(sender: str) -> str:
    """`sender` if it can stand in a message's first line: a name (`OPERATOR` is one) or an agent's address.

    Raises `BadNameError`: it is typed into the agent's terminal like the text.
    """
    if parse_address(sender).many:
        raise BadNameError(f"a message is from one sender, not from {sender!a}", hint=f"a name is {NAME_RULE}")
    return sender


def _code(found: re.Match[str]) -> str:
    return f"U+{ord(found.group()):04X}"


def framed(kind: Kind, message: MessageView) -> str:
    """The text to paste.

    Another agent's message gets a first line ``[m-17 from main/bob]``, and a person's too if `kind` would take its
    first character for a command; a last line ``[end of m-17]`` follows what would change the submit key's meaning.
    """
    deliver, text = kind.deliver, message.text
    if deliver.frame is Frame.NEVER:
        return text
    special_first = bool(deliver.special_first and re.search(deliver.special_first, text))
    special_last = bool(deliver.special_last and re.search(deliver.special_last, text))
    if special_first or message.sender != OPERATOR:
        text = f"[{message.id} from {message.sender}]\n{text}"
    return f"{text}\n[end of {message.id}]" if special_last else text
