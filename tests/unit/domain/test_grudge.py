"""A journal that refuses is told of once, and offered the same again until it takes it."""

import logging

import pytest
import trio.testing

from tmuxorc.actors._grudge import RETRY_S, Grudge
from tmuxorc.errors import JournalError
from tmuxorc.journal import JournalFullError


async def test_a_write_is_offered_until_it_is_taken(
    caplog: pytest.LogCaptureFixture, autojump_clock: trio.testing.MockClock
) -> None:
    answers: list[Exception | str] = [JournalFullError("full"), JournalFullError("full"), "kept"]
    grudge = Grudge()

    async def write() -> str:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    caplog.set_level(logging.INFO)
    began = trio.current_time()
    assert await grudge.insist(write) == "kept"
    assert trio.current_time() - began == 2 * RETRY_S
    assert [record.levelname for record in caplog.records] == ["ERROR", "INFO"]
    assert grudge.refusal is None


def test_another_kind_of_refusal_is_told_too(caplog: pytest.LogCaptureFixture) -> None:
    grudge = Grudge()
    grudge.taken()
    for error in (JournalFullError("full"), JournalFullError("full"), JournalError("gone"), JournalError("gone")):
        grudge.refused(error)
    assert len(caplog.records) == 2


async def test_what_is_no_refusal_is_the_callers() -> None:
    async def write() -> None:
        raise LookupError("no such message")

    with pytest.raises(LookupError):
        await Grudge().insist(write)
