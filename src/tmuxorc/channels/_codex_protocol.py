"""One connection to codex's app-server, without I/O: frames in, frames out, and what they tell of the agent.

The server belongs to one pane, and the terminal interface in that pane is another client of it.  The thread that the
person sees there is found, followed through ``/new``, and listened to.  Facts are those of codex 0.169.0:

- ``thread/status/changed`` comes unasked for every thread; the rest only after ``thread/resume``, which is refused
  until the thread's first turn has been written down.
- A prompt that is open is sent again to whoever resumes its thread.
- Every user message is told by ``item/started`` with the id that its sender gave it.
"""

from collections.abc import Callable
from functools import partial

import msgspec

from tmuxorc.agents.evidence import ChannelLost, ChannelSaid, PromptSeen
from tmuxorc.channels import _codex_frames as frames
from tmuxorc.channels._base import Receipt, Said, SessionKnown, Up
from tmuxorc.channels._codex_frames import Frame, Id, Params, Refusal, Status, Thread, Trouble
from tmuxorc.channels._codex_prompts import Open, read_request
from tmuxorc.channels._codex_threads import Threads
from tmuxorc.model import Frozen, Rung

NAME = "codex"


class Send(Frozen):
    """A frame that is to be sent."""

    text: str


class Reply(Frozen):
    """The answer to a request made by `CodexProtocol.ask`."""

    id: Id
    result: msgspec.Raw
    error: Refusal | None = None


Output = Send | Reply | Said

_Then = Callable[[Frame], None]


