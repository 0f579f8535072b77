"""The channel to Gemini CLI: its hooks, and the AfterAgent hook as the door for what waits while a turn runs.

There is no way into an idle session but its composer, so between turns messages go by keys.
"""

import math
from contextlib import suppress
from typing import ClassVar

import msgspec
import trio

from tmuxorc.channels._base import Ability, Channel, ChannelDown, Outgoing, Place, Receipt, Report, Up
from tmuxorc.channels._gemini_protocol import GeminiTalk, Handed
from tmuxorc.model import AgentState, Rung


class GeminiChannel(Channel):
    """Up from the first hook on; it takes messages only while a turn runs."""

    name: ClassVar[str] = "gemini"
    abilities: ClassVar[frozenset[Ability]] = frozenset(
        (Ability.DELIVER, Ability.QUEUE, Ability.RECEIPT, Ability.STATE)
    )

    def __init__(self, place: Place, report: Report) -> None:
        super().__init__(place, report)
        self._talk = GeminiTalk()
        self._changed = trio.Event()
        self._note = f"{place.folder}/handed.json"

    def can(self, ability: Ability) -> bool:
        """As `Channel.can`: nothing is delivered between turns."""
        return super().can(ability) and (ability is not Ability.DELIVER or self._talk.turn)

    async def run(self) -> None:
        """As `Channel.run`: hooks come by themselves, and this lets time pass."""
        while True:
            self._changed = trio.Event()
            with trio.move_on_at(math.inf if self._talk.due is None else self._talk.due):
                await self._changed.wait()
            for said in self._talk.tick(trio.current_time()):
                self.report(said)

    async def deliver(self, message: Outgoing) -> Rung:
        """As `Channel.deliver`: kept for the end of the turn; `ChannelDown` if none runs."""
        await trio.lowlevel.checkpoint()
        if not self.up or not self._talk.keep(message):
            raise ChannelDown("gemini takes messages by its hook only while a turn runs")
        return Rung.QUEUED

    def typed(self, message: Outgoing) -> None:
        """As `Channel.typed`: BeforeAgent tells of what is typed, too."""
        self._talk.typed(message)

    async def holds(self, message_id: str) -> bool | None:
        """As `Channel.holds`: what was kept here died with the supervisor; what was handed over is in the record."""
        if self._talk.has(message_id):
            return True
        handed = self._recall()
        if handed is None or handed.id != message_id or not handed.stands_in(await _read(handed.transcript)):
            return False
        self.report(Receipt(message_id=message_id, rung=Rung.TAKEN_IN, evidence="the session's record shows it"))
        return True

    async def hook(self, event: str, payload: bytes) -> bytes:
        """As `Channel.hook`."""
        await trio.lowlevel.checkpoint()
        if not self.up:
            self.up = True
            self.report(Up())
        said, answer = self._talk.hook(event, payload, trio.current_time())
        if answer:
            self._remember()
        for each in said:
            self.report(each)
        self._changed.set()
        return answer

    def seen(self, state: AgentState) -> None:
        """As `Channel.seen`: a prompt that was refused ends its turn, and no hook says so."""
        if state is AgentState.IDLE:
            self._talk.idle_seen(trio.current_time())
        else:
            self._talk.busy_seen()
        self._changed.set()

    def _remember(self) -> None:
        """Write down what is about to be handed over: who dies now must not send it again."""
        with suppress(OSError), open(self._note, "wb") as file:
            file.write(msgspec.json.encode(self._talk.handed))

    def _recall(self) -> Handed | None:
        with suppress(OSError, msgspec.MsgspecError), open(self._note, "rb") as file:
            return msgspec.json.decode(file.read(), type=Handed)
        return None


async def _read(path: str) -> bytes:
    """The file's content; empty if there is none."""
    with suppress(OSError):
        return await trio.Path(path).read_bytes()
    return b""
