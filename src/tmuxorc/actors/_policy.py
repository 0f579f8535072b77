"""What a supervisor makes of a child's end: restart, delay, quarantine, group restart, giving up, folding up."""

import math
from collections import deque
from collections.abc import Callable

from tmuxorc.actors._child import Child
from tmuxorc.actors._effects import Abandon, Instant
from tmuxorc.actors._errors import GaveUp
from tmuxorc.actors._events import (
    ChildExited,
    ChildLeaked,
    ChildQuarantined,
    ChildStartFailed,
    RestartScheduled,
    StoppedLate,
    SupervisorGaveUp,
)
from tmuxorc.actors._exits import ExitReason, Failed, Finished, Killed, StartFailed, StartTimeout, Stopped
from tmuxorc.actors._sequence import Phase, Sequence
from tmuxorc.actors._spec import ChildStatus, SupervisorSpec
from tmuxorc.model import AutoShutdown, Desired, Restart, Strategy


class ExitPolicy(Sequence):
    """Changes what is wanted of the children when one of them ends or takes too long."""

    def __init__(
        self,
        spec: SupervisorSpec,
        *,
        path: str,
        generation: int = 1,
        random: Callable[[], float],
        kill_limit_s: float,
    ) -> None:
        super().__init__(spec, path=path, kill_limit_s=kill_limit_s)
        self.generation = generation
        self._random = random
        self._window: deque[float] = deque()

    def _overdue(self, child: Child, now: Instant) -> None:
        if child.status is ChildStatus.STARTING:
            self._kill(child, StartTimeout(), now)
        elif child.kills >= 2:
            self._abandon(child, now)
        else:
            if child.kills == 0:
                self._emit(StoppedLate(**self._stamp(child, now), limit_s=child.spec.shutdown_s))
            self._kill(child, Killed(), now)

    def _abandon(self, child: Child, now: Instant) -> None:
        self._effects.append(Abandon(child.id, child.generation))
        self._emit(ChildLeaked(**self._stamp(child, now)))
        self._gone(child, Killed(), now)

    def _gone(self, child: Child, reason: ExitReason, now: Instant) -> None:
        was_doomed, child.doomed = child.doomed, False
        child.limit = math.inf
        child.last_exit = reason
        child.status = ChildStatus.PENDING
        failed_start = child.up_at is None and isinstance(reason, StartFailed | StartTimeout)
        event = ChildStartFailed if failed_start else ChildExited
        self._emit(event(**self._stamp(child, now), reason=reason))
        if self.phase is Phase.STOPPING or child.removing or child.desired is Desired.STOPPED:
            self._rest(child, now)
        elif child.recall:
            child.recall = False
            self._settle_down(child)
            child.plan(now.mono, alone=True, auto=False)
        elif was_doomed and (child.spec.restart is Restart.PERMANENT or not isinstance(reason, Finished)):
            self._after_group_stop(child)
        else:
            self._ended_by_itself(child, reason, now)

    def _after_group_stop(self, child: Child) -> None:
        if child.due is None:
            child.status = ChildStatus.EXITED
            self._fail_up(child)

    def _ended_by_itself(self, child: Child, reason: ExitReason, now: Instant) -> None:
        child.call_off()
        if isinstance(reason, Stopped):
            child.desired = Desired.STOPPED
            self._rest(child, now)
        elif child.fresh:
            self._forget(child)
        elif child.initial:
            self._fail_up(child)
            self._wind_up(StartFailed(self._error(child)))
        elif self._comes_back(child, reason):
            self._restart(child, reason, now)
        else:
            child.status = ChildStatus.EXITED
            self._fail_up(child)
            self._fold_up(child)

    def _comes_back(self, child: Child, reason: ExitReason) -> bool:
        restart = child.spec.restart
        return restart is Restart.PERMANENT or (restart is Restart.TRANSIENT and reason.abnormal)

    def _restart(self, child: Child, reason: ExitReason, now: Instant) -> None:
        backoff = child.spec.backoff
        if child.up_at is not None and now.mono - child.up_at >= backoff.stable_after_s:
            child.streak = 0
        self._fail_up(child)
        if 0 < backoff.max_streak <= child.streak:
            child.status = ChildStatus.QUARANTINED
            self._emit(ChildQuarantined(**self._stamp(child, now), reason=reason, streak=child.streak))
        elif self._too_often(now):
            self._give_up(child, reason, now)
        else:
            self._schedule(child, reason, now)
            if child.up_at is not None:
                self._doom_group(child, now)

    def _too_often(self, now: Instant) -> bool:
        self._window.append(now.mono)
        while now.mono - self._window[0] > self.spec.period_s:
            self._window.popleft()
        return len(self._window) > self.spec.intensity

    def _schedule(self, child: Child, reason: ExitReason, now: Instant) -> None:
        delay_s = child.spec.backoff.delay_s(child.streak, self._random())
        child.streak += 1
        child.plan(now.mono + delay_s, alone=self.spec.strategy is Strategy.ONE_FOR_ONE, auto=True)
        child.restart_at = now.later(delay_s)
        child.status = ChildStatus.WAITING
        self._emit(
            RestartScheduled(
                **self._stamp(child, now),
                reason=reason,
                delay_s=delay_s,
                restart_at=child.restart_at,
                streak=child.streak,
            )
        )

    def _doom_group(self, failed: Child, now: Instant) -> None:
        """Mark for stop and start the siblings that restart with `failed` (S8), as far as S2 and S7 let them."""
        for child in self._group(failed):
            if child.due is not None:
                child.alone = False
            if child.active:
                child.doomed = True
                child.alone = False
                if child.desired is Desired.RUNNING and child.spec.restart is not Restart.TEMPORARY:
                    child.plan(now.mono, alone=False, auto=True)

    def _group(self, failed: Child) -> list[Child]:
        if self.spec.strategy is Strategy.ONE_FOR_ONE:
            return []
        children = list(self._children.values())
        first = children.index(failed) if self.spec.strategy is Strategy.REST_FOR_ONE else 0
        return [child for child in children[first:] if child is not failed]

    def _fold_up(self, child: Child) -> None:
        """A significant child has ended for good by itself: it may be time to end (S12)."""
        mode = self.spec.auto_shutdown
        if not child.spec.significant or mode is AutoShutdown.NEVER or self.phase is Phase.STOPPING:
            return
        others = (c for c in self._children.values() if c.spec.significant and (c.active or c.due is not None))
        if mode is AutoShutdown.ANY_SIGNIFICANT or not any(others):
            self._wind_up(Finished())

    def _give_up(self, child: Child, reason: ExitReason, now: Instant) -> None:
        self._emit(
            SupervisorGaveUp(
                path=self.path,
                id=self.path.rpartition("/")[2] or "root",
                generation=self.generation,
                at=now.utc,
                child=child.id,
                reason=reason,
                intensity=self.spec.intensity,
                period_s=self.spec.period_s,
            )
        )
        child.status = ChildStatus.EXITED
        self._wind_up(Failed(GaveUp(self.path, self.spec.intensity, self.spec.period_s, reason)))

    def _wind_up(self, outcome: ExitReason) -> None:
        self.phase = Phase.STOPPING
        self.outcome = outcome
        for child in self._children.values():
            child.call_off()
            child.initial = child.fresh = child.alone = False
            child.doomed = child.active
            if child.status in (ChildStatus.PENDING, ChildStatus.WAITING):
                child.status = ChildStatus.STOPPED
            self._fail_up(child)
