"""What Qwen Code writes to its ``--json-file`` and takes from its ``--input-file``, without I/O or a clock (on 0.24.4).

It says what a turn does, but nothing of its end: neither that it is over nor that Escape has ended it.  Messages that
wait are given to the model at the next request of the running turn, which only its session's record tells.
"""

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from tmuxorc.agents.evidence import ChannelSaid, PromptSeen
from tmuxorc.channels._base import Receipt, Said, SessionKnown
from tmuxorc.channels._qwen_lines import ALLOW, DENY, Handed, found_ids
from tmuxorc.model import Frozen, Prompt, PromptOption, Rung

NAME = "qwen"
_OPTIONS = (PromptOption(key=ALLOW, label="Allow once"), PromptOption(key=DENY, label="Deny"))


class Block(Frozen):
    """A part of a message."""

    type: str = ""
    text: str = ""
    name: str = ""
    id: str = ""
    tool_use_id: str = ""


class _Content(Frozen):
    content: list[Block] | str = ""


class _Happening(Frozen):
    type: str = ""


class _Request(Frozen):
    tool_name: str = ""
    tool_use_id: str = ""
    input: dict[str, object] = {}


class _Response(Frozen):
    subtype: str = ""
    request_id: str = ""


class _Start(Frozen):
    cwd: str = ""
    version: str = ""


class _Line(Frozen):
    """Any line; what is not named here is skipped."""

    type: str
    subtype: str = ""
    session_id: str = ""
    parent_tool_use_id: str | None = None
    request_id: str = ""
    data: _Start = _Start()
    message: _Content = _Content()
    event: _Happening = _Happening()
    request: _Request = _Request()
    response: _Response = _Response()


class _Parts(Frozen):
    parts: list[Block] = []


class _Recorded(Frozen):
    """A line of the session's own record."""

    type: str
    timestamp: datetime
    message: _Parts = _Parts()


class _Asked(Frozen):
    prompt: Prompt
    tool_use_id: str


