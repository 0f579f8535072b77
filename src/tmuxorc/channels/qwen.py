"""The channel to Qwen Code: a file that it takes messages and answers from, and one where it says what it does.

Seen on 0.24.4.  It looks at its input every half second, and skips what is there when it begins to look: so it is asked
a question first that it refuses in words, and once it has, everything written is read.  The same question behind a
message says that the message was read.  What it gives to a turn that runs is told by the session's own record alone.
"""

import logging
import os
import time
import uuid
from collections.abc import Callable
from itertools import count
from typing import ClassVar

import trio

from tmuxorc.agents.evidence import ChannelLost
from tmuxorc.channels._base import (
    Ability,
    Channel,
    ChannelDown,
    ChannelError,
    ChannelUnclear,
    Outgoing,
    Place,
    PromptOver,
    Receipt,
    Report,
    Said,
    Up,
)
from tmuxorc.channels._follow import FileWatch, Tail
from tmuxorc.channels._qwen_lines import (
    DENY,
    Handed,
    is_message,
    question,
    record_of,
    response,
    submission,
    submissions,
)
from tmuxorc.channels._qwen_protocol import NAME, QwenTalk
from tmuxorc.model import AgentState, Rung

log = logging.getLogger(__name__)

IN, OUT = "in.jsonl", "out.jsonl"
PATIENCE_S = 20.0
"""How long it may take to read its input; it looks every half second, later under load."""

AGAIN_S = 2.0
"""Between questions while it starts."""

RECENT = 1 << 22
"""Bytes of its output that a later supervisor reads again."""


