"""What several routes need."""

from collections.abc import Awaitable
from typing import TypeVar

import trio

from tmuxorc.errors import TimedOutError, UsageError

T = TypeVar("T")

MOST_PATIENCE_S = 7 * 24 * 3600.0


async def within(timeout_s: float, wanted: Awaitable[T], what: str) -> T:
    """What `wanted` gives, or `TimedOutError` after `timeout_s`."""
    if not 0 <= timeout_s <= MOST_PATIENCE_S:
        raise UsageError(f"a timeout is between 0 and {MOST_PATIENCE_S:.0f} seconds, not {timeout_s}")
    with trio.move_on_after(timeout_s):
        return await wanted
    raise TimedOutError(f"waited {timeout_s:g} s for {what}", hint="it may still come; see: tmux-orc status")
