"""What a client asked for is done whole or not at all, also when the client is gone before it is."""

import pytest
import trio

from tests.support import Home
from tests.unit.domain.test_post import ALICE, Box, Office
from tmuxorc.actors._whole import whole
from tmuxorc.model import Rung


async def test_a_change_that_has_begun_is_finished_and_its_result_given() -> None:
    seen: list[str] = []

    @whole
    async def change(word: str) -> str:
        seen.append(f"{word} begun")
        await trio.lowlevel.checkpoint()
        seen.append(f"{word} done")
        return word

    with trio.CancelScope() as scope:
        scope.cancel()
        assert await change("first") == "first"
        await trio.lowlevel.checkpoint()
        seen.append("never")
    assert scope.cancelled_caught
    assert seen == ["first begun", "first done"]


async def test_its_error_is_the_callers() -> None:
    @whole
    async def change() -> None:
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        await change()


async def test_a_message_whose_sender_hung_up_is_delivered_before_the_next(home: Home) -> None:
    """The journal takes it whatever becomes of the sender: so must the post."""
    async with Office().opened(home) as office:
        box = Box()
        with office.post.receiving(ALICE, box):
            with trio.CancelScope() as sender:
                sender.cancel()
                await office.accept(ALICE, text="first")
            await office.accept(ALICE, text="second")
            assert list(box.texts.values()) == ["first", "second"]
            assert [message.id for message in office.post.waiting(ALICE)] == ["m-1", "m-2"]
            with trio.CancelScope() as courier:
                courier.cancel()
                await office.post.advance(office.journal, "m-1", Rung.SUBMITTED, "seen")
            assert [message.id for message in office.post.waiting(ALICE)] == ["m-2"]