class QwenChannel(Channel):
    """The way into one process of Qwen Code, while that is idle.

    It cannot queue to a turn's end: a message that waits goes out with the next request of the turn, and Escape moves
    it into the composer, where it stays until a person submits it.
    """

    name: ClassVar[str] = NAME
    abilities: ClassVar[frozenset[Ability]] = frozenset((Ability.DELIVER, Ability.RECEIPT, Ability.PROMPTS))

    def __init__(self, place: Place, report: Report) -> None:
        super().__init__(place, report)
        self._talk = QwenTalk(place.session)
        self._in, self._out_path = f"{place.folder}/{IN}", f"{place.folder}/{OUT}"
        self._out = Tail(self._out_path, last=RECENT)
        self._record = Tail("")
        self._record_path: str = ""
        self._questions = (f"{uuid.uuid4()}-{number}" for number in count(1))
        self._heard = trio.Event()
        self._state: AgentState | None = None

    def __repr__(self) -> str:
        return f"<QwenChannel {'up' if self.up else 'down'} {self._talk!r}>"

    def can(self, ability: Ability) -> bool:
        """As `Channel.can`: messages wait with us until it is idle."""
        return super().can(ability) and (ability is not Ability.DELIVER or self._state in (None, AgentState.IDLE))

    def seen(self, state: AgentState) -> None:
        """As `Channel.seen`: of an Escape on a prompt nothing else is said."""
        self._state = state
        if state is AgentState.IDLE:
            self._report(self._talk.idle_seen(trio.current_time()))

    # --- its life ---

    async def run(self) -> None:
        """As `Channel.run`."""
        try:
            with FileWatch() as watch:
                watch.add(self._out_path)
                await self._follow(watch)
        except OSError as error:
            log.warning("qwen's files in %s cannot be followed: %s", self.place.folder, error.strerror)
            await trio.sleep_forever()
        finally:
            self._out.close()
            self._record.close()

    async def _follow(self, watch: FileWatch) -> None:
        self._recall(watch)
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._greet)
            while True:
                await watch.wait()
                self._read(watch)

    def _recall(self, watch: FileWatch) -> None:
        """What was written before: by us in an earlier life, and by the program; only what still counts is said."""
        for message in submissions(_lines(self._in)):
            self._talk.hand_over(message)
        said = [found for line in _lines(self._out_path)[:1] for found in self._talk.recall(line)]
        while lines := self._out.read():
            said += [found for line in lines for found in self._talk.recall(line)]
        self._report(said + self._talk.stands(trio.current_time()))
        self._read(watch)

    async def _greet(self) -> None:
        """Up once it reads its input."""
        while not self._talk.session:
            await self._heard.wait()
        while not self.up:
            with trio.move_on_after(AGAIN_S):
                try:
                    await self._ask(b"")
                except ChannelError:
                    await trio.sleep_forever()  # until it is time to ask again
                self.up = True
                self.report(Up(version=self._talk.version))

    def _read(self, watch: FileWatch) -> None:
        """Everything new in both files."""
        while lines := self._out.read():
            for line in lines:
                self._report(self._talk.take(line, trio.current_time()))
        self._follow_record(watch)
        while lines := self._record.read():
            for line in lines:
                self._report(self._talk.take_recorded(line))
        if self.up and self._talk.ended:
            self.up = False
            self.report(ChannelLost(at=trio.current_time(), channel=self.name, why="its session has ended"))
        self._heard.set()
        self._heard = trio.Event()

    def _follow_record(self, watch: FileWatch) -> None:
        """The record is made with a session's first message; its folder is there before."""
        talk = self._talk
        path: str = record_of(self.place.home, talk.cwd, talk.session) if talk.session else ""
        if path and path != self._record_path and os.path.isdir(os.path.dirname(path)):
            self._record.close()
            self._record, self._record_path = Tail(path), path
            watch.add(path)

    def _report(self, said: list[Said]) -> None:
        for one in said:
            self.report(one)

    # --- messages ---

    async def deliver(self, message: Outgoing) -> Rung:
        """As `Channel.deliver`: `QUEUED` once it was read, or `TAKEN_IN` if the model was given it by then."""
        self._require()
        if not self._talk.was_handed(message.id):
            handed = Handed(id=message.id, text=message.text, at_ms=_now_ms())
            await self._ask(submission(handed), lambda: self._talk.hand_over(handed))
        return Rung.TAKEN_IN if self._talk.was_taken(message.id) else Rung.QUEUED

    def typed(self, message: Outgoing) -> None:
        """As `Channel.typed`: what is typed is told in the same way."""
        self._talk.hand_over(Handed(id=message.id, text=message.text, at_ms=_now_ms()))

    async def holds(self, message_id: str) -> bool | None:
        """As `Channel.holds`.  What the model was given before this start is known by its frame alone."""
        self._require()
        if self._talk.was_handed(message_id):
            return True
        if not await trio.to_thread.run_sync(_is_in, self._record_path, message_id):
            return False
        self.report(Receipt(message_id=message_id, rung=Rung.TAKEN_IN, evidence="the session's record has it"))
        return True

    # --- prompts ---

    async def answer(self, prompt_id: str, key: str) -> None:
        """As `Channel.answer`."""
        self._require()
        if prompt_id not in self._talk.prompts:
            raise PromptOver("this prompt is no longer open")
        await self._ask(response(prompt_id, key))
        over = prompt_id in self._talk.refused
        if over or key == DENY:  # of a denial nothing is said
            self._report(self._talk.forget(prompt_id, trio.current_time()))
        if over:
            raise PromptOver("this prompt is no longer open")

    # --- its input ---

    def _require(self) -> None:
        if not self.up:
            raise ChannelDown("qwen does not read its input file")

    async def _ask(self, data: bytes, written: Callable[[], None] = lambda: None) -> None:
        """Write `data` and wait until it was read.  Raises `ChannelDown`, `ChannelUnclear`."""
        name = next(self._questions)
        _append(self._in, data + question(name))
        written()
        with trio.move_on_after(PATIENCE_S):
            while name not in self._talk.refused:
                await self._heard.wait()
            self._talk.refused.discard(name)
            return
        raise ChannelUnclear(f"qwen has not read its input file for {PATIENCE_S:g} s")


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _append(path: str, data: bytes) -> None:
    """In one write, or not at all.  Raises `ChannelDown`."""
    try:
        file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC)
    except OSError as error:
        raise ChannelDown(f"its input file is not there: {error.strerror}") from error
    try:
        size = os.fstat(file).st_size
        if os.write(file, data) < len(data):
            os.ftruncate(file, size)  # what has no line end yet was not read
            raise ChannelDown("there is no room for its input file")
    except OSError as error:
        raise ChannelDown(f"its input file cannot be written: {error.strerror}") from error
    finally:
        os.close(file)


def _lines(path: str) -> list[bytes]:
    try:
        with open(path, "rb") as file:
            return file.readlines()
    except OSError:
        return []


def _is_in(path: str, message_id: str) -> bool:
    try:
        with open(path, "rb") as file:
            return any(is_message(line, message_id) for line in file)
    except OSError:
        return False
