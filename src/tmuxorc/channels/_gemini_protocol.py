"""What Gemini CLI's hooks say, and what its AfterAgent hook answers; no I/O and no clock.

Seen on 0.61.0.  BeforeAgent begins a turn and names its prompt; AfterAgent ends it, also after Escape, but not where a
permission prompt was refused.  An AfterAgent that answers ``{"decision":"block","reason":TEXT}`` has TEXT go to the
model as the next prompt, byte for byte.  After Escape that is accepted as well and BeforeAgent names TEXT, yet the
model is never asked: AfterAgent follows at once with no more of an answer than before.  So only an answer that has
grown, or a turn that goes on, proves that the model was given the text.
"""

import json
import re
from collections import deque

import msgspec

from tmuxorc.agents.evidence import HookSaid
from tmuxorc.channels._base import Outgoing, Receipt, Said, SessionKnown
from tmuxorc.model import Rung

PROVED_S = 5.0
"""A turn that is not over after so many seconds was not one that Escape had ended before it began."""

NO_END_S = 3.0
"""An agent that has been idle for so long on the screen will not report the turn's end any more."""

_ID = re.compile(r"^\[(m-\d+(?:\.\d+)?) from ")


class Payload(msgspec.Struct):
    """What is used of a hook's standard input."""

    session_id: str = ""
    prompt: str = ""
    prompt_response: str = ""
    message: str = ""
    transcript_path: str = ""
    details: dict[str, object] = {}


class Handed(msgspec.Struct, frozen=True):
    """A message that a hook handed over, written down until it is proved: `transcript` is the session's own record."""

    id: str
    text: str
    transcript: str

    def stands_in(self, transcript: bytes) -> bool:
        """Whether the record shows it as a prompt."""
        return f'{{"text":{json.dumps(self.text, ensure_ascii=False)}}}'.encode() in transcript


class GeminiTalk:
    """Feed it the hooks in their order.  `turn`: one runs, so that messages can be kept for its end.

    Times are seconds on any clock.  `due` is when `tick` must be called, if nothing comes before; None for never.
    """

    def __init__(self) -> None:
        self.turn = False
        self.session = ""
        self.due: float | None = None
        self._waiting: deque[Outgoing] = deque()
        self._handed: Outgoing | None = None
        self._typed: Outgoing | None = None
        self._answer = ""
        self._transcript = ""

    def __repr__(self) -> str:
        return f"<GeminiTalk turn={self.turn} waiting={len(self._waiting)} handed={self._handed and self._handed.id}>"

    @property
    def handed(self) -> Handed | None:
        """What was handed over and is not proved yet."""
        found = self._handed
        return None if found is None else Handed(id=found.id, text=found.text, transcript=self._transcript)

    def keep(self, message: Outgoing) -> bool:
        """Keep the message for the turn's end; False if no turn runs.  One that is kept already is not kept twice."""
        if self.turn and not self.has(message.id):
            self._waiting.append(message)
        return self.turn

    def typed(self, message: Outgoing) -> None:
        """The message is about to go through the composer."""
        self._typed = message

    def has(self, message_id: str) -> bool:
        """Whether the message is kept, or handed over without a proof yet."""
        kept = (*self._waiting, *([self._handed] if self._handed else []))
        return any(message.id == message_id for message in kept)

    def hook(self, event: str, payload: bytes, at: float) -> tuple[list[Said], bytes]:
        """What a hook tells, and what it is to print.  A payload that cannot be read tells of the event alone."""
        about = _read(payload)
        self._transcript = about.transcript_path or self._transcript
        said: list[Said] = [*self._known(about), HookSaid(at=at, event=event, detail=_detail(about))]
        if event == "BeforeAgent":
            return [*said, *self._begins(about.prompt, at)], b""
        if event == "AfterAgent":
            receipts, answer = self._ends(about.prompt_response)
            return [*said, *receipts], answer
        if event in ("SessionStart", "SessionEnd"):
            return [*said, *self.over("the session has ended")], b""
        return said, b""

    def tick(self, at: float) -> list[Said]:
        """Time has passed."""
        if self.due is None or at < self.due:
            return []
        self.due = None
        return self._proved("the model is at work on it") if self._handed else self.over("its turn ended unsaid")

    def idle_seen(self, at: float) -> None:
        """The screen shows an idle agent: if no hook comes soon, the turn is over."""
        if self.turn and self._handed is None and self.due is None:
            self.due = at + NO_END_S

    def busy_seen(self) -> None:
        """It shows anything else."""
        if self._handed is None:
            self.due = None

    def over(self, why: str) -> list[Said]:
        """No turn runs: what was kept is given back."""
        lost = [*([self._handed] if self._handed else []), *self._waiting]
        self.turn, self._handed, self.due = False, None, None
        self._waiting.clear()
        return [Receipt(message_id=each.id, rung=Rung.ACCEPTED, evidence=why) for each in lost]

    def _known(self, about: Payload) -> list[Said]:
        if not about.session_id or about.session_id == self.session:
            return []
        self.session = about.session_id
        return [SessionKnown(session=self.session)]

    def _begins(self, prompt: str, at: float) -> list[Said]:
        self.turn = True
        handed = self._handed
        if handed is not None and prompt.strip() == handed.text.strip():
            self.due = at + PROVED_S
            return []
        self._handed = self.due = None
        lost = [] if handed is None else [_lost(handed)]
        typed, found = self._typed, _ID.match(prompt)
        if typed is not None and typed.text.strip() == prompt.strip():
            self._typed = None
            return [*lost, Receipt(message_id=typed.id, rung=Rung.TAKEN_IN, evidence="BeforeAgent has its text")]
        if found is None:
            return [*lost]
        return [*lost, Receipt(message_id=found[1], rung=Rung.TAKEN_IN, evidence="BeforeAgent names it")]

    def _ends(self, answer: str) -> tuple[list[Said], bytes]:
        said: list[Said] = []
        if self._handed is not None:
            if answer.strip() == self._answer.strip():
                return self.over("the turn was cancelled before the model was given it"), b""
            said = self._proved("the model has answered it")
        self.due, self._answer = None, answer
        self.turn = bool(self._waiting)
        if not self._waiting:
            return said, b""
        self._handed = self._waiting.popleft()
        return said, json.dumps({"decision": "block", "reason": self._handed.text}).encode()

    def _proved(self, evidence: str) -> list[Said]:
        handed, self._handed = self._handed, None
        return [] if handed is None else [Receipt(message_id=handed.id, rung=Rung.TAKEN_IN, evidence=evidence)]


def _lost(message: Outgoing) -> Receipt:
    return Receipt(message_id=message.id, rung=Rung.ACCEPTED, evidence="another prompt came before it")


def _read(payload: bytes) -> Payload:
    try:
        return msgspec.json.decode(payload, type=Payload)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return Payload()


def _detail(about: Payload) -> str:
    """The command that a permission prompt is about, else the notice itself."""
    command = about.details.get("command")
    return command if isinstance(command, str) else about.message
