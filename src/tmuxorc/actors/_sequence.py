"""The order in which a supervisor's children stop and start.

Children are not started and stopped by scripts that would have to be interrupted.  What is wanted of each child stands
in its record (`Child.due`, `Child.doomed`), and `_advance` takes every step that order allows now.  So whoever changes
what is wanted overtakes whatever is under way.
"""

import math
from datetime import datetime
from enum import Enum
from typing import TypedDict

from tmuxorc.actors._child import Child
from tmuxorc.actors._effects import Effect, Emit, End, Forget, Halt, Instant, Kill, Launch, Ready, Settle
from tmuxorc.actors._errors import ActorDied, StartTimedOut
from tmuxorc.actors._events import ChildStopped, LifecycleEvent
from tmuxorc.actors._exits import ExitReason, Killed, StartFailed, StartTimeout, Stopped
from tmuxorc.actors._spec import ChildStatus, SupervisorSpec
from tmuxorc.model import Desired

KILL_LIMIT_S = 5.0
"""How long a cancelled child may take to clean up, and then again to react to the second cancellation."""

FORGOTTEN = 1000
"""Of how many removed children the generation is remembered, the latest ones."""


class Phase(Enum):
    """Where the supervisor itself stands."""

    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


class Stamp(TypedDict):
    """The fields every lifecycle event has."""

    path: str
    id: str
    generation: int
    at: datetime


class Sequence:
    """The children of one supervisor, and the steps towards what is wanted of them."""

    def __init__(self, spec: SupervisorSpec, *, path: str, kill_limit_s: float) -> None:
        self.spec = spec
        self.path = path
        self.phase = Phase.STARTING
        self.outcome: ExitReason = Stopped()
        self.deadline = math.inf
        self._kill_limit_s = kill_limit_s
        self._children: dict[str, Child] = {child.id: Child(child) for child in spec.children}
        # A child added again goes on counting (S6).
        self._generations: dict[str, int] = {}
        self._up_waiters: dict[str, list[object]] = {}
        self._down_waiters: dict[str, list[object]] = {}
        self._effects: list[Effect] = []

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path} {self.phase.value} {list(self._children.values())}>"

    # --- the next steps ---

    def _advance(self, now: Instant) -> list[Effect]:
        if self.phase is not Phase.ENDED:
            self._halt_next(now)
            if self.phase is not Phase.STOPPING:
                self._launch_next(now)
            self._conclude()
            self._set_deadline(now)
        effects, self._effects = self._effects, []
        return effects

    def _halt_next(self, now: Instant) -> None:
        """In a group one after another, last first; a child that is `alone` heeds nobody."""
        occupied = False
        for child in reversed(self._children.values()):
            if not (child.doomed and child.active):
                continue
            if child.status is not ChildStatus.STOPPING and (child.alone or not occupied):
                self._halt(child, now)
            occupied = occupied or not child.alone

    def _launch_next(self, now: Instant) -> None:
        """In a group one after another, first first, each when the one before is up and all stops are done."""
        occupied = any(child.doomed and child.active and not child.alone for child in self._children.values())
        for child in self._children.values():
            wanted = child.due is not None and not child.active
            if wanted and (child.alone or not occupied) and child.due is not None and child.due <= now.mono:
                self._launch(child, now)
            occupied = occupied or (not child.alone and (wanted or (child.active and child.up_at is None)))

    def _conclude(self) -> None:
        if self.phase is Phase.STARTING and not any(child.initial for child in self._children.values()):
            self.phase = Phase.RUNNING
            self._effects.append(Ready())
        elif self.phase is Phase.STOPPING and not any(child.active for child in self._children.values()):
            self.phase = Phase.ENDED
            self._effects.append(End(self.outcome))

    def _set_deadline(self, now: Instant) -> None:
        deadline = math.inf
        for child in self._children.values():
            if child.active:
                deadline = min(deadline, child.limit)
            elif child.due is not None and now.mono < child.due < deadline:
                deadline = child.due
        self.deadline = deadline if self.phase is not Phase.ENDED else math.inf

    def _launch(self, child: Child, now: Instant) -> None:
        child.generation += 1
        child.restarts += child.auto
        child.status = ChildStatus.STARTING
        child.limit = now.mono + child.spec.start_timeout_s
        child.up_at = None
        child.kills = 0
        child.patient = False
        child.call_off()
        self._effects.append(Launch(child.id, child.generation))

    def _halt(self, child: Child, now: Instant) -> None:
        if child.spec.shutdown_s == 0:
            self._kill(child, Killed(), now)
            return
        child.status = ChildStatus.STOPPING
        child.limit = now.mono + child.spec.shutdown_s
        self._effects.append(Halt(child.id, child.generation))

    def _kill(self, child: Child, reason: ExitReason, now: Instant) -> None:
        child.status = ChildStatus.STOPPING
        child.kills += 1
        child.limit = now.mono + (math.inf if child.patient else self._kill_limit_s)
        self._effects.append(Kill(child.id, child.generation, reason))

    # --- coming to rest ---

    def _rest(self, child: Child, now: Instant) -> None:
        """It is down and stays down: a person wants it so, or its supervisor ends."""
        child.call_off()
        child.doomed = child.initial = child.fresh = False
        child.status = ChildStatus.STOPPED
        if child.desired is Desired.STOPPED:
            self._emit(ChildStopped(**self._stamp(child, now), reason=child.last_exit))
        self._fail_up(child)
        self._settle_down(child)
        if child.removing:
            self._forget(child)

    def _forget(self, child: Child) -> None:
        del self._children[child.id]
        self._generations[child.id] = child.generation
        if len(self._generations) > FORGOTTEN:
            del self._generations[next(iter(self._generations))]
        self._fail_up(child)
        self._settle_down(child)
        self._effects.append(Forget(child.id))

    def _settle_up(self, child: Child) -> None:
        self._settle(self._up_waiters, child, None)

    def _settle_down(self, child: Child) -> None:
        self._settle(self._down_waiters, child, None)

    def _fail_up(self, child: Child) -> None:
        if child.id in self._up_waiters:
            self._settle(self._up_waiters, child, self._error(child))

    def _settle(self, waiters: dict[str, list[object]], child: Child, error: BaseException | None) -> None:
        for order in waiters.pop(child.id, ()):
            self._effects.append(Settle(order, child.info(), error))

    def _current(self, id: str, generation: int) -> Child | None:
        child = self._children.get(id)
        return child if child is not None and child.active and child.generation == generation else None

    def _error(self, child: Child) -> BaseException:
        """What to tell those who wanted it up."""
        reason, path = child.last_exit, self._path(child.id)
        if isinstance(reason, StartFailed):
            return reason.error
        if isinstance(reason, StartTimeout):
            return StartTimedOut(f"{path} did not start within {child.spec.start_timeout_s:g} s")
        return ActorDied(path, reason)

    def _path(self, id: str) -> str:
        return join(self.path, id)

    def _stamp(self, child: Child, now: Instant) -> Stamp:
        return Stamp(path=self._path(child.id), id=child.id, generation=child.generation, at=now.utc)

    def _emit(self, event: LifecycleEvent) -> None:
        self._effects.append(Emit(event))


def join(path: str, id: str) -> str:
    """The path of the child `id` of the actor at `path`; the root's path is ``/``."""
    return id if path == "/" else f"{path}/{id}"
