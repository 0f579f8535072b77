"""The decisions of a supervisor: events and orders in, effects out.

No clock, no task, no I/O.  Every input names its `Instant` and returns the effects in the order they are to be taken;
`deadline` says when to call `tick` at the latest.
"""

import math

from tmuxorc.actors._child import Child
from tmuxorc.actors._effects import Effect, Instant, Register, Settle
from tmuxorc.actors._errors import ActorDied, DuplicateChild, NoSuchActor, Superseded
from tmuxorc.actors._events import ChildStarted
from tmuxorc.actors._exits import ExitReason, Killed, Stopped
from tmuxorc.actors._policy import ExitPolicy
from tmuxorc.actors._sequence import Phase
from tmuxorc.actors._spec import ChildInfo, ChildSpec, ChildStatus
from tmuxorc.model import Desired


class SupervisorCore(ExitPolicy):
    """The state of one supervisor.

    Orders carry a token of the shell's choice; it comes back in the `Settle` that answers the order.
    """

    # --- what happens ---

    def start(self, now: Instant) -> list[Effect]:
        """Begin to start the children of the spec, in order (S4)."""
        for child in self._children.values():
            self._effects.append(Register(child.id))
            if child.desired is Desired.RUNNING:
                child.initial = True
                child.due = now.mono
        return self._advance(now)

    def started(self, id: str, generation: int, now: Instant, *, patient: bool = False) -> list[Effect]:
        """The incarnation acknowledged its start.  A `patient` child bounds its own end: it is a supervisor."""
        child = self._current(id, generation)
        if child is not None and child.status is ChildStatus.STARTING:
            child.status = ChildStatus.RUNNING
            child.limit = math.inf
            child.up_at = now.mono
            child.patient = patient
            child.initial = child.fresh = False
            self._emit(ChildStarted(path=self._path(id), id=id, generation=generation, at=now.utc))
            self._settle_up(child)
        return self._advance(now)

    def ending(self, id: str, generation: int, reason: ExitReason, now: Instant) -> list[Effect]:
        """The incarnation is about to end by itself and cleans up; what it may take for that counts from now."""
        child = self._current(id, generation)
        if child is not None and child.status is not ChildStatus.STOPPING:
            child.status = ChildStatus.STOPPING
            child.limit = now.mono + child.spec.shutdown_s
            if isinstance(reason, Stopped):
                child.desired = Desired.STOPPED
                child.call_off()
        return self._advance(now)

    def exited(self, id: str, generation: int, reason: ExitReason, now: Instant) -> list[Effect]:
        """The incarnation is gone.  Those of an older generation are ignored (S6)."""
        child = self._current(id, generation)
        if child is not None:
            self._gone(child, reason, now)
        return self._advance(now)

    def tick(self, now: Instant) -> list[Effect]:
        """Time has passed."""
        for child in list(self._children.values()):
            if child.limit <= now.mono:
                self._overdue(child, now)
        return self._advance(now)

    def shutdown(self, reason: ExitReason, now: Instant) -> list[Effect]:
        """End: stop the children in reverse order (S5), or cancel all at once if the reason is `Killed`."""
        if self.phase in (Phase.STARTING, Phase.RUNNING):
            self._wind_up(reason)
        if isinstance(reason, Killed):
            for child in reversed(self._children.values()):
                if child.active and self.phase is not Phase.ENDED:
                    self._kill(child, Killed(), now)
        return self._advance(now)

    def children(self) -> tuple[ChildInfo, ...]:
        """All children in the order of their start."""
        return tuple(child.info() for child in self._children.values())

    def status(self, id: str) -> ChildStatus | None:
        """Where the child stands; None if there is none of that id."""
        child = self._children.get(id)
        return child.status if child is not None else None

    # --- what operators order ---

    def add(self, order: object, spec: ChildSpec, now: Instant) -> list[Effect]:
        """Register a child and start it; if its first start fails it is forgotten again."""
        if spec.id in self._children:
            return self._refuse(order, Child(spec), DuplicateChild(self._path(spec.id)))
        if self.phase not in (Phase.STARTING, Phase.RUNNING):
            return self._refuse(order, Child(spec), ActorDied(self.path, why="is stopping"))
        child = self._children[spec.id] = Child(spec)
        child.generation = max(child.generation, self._generations.pop(spec.id, 0))
        self._effects.append(Register(spec.id))
        if spec.desired is Desired.STOPPED:
            self._effects.append(Settle(order, child.info(), None))
        else:
            child.fresh = True
            self._want_up(order, child, now)
        return self._advance(now)

    def resume(self, order: object, id: str, now: Instant) -> list[Effect]:
        """A person wants it up: quarantine and streak are forgotten, and so is that it was stopped."""
        child = self._children.get(id)
        refused = self._may_start(order, id, child)
        if child is None or refused:
            return refused
        self._desire_running(child)
        if child.status is ChildStatus.RUNNING and not child.doomed:
            self._effects.append(Settle(order, child.info(), None))
        else:
            self._want_up(order, child, now)
        return self._advance(now)

    def restart(self, order: object, id: str, now: Instant) -> list[Effect]:
        """A person wants a new incarnation of it; counts neither against intensity nor in the streak."""
        child = self._children.get(id)
        refused = self._may_start(order, id, child)
        if child is None or refused:
            return refused
        self._desire_running(child)
        if child.status in (ChildStatus.STARTING, ChildStatus.RUNNING):
            child.doomed = child.alone = True
            child.recall = True
            child.initial = child.fresh = False
        self._want_up(order, child, now)
        return self._advance(now)

    def stop(self, order: object, id: str, now: Instant) -> list[Effect]:
        """A person wants it down: it overtakes a start, a delay, and its turn in a group."""
        child = self._children.get(id)
        if child is None:
            return self._unknown(order, id)
        self._want_down(order, child, now)
        return self._advance(now)

    def kill(self, order: object, id: str, now: Instant) -> list[Effect]:
        """As `stop`, without the courtesy; a second one cuts the clean-up short, too."""
        child = self._children.get(id)
        if child is None:
            return self._unknown(order, id)
        if child.active:
            self._kill(child, Killed(), now)
        self._want_down(order, child, now)
        return self._advance(now)

    def remove(self, order: object, id: str, now: Instant) -> list[Effect]:
        """As `stop`, and then it is forgotten."""
        child = self._children.get(id)
        if child is None:
            return self._unknown(order, id)
        child.removing = True
        self._want_down(order, child, now)
        if not child.active and id in self._children:
            self._forget(child)
        return self._advance(now)

    # --- how ---

    def _desire_running(self, child: Child) -> None:
        child.desired = Desired.RUNNING
        child.streak = 0

    def _want_up(self, order: object, child: Child, now: Instant) -> None:
        self._up_waiters.setdefault(child.id, []).append(order)
        if child.status is ChildStatus.STOPPING:
            child.recall = True
        elif not child.active:
            child.plan(now.mono, alone=True, auto=False)
            child.restart_at = None
            child.status = ChildStatus.PENDING

    def _want_down(self, order: object, child: Child, now: Instant) -> None:
        was = child.desired
        child.desired = Desired.STOPPED
        child.call_off()
        child.initial = child.fresh = False
        if child.active:
            child.doomed = child.alone = True
            self._down_waiters.setdefault(child.id, []).append(order)
            self._supersede(child)
        elif was is Desired.STOPPED and child.status is ChildStatus.STOPPED:
            self._effects.append(Settle(order, child.info(), None))
        else:
            self._down_waiters.setdefault(child.id, []).append(order)
            self._supersede(child)
            self._rest(child, now)

    def _supersede(self, child: Child) -> None:
        self._settle(self._up_waiters, child, Superseded(f"{self._path(child.id)} was stopped before it was up"))

    def _may_start(self, order: object, id: str, child: Child | None) -> list[Effect]:
        if child is None:
            return self._unknown(order, id)
        if child.removing or self.phase not in (Phase.STARTING, Phase.RUNNING):
            path = self._path(id) if child.removing else self.path
            return self._refuse(order, child, ActorDied(path, why="is stopping"))
        return []

    def _unknown(self, order: object, id: str) -> list[Effect]:
        return [Settle(order, None, NoSuchActor(self._path(id)))]

    def _refuse(self, order: object, child: Child, error: BaseException) -> list[Effect]:
        return [Settle(order, child.info(), error)]
