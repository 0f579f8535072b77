"""What opencode says on its HTTP interface and what it is told there, without I/O or a clock (seen on 1.18.33)."""

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from typing import TypeVar

import msgspec

from tmuxorc.agents.evidence import ChannelSaid, PromptSeen
from tmuxorc.channels._base import Said, SessionKnown
from tmuxorc.channels._opencode_messages import Ledger, Message, ours_of
from tmuxorc.channels._opencode_prompts import Asked, permission, question
from tmuxorc.model import Frozen

T = TypeVar("T")
NAME = "opencode"


class Data(Frozen):
    """Base of what opencode sends; what is not named here is skipped."""


class _Event(Data):
    type: str
    properties: msgspec.Raw = msgspec.Raw(b"{}")


class Status(Data):
    """What a session does: `type` is ``busy``, ``idle`` or ``retry``; `next` is when, in milliseconds since 1970."""

    type: str
    attempt: int = 0
    message: str = ""
    next: float = 0.0


class Listed(Data):
    """A message as a list of them has it."""

    info: Message


class _Session(Data, rename={"parent": "parentID"}):
    id: str
    parent: str = ""


class _Of(Data, rename={"session": "sessionID"}):
    session: str = ""


class _OfStatus(_Of, kw_only=True):
    status: Status


class _OfMessage(Data):
    info: Message


class _OfSession(Data):
    info: _Session


class _Reason(Data):
    message: str = ""


class _Error(Data):
    name: str
    data: _Reason = _Reason()


class _OfError(_Of):
    error: _Error | None = None


class _Replied(Data):
    request: str = msgspec.field(name="requestID")


class _ToolState(Data):
    status: str
    input: dict[str, object] = {}


class _Part(Data):
    type: str
    tool: str = ""
    state: _ToolState | None = None


class _OfPart(Data):
    part: _Part