class CodexProtocol:
    """Send what `begin` gives, then `receive` every frame; both return what is to be done and told, in order.

    `connection` names this connection in the ids of prompts, `session` is the thread last known.  `ours` are the
    messages in the thread's queue, `heard` those that the model was given.  `poke` now and then while `restless`.
    """

    def __init__(self, connection: str, session: str = "") -> None:
        self.version = ""
        self.thread = ""
        self.turn = ""
        self.following = False
        self.interrupted = False
        self.ended = ""
        self.ours: set[str] = set()
        self.heard: set[str] = set()
        self.prompts: dict[Id, Open] = {}
        self._connection = connection
        self._last_id = 0
        self._then: dict[Id, _Then | None] = {}
        self._out: list[Output] = []
        self._threads = Threads(session)
        self._status = Status()
        self._trouble: Trouble | None = None
        self._retrying = False
        self._resuming = False
        self._told_session = False
        self._at = 0.0
        self._told: dict[str, Callable[[Params], None]] = {
            "thread/started": self._thread_started,
            "thread/closed": self._thread_closed,
            "thread/status/changed": self._status_changed,
            "turn/started": self._turn_started,
            "turn/completed": self._turn_completed,
            "item/started": self._item,
            "item/completed": self._item,
            "item/agentMessage/delta": self._item,
            "error": self._error,
            "serverRequest/resolved": self._resolved,
        }

    def __repr__(self) -> str:
        return f"<CodexProtocol {self.thread or 'no thread'} {self._word()} ours={sorted(self.ours)}>"

    # --- what it knows ---

    @property
    def idle(self) -> bool:
        """Whether no turn runs in the thread."""
        return self._status.type in ("idle", "systemError")

    @property
    def stalled(self) -> bool:
        """Whether messages of ours wait though no turn runs: codex leaves its queue alone after an interruption."""
        return bool(self.thread and self.idle and not self.turn and self.ours)

    @property
    def restless(self) -> bool:
        """Whether there is a turn that cannot be listened to yet."""
        return bool(self.thread) and not self.following and not self._resuming and not self.idle

    # --- what to send ---

    def begin(self) -> list[Output]:
        """The first frames of a connection."""
        client = {"name": "tmux-orc", "title": "tmux-orc", "version": "0"}
        self._request("initialize", self._opened, clientInfo=client, capabilities={"experimentalApi": True})
        return self._flush()

    def ask(self, method: str, **params: object) -> tuple[Id, str]:
        """A request: its id, which a `Reply` will bear, and its frame."""
        self._last_id += 1
        self._then[self._last_id] = None
        return self._last_id, frames.encode(id=self._last_id, method=method, params=params)

    def poke(self) -> list[Output]:
        """Try again to listen to a turn."""
        if self.restless:
            self._resume(self.thread)
        return self._flush()

    # --- what comes ---

    def receive(self, text: str | bytes, at: float) -> list[Output]:
        """Take in one frame; `at` is the time for the evidence.  What is not understood is passed over."""
        self._at = at
        frame = frames.decode(text)
        if frame is not None:
            self._take(frame)
        return self._flush()

    def _take(self, frame: Frame) -> None:
        if frame.method and frame.id is not None:
            self._asked(frame)
        elif frame.method in self._told:
            try:
                params = msgspec.json.decode(frame.params, type=Params)
            except msgspec.MsgspecError:
                return
            self._told[frame.method](params)
        elif not frame.method and frame.id in self._then:
            self._answered(frame.id, frame)

    def _answered(self, id_: Id, frame: Frame) -> None:
        then = self._then.pop(id_)
        if then is None:
            self._out.append(Reply(id=id_, result=frame.result, error=frame.error))
            return
        try:
            then(frame)
        except msgspec.MsgspecError:
            return

    def _flush(self) -> list[Output]:
        out, self._out = self._out, []
        return out

    def _request(self, method: str, then: _Then, **params: object) -> None:
        id_, text = self.ask(method, **params)
        self._then[id_] = then
        self._out.append(Send(text=text))

    # --- which thread ---

    def _opened(self, frame: Frame) -> None:
        agent = msgspec.json.decode(frame.result, type=frames.Opened).user_agent
        self.version = agent.partition("/")[2].partition(" ")[0]
        self._out.append(Send(text=frames.encode(method="initialized")))
        self._request("thread/loaded/list", self._listed)

    def _listed(self, frame: Frame) -> None:
        self._threads.unread.update(msgspec.json.decode(frame.result, type=frames.ThreadIds).data)
        for thread in sorted(self._threads.unread):
            self._look_at(thread)

    def _look_at(self, thread: str) -> None:
        self._request("thread/read", partial(self._read, thread), threadId=thread)

    def _read(self, id_: str, frame: Frame) -> None:
        """Those of the beginning are all read before one is chosen; a later one is what the person went to."""
        listed = id_ in self._threads.unread
        self._threads.unread.discard(id_)
        thread = msgspec.json.decode(frame.result, type=frames.ThreadFound).thread if frame.error is None else None
        if thread is not None:
            self._threads.meet(thread)
        if not listed:
            self._enter(thread)
        elif not self._threads.unread and not self.thread:
            self._enter(self._threads.choice())

    def _enter(self, thread: Thread | None) -> None:
        """This is the thread that the person sees now."""
        if thread is None or not thread.top or thread.id == self.thread:
            return
        first = not self.thread
        self._leave()
        self.thread, self._status = thread.id, thread.status
        if first:
            self._out.append(Up(version=self.version))
        self._say()
        self._resume(thread.id)

    def _leave(self) -> None:
        if self.following:
            self._request("thread/unsubscribe", _nothing, threadId=self.thread)
        self._drop_prompts(lambda _: True)
        self.thread = self.turn = ""
        self.following = self.interrupted = self._retrying = self._resuming = self._told_session = False
        self._trouble = None
        self.ours.clear()
        self.heard.clear()

    def _resume(self, thread: str) -> None:
        self._resuming = self._resuming or thread == self.thread
        self._request("thread/resume", partial(self._resumed, thread), threadId=thread, excludeTurns=True)

    def _resumed(self, id_: str, frame: Frame) -> None:
        if id_ != self.thread:
            return
        self._resuming = False
        if frame.error is not None:
            return
        self.following = True
        self._status = msgspec.json.decode(frame.result, type=frames.ThreadFound).thread.status
        if not self._told_session:
            self._threads.session, self._told_session = id_, True
            self._out.append(SessionKnown(session=id_))
        self._say()
        self._request("thread/queue/list", self._queue_listed, threadId=id_)
        self._request("thread/turns/list", self._turns_listed, threadId=id_, limit=3, sortDirection="desc")

    def _queue_listed(self, frame: Frame) -> None:
        """What was queued in an earlier life of ours is still ours."""
        if frame.error is None:
            queued = msgspec.json.decode(frame.result, type=frames.Queued).data
            self.ours.update(one.client_user_message_id for one in queued)

    def _turns_listed(self, frame: Frame) -> None:
        """What was said before we could listen."""
        if frame.error is not None:
            return
        for turn in reversed(msgspec.json.decode(frame.result, type=frames.Turns).data):
            self.turn = turn.id if turn.status == "inProgress" else ""
            for item in turn.items:
                self._heard(item)
            self._trouble = turn.error
        if self._status.type == "systemError":
            self._say()

    # --- what happens in it ---

    def _thread_started(self, params: Params) -> None:
        self._threads.meet(params.thread)
        self._enter(params.thread)

    def _thread_closed(self, params: Params) -> None:
        self._threads.forget(params.thread_id)
        if params.thread_id == self.thread:
            self.following = False
            self._leave()
            self._out.append(ChannelLost(at=self._at, channel=NAME, why="codex has closed its thread"))
            self._enter(self._threads.choice())

    def _status_changed(self, params: Params) -> None:
        thread, status = params.thread_id, params.status
        if status.type == "notLoaded":
            return
        if thread == self.thread:
            self._own_status(status)
        elif thread in self._threads.others:
            self._other_status(thread, status)
        elif thread in self._threads.tops:
            if status.type == "active":
                self._enter(self._threads.tops[thread])
                self._own_status(status)
        elif thread not in self._threads.unread:
            self._look_at(thread)

    def _own_status(self, status: Status) -> None:
        self._status = status
        if self.idle:
            self._retrying = False
            self._drop_prompts(lambda prompt: prompt.thread == self.thread)
        if status.type != "systemError" or not self.turn:  # else the reason comes at once, and with it the right word
            self._say()
        if not self.following and not self._resuming:
            self._resume(self.thread)

    def _other_status(self, thread: str, status: Status) -> None:
        """A sub-agent's prompt is shown in the same terminal, and told to whoever resumes its thread."""
        waited, waits = self._threads.turn_to(thread, status)
        if waits and not waited:
            self._resume(thread)
        if waits != waited:
            self._drop_prompts(lambda prompt: not waits and prompt.thread == thread)
            self._say()

    def _turn_started(self, params: Params) -> None:
        if params.thread_id == self.thread:
            self.turn = params.turn.id
            self.interrupted = self._retrying = False
            self._trouble = None

    def _turn_completed(self, params: Params) -> None:
        if params.thread_id != self.thread:
            return
        self.turn = ""
        self.interrupted = params.turn.status == "interrupted" and params.turn.id != self.ended
        if self._status.type == "systemError":
            self._trouble = params.turn.error or self._trouble
            self._say()

    def _item(self, params: Params) -> None:
        if params.thread_id != self.thread:
            return
        self._heard(params.item)
        if self._retrying:
            self._retrying = False
            self._say()

    def _heard(self, item: frames.Item) -> None:
        if item.type == "userMessage" and item.client_id and item.client_id not in self.heard:
            self.ours.discard(item.client_id)
            self.heard.add(item.client_id)
            self._out.append(receipt(item))

    def _error(self, params: Params) -> None:
        if params.thread_id == self.thread:
            self._trouble = params.error
            self._retrying = params.will_retry
            self._say()

    # --- prompts ---

    def _asked(self, frame: Frame) -> None:
        prompt = read_request(frame, self._connection)
        if prompt is not None and frame.id is not None and frame.id not in self.prompts:
            self.prompts[frame.id] = prompt
            self._show_prompt()

    def _resolved(self, params: Params) -> None:
        self._drop_prompts(lambda prompt: prompt.request == params.request_id)

    def _drop_prompts(self, over: Callable[[Open], bool]) -> None:
        gone = [request for request, prompt in self.prompts.items() if over(prompt)]
        for request in gone:
            del self.prompts[request]
        if gone:
            self._show_prompt()

    def _show_prompt(self) -> None:
        """The oldest is what the terminal shows."""
        first = next(iter(self.prompts.values()), None)
        self._out.append(PromptSeen(at=self._at, prompt=first.prompt if first else None))

    # --- in a word ---

    def _say(self) -> None:
        self._out.append(ChannelSaid(at=self._at, channel=NAME, said=self._word(), detail=self._detail()))

    def _word(self) -> str:
        words = [self._status.type or "unknown"]
        if self._status.type == "active":
            words += sorted(self._threads.waiting(self._status)) + ["retrying"] * self._retrying
        elif self._status.type == "systemError" and self._trouble and self._trouble.limited:
            words.append("limited")
        return " ".join(words)

    def _detail(self) -> str:
        if self._trouble is None or not (self._retrying or self._status.type == "systemError"):
            return ""
        return " ".join(filter(None, (self._trouble.message, self._trouble.additional_details)))


def receipt(item: frames.Item) -> Receipt:
    """That the model was given the message which this item holds."""
    return Receipt(message_id=item.client_id or "", rung=Rung.TAKEN_IN, evidence=f"codex has it as item {item.id}")


def _nothing(frame: Frame) -> None:
    """The answer does not matter."""
