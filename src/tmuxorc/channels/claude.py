"""The channel to Claude Code: its inbox socket for messages, its hooks for receipts, prompts and words of its state.

The hook of a session's start leaves two files in the agent's private folder: ``inbox``, where messages go, and
``session``, its own payload.  They tell a later supervisor what it did not hear itself.  An agent that a person started
has no such hook: its inbox is found by its pid, and nothing tells what becomes of a message there.
"""

from collections.abc import Awaitable, Callable, Iterable
from typing import ClassVar

import trio

from tmuxorc.agents.evidence import ChannelLost
from tmuxorc.channels._base import Ability, Channel, ChannelDown, Outgoing, Place, PromptOver, Receipt, Report, Up
from tmuxorc.channels._claude_inbox import inbox_of, listens, write
from tmuxorc.channels._claude_protocol import ClaudeProtocol, Inbox, inbox_lines, read_inbox, was_given
from tmuxorc.model import AgentState, Rung
from tmuxorc.tmux.process import open_process_watch

INBOX, SESSION = "inbox", "session"
"""Files in the private folder."""

LOOK_AGAIN_S = 5.0
"""How soon an inbox is looked for again that is lost while its process lives."""


class _Answer:
    """What a waiting hook is to print, once somebody says."""

    def __init__(self) -> None:
        self.given = trio.Event()
        self.printed = b""


class ClaudeChannel(Channel):
    """The way into one incarnation of Claude Code.

    A message is `QUEUED` once the session has read it; the hook ``UserPromptSubmit`` is the receipt.
    """

    name: ClassVar[str] = "claude"
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        {Ability.DELIVER, Ability.QUEUE, Ability.RECEIPT, Ability.PROMPTS}
    )

    def __init__(self, place: Place, report: Report) -> None:
        super().__init__(place, report)
        self._protocol = ClaudeProtocol()
        self._inbox: Inbox | None = None
        self._running = False
        self._changed = trio.Event()
        self._answers: dict[str, _Answer] = {}
        self._blocked = False
        self._shown: set[str] = set()

    def __repr__(self) -> str:
        return f"<ClaudeChannel {'up' if self.up else 'down'} {self._protocol!r}>"

    # --- its life ---

    async def run(self) -> None:
        """Follow the session's inbox: up while its process lives and listens."""
        self._running = True
        if not self._protocol.known and (payload := _read(self.place, SESSION)):
            await self.hook("SessionStart", payload)
        while True:
            changed, patience_s = self._changed, float("inf")
            self._inbox = _find(self.place)
            if self._inbox is not None:
                patience_s = await self._follow(self._inbox, changed)
            with trio.move_on_after(patience_s):
                await changed.wait()

    async def _follow(self, inbox: Inbox, changed: trio.Event) -> float:
        """Until its process has ended or it is lost; returns after how many seconds to look again."""
        async with open_process_watch(inbox.pid) as watch:
            if watch.process is None:
                return float("inf")
            if not await listens(inbox):
                return LOOK_AGAIN_S
            self.up = True
            self.report(Up())
            async with trio.open_nursery() as nursery:
                nursery.start_soon(_end_with, watch.wait_exit, nursery.cancel_scope)
                await changed.wait()
                nursery.cancel_scope.cancel()
        if not changed.is_set():
            self._lose("its process has ended")
        return LOOK_AGAIN_S

    def _lose(self, why: str) -> None:
        """The inbox is of no use any more."""
        if self.up:
            self.up = False
            self.report(ChannelLost(at=trio.current_time(), channel=self.name, why=why))

    def _look_again(self) -> None:
        self._changed.set()
        self._changed = trio.Event()

    # --- messages ---

    async def deliver(self, message: Outgoing) -> Rung:
        """As `Channel.deliver`: `QUEUED`, or `SUBMITTED` where no hook will ever tell more."""
        inbox = self._inbox
        if not self.up or inbox is None:
            raise ChannelDown("the session has not told where it takes messages")
        if not self._protocol.was_handed(message.id):
            await self._write(inbox, message)
        return Rung.QUEUED if self._protocol.known else Rung.SUBMITTED

    def typed(self, message: Outgoing) -> None:
        """As `Channel.typed`: the same hook tells of what is pasted."""
        self._protocol.hand_over(message)

    async def _write(self, inbox: Inbox, message: Outgoing) -> None:
        self._protocol.hand_over(message)  # first: its receipt may be here before we are back
        try:
            await write(inbox, inbox_lines(inbox.token, message.text))
        except ChannelDown as error:
            self._protocol.not_handed(message.id)
            self._lose(str(error))
            self._look_again()
            raise

    async def holds(self, message_id: str) -> bool | None:
        """True if the session's own record shows that the model was given it, which is reported as well."""
        self._protocol.expect(message_id)
        path = self._protocol.transcript
        if not path or not await trio.to_thread.run_sync(was_given, path, message_id):
            return None
        self.report(Receipt(message_id=message_id, rung=Rung.TAKEN_IN, evidence="the session's record shows it"))
        return True

    # --- hooks ---

    async def hook(self, event: str, payload: bytes) -> bytes:
        """As `Channel.hook`; a prompt's hook is kept waiting for `answer`, unless it is one from before `run`."""
        for said in self._protocol.hook(event, payload, trio.current_time()):
            self.report(said)
        if event == "SessionStart" and _find(self.place) != self._inbox:
            self._look_again()
        self._release(self._protocol.ended_by(event))
        return await self._ask(payload) if event == "PermissionRequest" and self._running else b""

    async def _ask(self, payload: bytes) -> bytes:
        prompt_id, seen = self._protocol.ask(payload, trio.current_time())
        answer = self._answers[prompt_id] = _Answer()
        if self._blocked:  # another one is on the screen, and this one behind it
            self._shown.add(prompt_id)
        self.report(seen)
        try:
            await answer.given.wait()
        finally:
            del self._answers[prompt_id]
            self._shown.discard(prompt_id)
            self.report(self._protocol.over(prompt_id, trio.current_time()))
        return answer.printed

    async def answer(self, prompt_id: str, key: str) -> None:
        """As `Channel.answer`: the dialog closes when its hook has printed this."""
        printed = self._protocol.choose(prompt_id, key)
        answer = self._answers[prompt_id]
        if answer.given.is_set():
            raise PromptOver("this prompt was answered just now")
        answer.printed = printed
        answer.given.set()
        await trio.lowlevel.checkpoint()

    def seen(self, state: AgentState) -> None:
        """As `Channel.seen`: a prompt that was on the screen is over when no screen shows one any more.

        The session ends the hook of a prompt that a person refuses, but not that of one that a person allows.
        """
        self._blocked = state is AgentState.BLOCKED
        if self._blocked:
            self._shown.update(self._answers)
        else:
            self._release(self._shown)

    def _release(self, prompt_ids: Iterable[str]) -> None:
        """Let the hooks of these prompts end without a word."""
        for prompt_id in prompt_ids:
            self._answers[prompt_id].given.set()


async def _end_with(wait: Callable[[], Awaitable[None]], scope: trio.CancelScope) -> None:
    await wait()
    scope.cancel()


def _read(place: Place, name: str) -> bytes:
    """A small file of the private folder; empty if it is not there."""
    try:
        with open(f"{place.folder}/{name}", "rb") as file:
            return file.read()
    except OSError:
        return b""


def _find(place: Place) -> Inbox | None:
    written = read_inbox(_read(place, INBOX).decode(errors="replace"))
    return written or (inbox_of(place.pid) if place.pid else None)
