"""What all actors of one system share: the registry of places, dead letters, the event stream, the birth of tasks."""

import contextvars
import itertools
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

import trio

from tmuxorc.actors._events import LifecycleEvent
from tmuxorc.actors._letters import DeadLetters, DeadReason
from tmuxorc.actors._ref import Cell, Ref, current
from tmuxorc.actors._sequence import join

if TYPE_CHECKING:
    from tmuxorc.actors._incarnation import Incarnation
    from tmuxorc.actors._system import System

log = logging.getLogger("tmuxorc.actors")

ROOT = "/"
_serial = itertools.count()


class Runtime:
    """One per system."""

    def __init__(
        self,
        system: "System",
        *,
        on_event: Callable[[LifecycleEvent], None] | None,
        random: Callable[[], float],
        kill_limit_s: float,
    ) -> None:
        self.system = system
        self.random = random
        self.kill_limit_s = kill_limit_s
        self.letters = DeadLetters()
        self.leaked: set[str] = set()
        self.fatal: BaseException | None = None
        self.halt_root: Callable[[], None] = _nothing
        # Systems never compare as above or below one another: each has a first order of its own.
        root = Cell(ROOT, "root", (next(_serial),))
        self.cells: dict[str, Cell] = {ROOT: root}
        self._on_event = on_event
        self._context = contextvars.copy_context()

    def ref(self, path: str) -> Ref:
        """A reference to whatever lives at `path`."""
        return Ref(self, path)

    def join(self, path: str, id: str) -> str:
        """The path of the child `id` of the actor at `path`."""
        return join(path, id)

    def enroll(self, parent: Cell, id: str, order: int) -> Cell:
        """Register the place of a child."""
        cell = Cell(join(parent.path, id), id, (*parent.lineage, order))
        self.cells[cell.path] = cell
        return cell

    def drop(self, cell: Cell) -> None:
        """Forget a place; references find it again if it is ever enrolled anew."""
        cell.dropped = True
        if self.cells.get(cell.path) is cell:
            del self.cells[cell.path]

    def why_absent(self, path: str) -> DeadReason:
        """Why nobody takes messages at `path`: it, or the nearest above it that exists, is stopped or restarting."""
        while path not in self.cells and path != ROOT:
            path = path.rpartition("/")[0] or ROOT
        cell = self.cells[path]
        return DeadReason.UNKNOWN if cell.mailbox is not None else cell.absent

    def emit(self, event: LifecycleEvent) -> None:
        """Publish an event; a listener that fails is logged and harms nobody."""
        if self._on_event is None:
            return
        try:
            self._on_event(event)
        except Exception:
            log.exception("a listener failed on %r", event)

    def context_of(self, cell: Cell) -> contextvars.Context:
        """A context that says whose code is running and inherits nothing from whoever happened to ask for the start."""
        context = self._context.copy()
        context.run(current.set, cell)
        return context

    def abort(self, error: BaseException) -> None:
        """End the whole system; `error` comes out of it."""
        self.fatal = error
        self.halt_root()

    def launch(self, incarnation: "Incarnation") -> None:
        """Give the incarnation its task.

        A system task, not one in a nursery of its supervisor: a nursery waits for its tasks without a limit, and a
        supervisor must be able to leave a leaked one behind (S5).  Everything that ends a task is in `Incarnation`.
        """
        context = self.context_of(incarnation.cell)
        trio.lowlevel.spawn_system_task(incarnation.run, name=str(incarnation), context=context)


def _nothing() -> None:
    """There is no root yet that could be halted."""
