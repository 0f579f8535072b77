"""An actor that holds an async context open for its life: the journal, the tmux connection, the socket.

The context lives in one task of its own: entered in `start` and left in `stop` it would cross the start's deadline.
"""

from collections.abc import Callable

import trio

from tmuxorc.actors import Actor, ActorContext
from tmuxorc.errors import cause_of


class Holding(Actor):
    """Subclasses write `hold`; the start is acknowledged when they call `ready`."""

    def __init__(self) -> None:
        self._failed: Exception | None = None

    async def hold(self, ready: Callable[[], None]) -> None:
        """Open, call `ready`, stay until cancelled or broken, close."""
        raise NotImplementedError

    async def start(self, ctx: ActorContext) -> None:
        """Return once `hold` is ready; raise what it raised before that."""
        opened = trio.Event()
        ctx.spawn(self._run, opened)
        await opened.wait()
        if self._failed is not None:
            raise self._failed

    async def _run(self, opened: trio.Event) -> None:
        try:
            await self.hold(opened.set)
        except Exception as error:  # noqa: BLE001 - raised on, here or by `start`
            known = cause_of(error) or error  # a nursery within `hold` wraps it
            if opened.is_set():
                raise known from None if known is not error else error.__cause__
            self._failed = known
        finally:
            opened.set()
