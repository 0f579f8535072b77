"""What a channel reports, for tests to wait for."""

from collections.abc import Callable

import trio

from tmuxorc.agents.evidence import ChannelSaid, PromptSeen
from tmuxorc.channels import Receipt, Said, Up
from tmuxorc.model import Prompt, Rung


class Heard:
    """Everything that was reported, in its order; nothing is waited for longer than ten seconds."""

    def __init__(self) -> None:
        self.all: list[Said] = []
        self._changed = trio.Event()

    def __call__(self, said: Said) -> None:
        self.all.append(said)
        self._changed.set()
        self._changed = trio.Event()

    async def until(self, wanted: Callable[[Said], bool], count: int = 1) -> Said:
        """The first such thing, reported already or to come; with `count` that many."""
        with trio.fail_after(10):
            while True:
                found = [said for said in self.all if wanted(said)]
                if len(found) >= count:
                    return found[count - 1]
                await self._changed.wait()

    async def up(self, count: int = 1) -> None:
        """Wait until the channel can be used, for the `count`th time."""
        await self.until(lambda said: isinstance(said, Up), count)

    async def word(self, word: str) -> None:
        """Wait for a state."""
        await self.until(lambda said: isinstance(said, ChannelSaid) and said.said == word)

    async def receipt(self, message_id: str, rung: Rung = Rung.TAKEN_IN) -> None:
        """Wait for a receipt; without `rung`, that the model was given the message."""
        await self.until(lambda said: isinstance(said, Receipt) and (said.message_id, said.rung) == (message_id, rung))

    async def prompt(self) -> Prompt:
        """Wait for a prompt."""
        seen = await self.until(lambda said: isinstance(said, PromptSeen) and said.prompt is not None)
        assert isinstance(seen, PromptSeen)
        assert seen.prompt is not None
        return seen.prompt

    async def no_prompt(self) -> None:
        """Wait until none is open."""
        await self.until(lambda said: isinstance(said, PromptSeen) and said.prompt is None)