class QwenTalk:
    """One process of Qwen Code as its file tells it.

    Feed it with `take` (lines of the file) and `take_recorded` (lines of the session's record), in order.  `session`,
    `cwd` and `version` are known once it has started; `prompts` are those open, oldest first.
    """

    def __init__(self, gone_on_with: str = "") -> None:
        self.session = self.cwd = self.version = ""
        self.prompts: dict[str, _Asked] = {}
        self.ended = False
        self._live = False
        self.refused: set[str] = set()
        self._gone_on_with = gone_on_with
        self._told = ""
        self._waiting: dict[str, Handed] = {}
        self._taken: dict[str, None] = {}
        self._turn: tuple[str, str] | None = None
        self._shown = ""
        self._heard: dict[str, Callable[[_Line], list[Said]]] = {
            "system": self._system,
            "user": self._user,
            "assistant": self._assistant,
            "stream_event": self._stream,
            "control_request": self._asked,
            "control_response": self._answered,
        }

    def __repr__(self) -> str:
        return f"<QwenTalk {self.session or 'not started'} {self._word} waiting={list(self._waiting)}>"

    # --- what it says ---

    def take(self, line: bytes, at: float) -> list[Said]:
        """One line of its file; what is not understood says nothing."""
        self._live = True
        before = self._word
        found = self._hear(line)
        found += self._prompt_changes(at)
        return [*found, *self._state(at)] if self._word != before else found

    def recall(self, line: bytes) -> list[Said]:
        """A line from before we came: of what it says only the end counts (`stands`), and receipts are the record's."""
        return [said for said in self._hear(line) if isinstance(said, SessionKnown)]

    def stands(self, at: float) -> list[Said]:
        """The state and the prompt as they are."""
        return [*self._prompt_changes(at), *self._state(at)]

    def _state(self, at: float) -> list[Said]:
        return [ChannelSaid(at=at, channel=NAME, said=self._word[0], detail=self._word[1])] if self._word else []

    @property
    def _word(self) -> tuple[str, str] | None:
        return ("permission", "") if self.prompts else self._turn

    def _hear(self, line: bytes) -> list[Said]:
        try:
            said = msgspec.json.decode(line, type=_Line)
        except msgspec.MsgspecError:
            return []
        heard = self._heard.get(said.type)
        return [*self._session(said), *(heard(said) if heard else ())]

    def _session(self, line: _Line) -> list[Said]:
        """Its name, once something was said in it: with an empty one nothing can be gone on with."""
        self.session = line.session_id or self.session
        begun = self.session == self._gone_on_with or line.type in ("user", "assistant")
        if not begun or self.session == self._told:
            return []
        self._told = self.session
        return [SessionKnown(session=self.session)]

    def _system(self, line: _Line) -> list[Said]:
        if line.subtype == "session_start":
            self.cwd, self.version = line.data.cwd, line.data.version
        self.ended = line.subtype == "session_end"
        return []

    def _user(self, line: _Line) -> list[Said]:
        content = line.message.content
        blocks = content if isinstance(content, list) else [Block(type="text", text=content)]
        results = {block.tool_use_id for block in blocks if block.type == "tool_result"}
        for name in [name for name, asked in self.prompts.items() if asked.tool_use_id in results]:
            del self.prompts[name]
        self._turn = ("busy", "")
        text = "\n".join(block.text for block in blocks if block.type == "text")
        return self._given(text, self._waiting.values(), "its model was given it") if self._live else []

    def _assistant(self, line: _Line) -> list[Said]:
        if line.parent_tool_use_id is None and isinstance(line.message.content, list):
            tools = [block.name for block in line.message.content if block.type == "tool_use"]
            self._turn = ("busy", ", ".join(tools)) if tools else ("answered", "")
        return []

    def _stream(self, line: _Line) -> list[Said]:
        """A request of the main turn begins: no prompt of it can be open."""
        if line.event.type == "message_start" and line.parent_tool_use_id is None:
            self.prompts.clear()
            self._turn = ("busy", "")
        return []

    # --- prompts ---

    def _asked(self, line: _Line) -> list[Said]:
        self.prompts[line.request_id] = _Asked(prompt=_prompt(line), tool_use_id=line.request.tool_use_id)
        return []

    def _answered(self, line: _Line) -> list[Said]:
        """One that is refused was broken off with its turn, for of one answered elsewhere we would have heard."""
        name, refused = line.response.request_id, line.response.subtype == "error"
        if refused:
            self.refused.add(name)
        if self.prompts.pop(name, None) is not None:
            self._turn = ("answered" if refused else "busy", "")
        return []

    def forget(self, prompt_id: str, at: float) -> list[Said]:
        """This prompt is over: it was denied, of which nothing is said, and the turn with it."""
        if self.prompts.pop(prompt_id, None) is None:
            return []
        self._turn = ("answered", "")
        return self.stands(at)

    def idle_seen(self, at: float) -> list[Said]:
        """The turn is over, and whatever it asked."""
        before, over = self._word, ("answered", "")
        if before in (None, over):
            return []
        self.prompts.clear()
        self._turn = over
        return self.stands(at)

    def _prompt_changes(self, at: float) -> list[Said]:
        shown = next(iter(self.prompts), "")
        if shown == self._shown:
            return []
        self._shown = shown
        return [PromptSeen(at=at, prompt=self.prompts[shown].prompt if shown else None)]

    # --- messages ---

    def take_recorded(self, line: bytes) -> list[Said]:
        """One line of the session's record."""
        if not self._waiting or b'"user"' not in line:
            return []
        try:
            recorded = msgspec.json.decode(line, type=_Recorded)
        except msgspec.MsgspecError:
            return []
        texts = [part.text for part in recorded.message.parts if part.text] if recorded.type == "user" else []
        older = [one for one in self._waiting.values() if one.at_ms <= recorded.timestamp.timestamp() * 1000]
        return [said for text in texts for said in self._given(text, older, "the session's record has it")]

    def hand_over(self, message: Handed) -> None:
        """A message was written to its input file."""
        self._waiting[message.id] = message

    def was_handed(self, message_id: str) -> bool:
        """Whether this message was written to its input file."""
        return message_id in self._waiting or message_id in self._taken

    def was_taken(self, message_id: str) -> bool:
        """Whether the model was given this message."""
        return message_id in self._taken

    def _given(self, text: str, waiting: Iterable[Handed], evidence: str) -> list[Said]:
        """Several messages may have been merged into one text."""
        found = list(found_ids(text, waiting))
        for message_id in found:
            del self._waiting[message_id]
            self._taken[message_id] = None
        return [Receipt(message_id=message_id, rung=Rung.TAKEN_IN, evidence=evidence) for message_id in found]


def _prompt(line: _Line) -> Prompt:
    given = line.request.input
    command = given.get("command") or given.get("file_path") or msgspec.json.encode(given).decode()
    return Prompt(
        id=line.request_id,
        source=NAME,
        question=f"Allow {line.request.tool_name}?",
        command=str(command),
        options=_OPTIONS,
        approve=ALLOW,
        deny=DENY,
    )
