"""Changes that are made whole or not at all, whatever becomes of who asked for them."""

from collections.abc import Callable, Coroutine
from functools import wraps
from typing import Any, ParamSpec, TypeVar

import trio

P = ParamSpec("P")
R = TypeVar("R")


def whole(change: Callable[P, Coroutine[Any, Any, R]]) -> Callable[P, Coroutine[Any, Any, R]]:
    """`change`, not to be cancelled half-way.

    A client that hangs up cancels what it asked for.  Between the journal and what is built on it (the roster, the
    post, a child's start) that would leave a message accepted that nobody delivers, or an agent that only the next
    supervisor knows.  For changes that end by themselves only, never for waiting on the world.
    """

    @wraps(change)
    async def undivided(*args: P.args, **kwargs: P.kwargs) -> R:
        with trio.CancelScope(shield=True):
            return await change(*args, **kwargs)
        raise AssertionError("a scope that nobody cancels swallows nothing")

    return undivided
