"""The typed lifecycle events (S24): the one stream that people, logs, metrics and tests read."""

from datetime import datetime

import msgspec

from tmuxorc.actors._exits import ExitReason


class LifecycleEvent(msgspec.Struct, frozen=True, kw_only=True):
    """Base: which actor (`path`, and its `id` within its supervisor), which incarnation, when (aware UTC)."""

    path: str
    id: str
    generation: int
    at: datetime


class ChildStarted(LifecycleEvent, frozen=True, kw_only=True):
    """Its start was acknowledged."""


class ChildStartFailed(LifecycleEvent, frozen=True, kw_only=True):
    """It ended before its start was acknowledged."""

    reason: ExitReason


class ChildExited(LifecycleEvent, frozen=True, kw_only=True):
    """It ended."""

    reason: ExitReason


class RestartScheduled(LifecycleEvent, frozen=True, kw_only=True):
    """It comes back in `delay_s` seconds, for the `streak`-th time in a row; `generation` is the one that ended."""

    reason: ExitReason
    delay_s: float
    restart_at: datetime
    streak: int


class ChildQuarantined(LifecycleEvent, frozen=True, kw_only=True):
    """It ended after `streak` restarts in a row and now waits for a person (S10)."""

    reason: ExitReason
    streak: int


class ChildStopped(LifecycleEvent, frozen=True, kw_only=True):
    """A person stopped it and it is at rest: it stays so until a person starts it again (S7, S13)."""

    reason: ExitReason | None


class StoppedLate(LifecycleEvent, frozen=True, kw_only=True):
    """It did not stop within `limit_s` seconds and is cancelled (S5)."""

    limit_s: float


class ChildLeaked(LifecycleEvent, frozen=True, kw_only=True):
    """Its task outlived every limit and nobody waits for it any longer (S5)."""


class SupervisorGaveUp(LifecycleEvent, frozen=True, kw_only=True):
    """A supervisor reached its restart intensity (S9); `reason` is the exit of its `child` that was one too many."""

    child: str
    reason: ExitReason
    intensity: int
    period_s: float
