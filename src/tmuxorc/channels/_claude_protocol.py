"""What Claude Code says to its hooks and takes on its inbox, without I/O or a clock.

The inbox is a Unix socket on which every session takes one JSON object a line, and never writes back.  What the model
then sees is framed as the words of another session, not of the user.  The receipt is the hook ``UserPromptSubmit``: it
runs when a message is given to the model, once for each, with its bare text.  All of this was seen on 2.1.331.
"""

import hashlib
import re
from collections.abc import Iterator
from typing import Any

import msgspec

from tmuxorc.agents.evidence import HookSaid, PromptSeen
from tmuxorc.channels._base import Outgoing, PromptOver, Receipt, Said, SessionKnown
from tmuxorc.channels._claude_prompts import MOST_DETAIL, Asked, HookInput, asked_of, command_of, read_hook
from tmuxorc.model import Frozen, Rung

PEER = "Another Claude session sent a message:\n"
"""What stands before a message in the session's record, unless it came in the middle of a turn."""

_INVISIBLE = re.compile("[\u200b-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\ufeff]")
_PASTED = re.compile(r"(?s)\s*<pasted_content id=\"(\w+)\">\n(.*)\n</pasted_content id=\"\1\">\s*")
_FRAMED = re.compile(r"\[(m-[0-9]+) from ")


def bare(prompt: str) -> str:
    """A prompt without the tags that are put around what is long, or of several lines, and was pasted."""
    found = _PASTED.fullmatch(prompt)
    return found[2] if found else prompt


def as_typed(text: str) -> str:
    """What the composer makes of a text that is pasted into it."""
    plain = text.replace("\t", "    ").replace("<pasted_content", "<\\pasted_content")
    return _INVISIBLE.sub("", plain)


class Inbox(Frozen):
    """Where a session takes messages: the socket's `path`, the `token` it gave out, its process."""

    path: str
    token: str
    pid: int


def read_inbox(text: str) -> Inbox | None:
    """What the hook of the session's start wrote down: path, token, pid, a line each."""
    path, token, pid, *_ = (*text.splitlines(), "", "", "")
    return Inbox(path=path, token=token, pid=int(pid)) if path.startswith("/") and pid.isdecimal() else None


def inbox_lines(token: str, text: str) -> bytes:
    """What to write to the inbox for one message; the line with the token may be left out, and then is."""
    user = msgspec.json.encode({"type": "user", "message": {"role": "user", "content": text}}) + b"\n"
    return msgspec.json.encode({"type": "auth", "token": token}) + b"\n" + user if token else user


