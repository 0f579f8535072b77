"""A whole tree of actors, from its root's start to its end in order."""

import math
import random as _random
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime

import trio

from tmuxorc.actors._errors import NoSuchActor
from tmuxorc.actors._events import ChildExited, ChildStarted, ChildStartFailed, LifecycleEvent
from tmuxorc.actors._exits import ExitReason, Failed, StartFailed
from tmuxorc.actors._incarnation import Ending, Incarnation, Report, Up
from tmuxorc.actors._letters import DeadLetters, DeadReason
from tmuxorc.actors._ref import Ref, SupervisorRef
from tmuxorc.actors._runtime import ROOT, Runtime
from tmuxorc.actors._sequence import KILL_LIMIT_S
from tmuxorc.actors._spec import SupervisorSpec
from tmuxorc.actors._supervisor import supervisor_child


class System:
    """A running tree; made by `open_system`.  `root` refers to its root supervisor, whose path is ``/``."""

    def __init__(
        self,
        spec: SupervisorSpec,
        *,
        on_event: Callable[[LifecycleEvent], None] | None,
        random: Callable[[], float],
        kill_limit_s: float,
    ) -> None:
        self._runtime = Runtime(self, on_event=on_event, random=random, kill_limit_s=kill_limit_s)
        self._up = trio.Event()
        self._ended = trio.Event()
        self._reason: ExitReason | None = None
        self._told = False
        self._root = self._make_root(spec)
        self._runtime.halt_root = self._root.halt
        self.root = SupervisorRef(self._runtime, ROOT)

    def _make_root(self, spec: SupervisorSpec) -> Incarnation:
        child = supervisor_child("root", spec)
        return Incarnation(self._runtime, self._runtime.cells[ROOT], child, 1, self._hear)

    def __repr__(self) -> str:
        return f"<System {'up' if self._reason is None else self._reason} actors={len(self._runtime.cells)}>"

    @property
    def dead_letters(self) -> DeadLetters:
        """Messages that reached nobody (S21)."""
        return self._runtime.letters

    @property
    def leaked(self) -> tuple[str, ...]:
        """The incarnations (``path#generation``) whose tasks outlived every limit and still run (S5)."""
        return tuple(sorted(self._runtime.leaked))

    def ref(self, path: str) -> Ref:
        """A reference to the actor at `path`, such as ``core/teams/main``; raises `NoSuchActor`."""
        self._require(path)
        return Ref(self._runtime, path)

    def supervisor(self, path: str) -> SupervisorRef:
        """A reference to the supervisor at `path`; raises `NoSuchActor`."""
        self._require(path)
        return SupervisorRef(self._runtime, path)

    def _require(self, path: str) -> None:
        if path not in self._runtime.cells:
            raise NoSuchActor(path)

    async def wait(self) -> None:
        """Wait until the root has ended; raises its error if it failed, for instance by giving up (S9)."""
        await self._ended.wait()
        self._raise_failure()

    # --- its life, for `open_system` ---

    async def launch(self) -> None:
        """Start the tree and wait until it is up; raises the error of the child that failed (S4)."""
        self._runtime.launch(self._root)
        await self._up.wait()
        if isinstance(self._reason, StartFailed):
            raise self._reason.error

    async def halt(self) -> None:
        """Stop the tree in order (S5)."""
        self._root.halt()
        await self._ended.wait()

    def raise_failure(self) -> None:
        """Raise what the root failed with, if it did and `wait` has not told so already."""
        if not self._told:
            self._raise_failure()

    def _hear(self, report: Report) -> None:
        if isinstance(report, Up):
            self._emit(ChildStarted(path=ROOT, id=report.incarnation.id, generation=1, at=datetime.now(UTC)))
            self._up.set()
        elif not isinstance(report, Ending):
            self._root_gone(report)

    def _root_gone(self, report: Report) -> None:
        self._reason = report.reason
        event = ChildStartFailed if isinstance(report.reason, StartFailed) else ChildExited
        self._emit(event(path=ROOT, id=report.incarnation.id, generation=1, at=datetime.now(UTC), reason=report.reason))
        report.incarnation.bury(DeadReason.STOPPED)
        self._up.set()
        self._ended.set()

    def _emit(self, event: LifecycleEvent) -> None:
        self._runtime.emit(event)

    def _raise_failure(self) -> None:
        self._told = True
        if self._runtime.fatal is not None:
            raise self._runtime.fatal
        if isinstance(self._reason, Failed | StartFailed):
            raise self._reason.error


@asynccontextmanager
async def open_system(
    spec: SupervisorSpec,
    *,
    on_event: Callable[[LifecycleEvent], None] | None = None,
    random: Callable[[], float] = _random.random,
    kill_limit_s: float = KILL_LIMIT_S,
) -> AsyncGenerator[System, None]:
    """Run a tree of actors for the length of a block.

    Entering waits until all children of `spec` are up, and raises the error of the first that fails.  Leaving, also by
    an exception or a cancellation, stops them in reverse order, each within its own `shutdown_s`; a root that failed
    and was not waited for raises its error then.  `on_event` is called synchronously with every lifecycle event (S24).
    `random` gives the jitter.  `kill_limit_s`: what a cancelled actor may take to clean up before it is cancelled for
    good, and then to react, before it counts as leaked.
    """
    system = System(spec, on_event=on_event, random=random, kill_limit_s=kill_limit_s)
    try:
        await system.launch()
        yield system
    finally:
        # What the children may take is bounded by their specs; a second limit here could only break their order.
        with trio.CancelScope(shield=True, deadline=math.inf):
            await system.halt()
    system.raise_failure()
