"""What is written to Qwen Code's input file, and how a message of ours is found in what it says it was given."""

import re
from collections.abc import Iterable

import msgspec

from tmuxorc.channels._base import PromptOver
from tmuxorc.model import Frozen

ALLOW, DENY = "allow", "deny"
_REFERENCED = "\n--- Content from referenced files ---"
_GAP = "\n\n"


class Handed(Frozen):
    """A message that was written to the input file, at a time in milliseconds since 1970."""

    id: str
    text: str
    at_ms: int = 0


def submission(message: Handed) -> bytes:
    """The line that submits a message; qwen looks at its text only."""
    line = {"type": "submit", "text": message.text, "id": message.id, "at_ms": message.at_ms}
    return msgspec.json.encode(line) + b"\n"


def response(request_id: str, key: str) -> bytes:
    """The line that answers a prompt.  Raises `PromptOver` if there is no such option."""
    if key not in (ALLOW, DENY):
        raise PromptOver(f"the prompt has no option {key!a}")
    return (
        msgspec.json.encode({"type": "confirmation_response", "request_id": request_id, "allowed": key == ALLOW})
        + b"\n"
    )


def question(name: str) -> bytes:
    """A line that is refused under this name once it was read, with all before it, and does nothing else."""
    return response(name, DENY)


def submissions(lines: Iterable[bytes]) -> list[Handed]:
    """The messages in an input file of ours."""
    found: list[Handed] = []
    for line in lines:
        try:
            found.append(msgspec.json.decode(line, type=Handed))
        except msgspec.MsgspecError:
            continue  # an answer or a question
    return found


def record_of(home: str, cwd: str, session: str) -> str:
    """Where the record of a session is kept, unless the person's settings move it."""
    return f"{home}/.qwen/projects/{re.sub('[^a-zA-Z0-9]', '-', cwd)}/chats/{session}.jsonl"


def is_message(line: bytes, message_id: str) -> bool:
    """Whether a line of a session's record is this message, as far as its frame tells."""
    quoted = re.escape(message_id.encode())
    return re.search(rb'"text":"\[%b from |\[end of %b\]"' % (quoted, quoted), line) is not None


def found_ids(text: str, waiting: Iterable[Handed]) -> Iterable[str]:
    """Which of the messages are in a text, in their order and each whole."""
    at = 0
    for message in waiting:
        end = _end_of(text, message.text.strip(), at)
        if end is None and _ink(text.partition(_REFERENCED)[0]) == _ink(message.text):
            end = len(text)  # a word with @ is set off by a blank
        if end is not None:
            at = end
            yield message.id


def _end_of(text: str, wanted: str, at: int) -> int | None:
    """Where `wanted` ends in `text` behind `at`, if it stands between gaps there."""
    start = text.find(wanted, at)
    while start >= 0:
        end = start + len(wanted)
        begins = start == 0 or text.endswith(_GAP, 0, start)
        if begins and (end == len(text) or text.startswith((_GAP, _REFERENCED), end)):
            return end
        start = text.find(wanted, start + 1)
    return None


def _ink(text: str) -> str:
    return "".join(text.split())