class ClaudeProtocol:
    """What one session was handed and what it asks.  `transcript` is the path of its own record, once known."""

    def __init__(self) -> None:
        self.transcript = ""
        self._session = ""
        self._recorded = ""
        self._handed: dict[str, str] = {}
        self._aliases: dict[str, str] = {}
        self._open: dict[str, Asked] = {}
        self._count = 0

    def __repr__(self) -> str:
        return f"<ClaudeProtocol session={self._session!r} handed={list(self._handed)} open={list(self._open)}>"

    @property
    def known(self) -> bool:
        """Whether its hooks have told of the session."""
        return bool(self._session)

    # --- messages ---

    def hand_over(self, message: Outgoing) -> None:
        """A message is being written to the inbox: its receipt is to come."""
        self._handed[message.id] = message.text

    def not_handed(self, message_id: str) -> None:
        """It was not written after all."""
        self._handed.pop(message_id, None)

    def expect(self, message_id: str) -> None:
        """A message that an earlier life of ours handed over: only its frame will tell it."""
        self._aliases[message_id.partition(".")[0]] = message_id

    def was_handed(self, message_id: str) -> bool:
        """Whether this very message waits for its receipt."""
        return message_id in self._handed

    def _receipt(self, prompt: str) -> Receipt | None:
        """Whose receipt it is that the model was given `prompt`."""
        evidence = "UserPromptSubmit: the model was given it"
        prompt = bare(prompt)
        for message_id, text in self._handed.items():
            if prompt.strip() in (text.strip(), as_typed(text).strip()):
                del self._handed[message_id]
                return Receipt(message_id=message_id, rung=Rung.TAKEN_IN, evidence=evidence)
        found = _FRAMED.match(prompt)
        if found is None or found[1] in self._handed:
            return None
        return Receipt(message_id=self._aliases.pop(found[1], found[1]), rung=Rung.TAKEN_IN, evidence=evidence)

    # --- hooks ---

    def hook(self, event: str, payload: bytes, at: float) -> Iterator[Said]:
        """What a hook's report means, but for what a prompt asks (`ask`)."""
        said = read_hook(payload)
        if said.session_id and (event == "SessionStart" or not self._session):
            self._session, self.transcript = said.session_id, said.transcript_path
        if self._can_be_gone_on_with(event, said):
            yield SessionKnown(session=said.session_id)
        yield HookSaid(at=at, event=_word(event, said), detail=_detail(said))
        if event == "UserPromptSubmit" and (receipt := self._receipt(said.prompt)) is not None:
            yield receipt

    def _can_be_gone_on_with(self, event: str, said: HookInput) -> bool:
        """Whether a session has something in its record now: one in which nothing was said yet cannot be resumed."""
        if said.session_id in ("", self._recorded) or said.session_id != self._session:
            return False
        if event == "SessionStart" and said.source in ("startup", "clear"):
            return False
        self._recorded = said.session_id
        return True

    # --- prompts ---

    def ask(self, payload: bytes, at: float) -> tuple[str, PromptSeen]:
        """A prompt shows, and its hook waits: the prompt's id, and what to report."""
        self._count += 1
        asked = asked_of(read_hook(payload), _id(payload, self._count))
        self._open[asked.prompt.id] = asked
        return asked.prompt.id, self._seen(at)

    def choose(self, prompt_id: str, key: str) -> bytes:
        """What the hook of that prompt is to print for the option `key`.  Raises `PromptOver`."""
        asked = self._open.get(prompt_id)
        if asked is None:
            raise PromptOver("this prompt is no longer open", hint="look at what it asks now: tmux-orc agent info")
        if key not in asked.answers:
            raise PromptOver(f"the prompt has no option {key!a}", hint=f"it has: {', '.join(asked.answers)}")
        return asked.answers[key]

    def over(self, prompt_id: str, at: float) -> PromptSeen:
        """It is over, whoever answered it; what to report: the one that shows now, if any."""
        self._open.pop(prompt_id, None)
        return self._seen(at)

    def ended_by(self, event: str) -> tuple[str, ...]:
        """The prompts that are over for certain when this hook reports: a sub-agent asks on when the turn has ended."""
        if event not in ("Stop", "StopFailure", "SessionEnd"):
            return ()
        return tuple(key for key, asked in self._open.items() if not asked.agent or event == "SessionEnd")

    def _seen(self, at: float) -> PromptSeen:
        """Several are open at once where tools or sub-agents run side by side: the oldest comes first.

        The screen may begin with another one; each answer goes to the hook of the prompt that it is for.
        """
        return PromptSeen(at=at, prompt=next((asked.prompt for asked in self._open.values()), None))


def _word(event: str, said: HookInput) -> str:
    return f"{event} {said.notification_type}" if said.notification_type else event


def _detail(said: HookInput) -> str:
    if said.tool_name:
        return command_of(said)[:MOST_DETAIL]
    return (said.message or said.error or said.reason or said.source)[:MOST_DETAIL]


def _id(payload: bytes, count: int) -> str:
    return hashlib.blake2b(b"%d %b" % (count, payload), digest_size=5).hexdigest()


def was_given(transcript: str, message_id: str) -> bool:
    """Whether the session's own record, a file of JSON lines, has the message among what the model was given.

    False as well for a message that was sent again: its frame does not tell which time it was.
    """
    frame = f"[{message_id} from "
    try:
        with open(transcript, "rb") as file:
            return any(frame.encode() in line and _gives(line, frame) for line in file)
    except OSError:
        return False


class _Record(msgspec.Struct, frozen=True):
    type: str = ""
    message: Any = None
    attachment: Any = None


def _gives(line: bytes, frame: str) -> bool:
    """Whether a line of the record is the message with this frame, given at once or in the middle of a turn."""
    try:
        record = msgspec.json.decode(line, type=_Record)
    except msgspec.MsgspecError:  # also the last line, while it is being written
        return False
    match (record.type, record.message, record.attachment):
        case ("user", {"content": str(text)}, _) | ("attachment", _, {"type": "queued_command", "prompt": str(text)}):
            return text.removeprefix(PEER).startswith(frame)
        case _:
            return False
