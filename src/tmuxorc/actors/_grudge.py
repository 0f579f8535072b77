"""What is done when the journal refuses a write: say so once, wait, offer it again."""

import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar

import trio

from tmuxorc.errors import JournalError

log = logging.getLogger(__name__)

T = TypeVar("T")

RETRY_S = 1.0
"""Pause after the journal refused a write (a full disk, say) before it is offered again."""


class Grudge:
    """Whether the journal refuses writes just now; shared by all that cannot do without it.

    The log hears of the first refusal and of the first write that is taken again, not of every attempt between: on a
    full disk that would be the last straw.
    """

    def __init__(self) -> None:
        self.refusal: JournalError | None = None

    def refused(self, error: JournalError) -> None:
        """A write was refused, and will be offered again."""
        if self.refusal is None or self.refusal.code != error.code:
            log.error("the journal takes no writes; trying again: %s", error, extra={"code": error.code})
        self.refusal = error

    def taken(self) -> None:
        """A write was taken."""
        if self.refusal is not None:
            log.info("the journal takes writes again")
        self.refusal = None

    async def insist(self, write: Callable[[], Awaitable[T]]) -> T:
        """The result of `write`, tried until the journal takes it."""
        while True:
            try:
                result = await write()
            except JournalError as error:
                self.refused(error)
                await trio.sleep(RETRY_S)
            else:
                self.taken()
                return result