class OpencodeTalk:
    """One opencode process as its events tell it; `session` is the one that messages go to.

    Feed it with `take` in order, and with `catch_up` after each connection.  `prompts` are those that are open, oldest
    first; `busy` is whether any session runs.
    """

    def __init__(self, session: str = "") -> None:
        self.session = session
        self.prompts: dict[str, Asked] = {}
        self.messages = Ledger()
        self._statuses: dict[str, Status] = {}
        self._children: set[str] = set()
        self._newest = self._trouble = self._tool = ""
        self._manner: Message | None = None
        self._last: ChannelSaid | None = None
        self._shown: Asked | None = None
        self._heard: dict[str, Callable[[msgspec.Raw], list[Said]]] = {
            "session.status": self._status,
            "session.error": self._error,
            "session.created": self._known,
            "session.updated": self._known,
            "session.deleted": self._deleted,
            "message.updated": lambda raw: self._message(_read(raw, _OfMessage).info),
            "message.part.updated": self._part,
            "permission.asked": lambda raw: self._asked(permission(raw)),
            "question.asked": lambda raw: self._asked(question(raw)),
            "permission.replied": self._replied,
            "question.replied": self._replied,
            "question.rejected": self._replied,
        }

    def __repr__(self) -> str:
        return f"<OpencodeTalk {self.session or 'no session'} {self._word()} {self.messages!r}>"

    @property
    def busy(self) -> bool:
        """Whether a turn runs anywhere, so that a message waits for its end."""
        return any(status.type != "idle" for status in self._statuses.values())

    @property
    def begun(self) -> bool:
        """Whether anything was said in this process or its session."""
        return bool(self._newest)

    # --- what it says ---

    def take(self, data: bytes, at: float) -> list[Said]:
        """The data of one event; what is not understood says nothing."""
        try:
            event = msgspec.json.decode(data, type=_Event)
            heard = self._heard.get(event.type)
            return [] if heard is None else [*heard(event.properties), *self._changes(at)]
        except msgspec.MsgspecError:
            return []

    def catch_up(
        self, at: float, statuses: dict[str, Status], prompts: Iterable[Asked], messages: Iterable[Message]
    ) -> list[Said]:
        """How things stand now, after a time without events."""
        self._statuses = statuses
        self.prompts = {asked.prompt.id: asked for asked in prompts}
        self._last = self._shown = None
        return self.look(messages, at)

    def look(self, messages: Iterable[Message], at: float) -> list[Said]:
        """What a list of a session's messages says."""
        said = [found for message in messages for found in self._message(message)]
        return [*said, *self._changes(at)]

    def lose(self) -> None:
        """The connection is gone: what is said next is said anew."""
        self._last = self._shown = None

    def _status(self, raw: msgspec.Raw) -> list[Said]:
        said = _read(raw, _OfStatus)
        if said.status.type != "idle":
            self._statuses[said.session] = said.status
            self._trouble = ""
            return []
        self._statuses.pop(said.session, None)
        self._tool = ""
        return [*self.messages.stranded(said.session)]

    def _error(self, raw: msgspec.Raw) -> list[Said]:
        error = _read(raw, _OfError).error
        if error is not None:
            aborted = error.name == "MessageAbortedError"
            self._trouble = "the last turn was interrupted" if aborted else f"{error.name}: {error.data.message}"
        return []

    def _known(self, raw: msgspec.Raw) -> list[Said]:
        info = _read(raw, _OfSession).info
        if info.parent:
            self._children.add(info.id)
        return []

    def _deleted(self, raw: msgspec.Raw) -> list[Said]:
        info = _read(raw, _OfSession).info
        self._statuses.pop(info.id, None)
        self.session = "" if info.id == self.session else self.session
        return []

    def _part(self, raw: msgspec.Raw) -> list[Said]:
        part = _read(raw, _OfPart).part
        if part.type == "tool" and part.state is not None:
            running = part.state.status in ("pending", "running")
            what = part.state.input.get("command", "")
            self._tool = " ".join(f"{part.tool}: {what}".split())[:200].rstrip(": ") if running else ""
        return []

    # --- messages ---

    def _message(self, message: Message) -> list[Said]:
        if message.role != "user":
            return [*self.messages.answered(message)]
        said: list[Said] = [*self.messages.shown(message)]
        if message.session in self._children or message.id <= self._newest:
            return said
        self._newest = message.id
        return [*said, *self._newer(message)]

    def _newer(self, message: Message) -> list[Said]:
        """A person who goes to another session takes us along; so do the mode and the model they chose."""
        if not ours_of(message.id):
            self._manner = message
        if message.session == self.session:
            return []
        self.session = message.session
        return [SessionKnown(session=message.session)]

    # --- prompts ---

    def _asked(self, asked: Asked) -> list[Said]:
        self.prompts[asked.prompt.id] = asked
        return []

    def _replied(self, raw: msgspec.Raw) -> list[Said]:
        self.prompts.pop(_read(raw, _Replied).request, None)
        return []

    def forget(self, prompt_id: str, at: float) -> list[Said]:
        """This prompt is over, as its answer was told."""
        self.prompts.pop(prompt_id, None)
        return self._changes(at)

    # --- its state ---

    def _changes(self, at: float) -> list[Said]:
        shown = next(iter(self.prompts.values()), None)
        said: list[Said] = []
        if shown is not self._shown:
            said.append(PromptSeen(at=at, prompt=shown.prompt if shown else None))
            self._shown = shown
        word, detail = self._word()
        if self._last is None or (self._last.said, self._last.detail) != (word, detail):
            self._last = ChannelSaid(at=at, channel=NAME, said=word, detail=detail)
            said.append(self._last)
        return said

    def _word(self) -> tuple[str, str]:
        if self.prompts:
            return next(iter(self.prompts.values())).word, ""
        retry = next((status for status in self._statuses.values() if status.type == "retry"), None)
        if retry is not None:
            when = datetime.fromtimestamp(retry.next / 1000, UTC)
            return "retry", f"until {when:%H:%M:%S} UTC, attempt {retry.attempt}: {retry.message}"
        return ("busy", self._tool) if self.busy else ("idle", self._trouble)

    # --- what it is told ---

    def prompt(self, message_id: str, text: str, now_ms: int) -> bytes:
        """The body that sends a message to the session; `now_ms` are milliseconds since 1970."""
        their_id = self.messages.new_id(message_id, self.session, now_ms)
        body: dict[str, object] = {"messageID": their_id, "parts": [{"type": "text", "text": text}]}
        if self._manner is not None and self._manner.model is not None:
            body |= {"agent": self._manner.agent, "model": self._manner.model}
        return msgspec.json.encode(body)


def _read(raw: msgspec.Raw, shape: type[T]) -> T:
    return msgspec.json.decode(raw, type=shape)
