"""Policy as data: what a child is, how its supervisor treats it, and what a supervisor tells about it."""

import math
from collections.abc import Awaitable, Callable
from datetime import datetime
from enum import Enum
from typing import TYPE_CHECKING

import msgspec

from tmuxorc.actors._exits import ExitReason
from tmuxorc.errors import UsageError
from tmuxorc.model import AutoShutdown, Desired, Restart, Strategy

if TYPE_CHECKING:
    from tmuxorc.actors._actor import Actor

MAILBOX_CAPACITY = 64


def _require(condition: bool, what: str) -> None:
    if not condition:
        raise UsageError(what)


def _is_duration(seconds: float) -> bool:
    return seconds >= 0 and not math.isnan(seconds)


class Backoff(msgspec.Struct, frozen=True):
    """How long to wait before the next restart of a child that keeps ending (S10).

    The first `immediate` restarts of a streak come at once, the n-th after those waits
    ``min(cap_s, base_s * 2**(n-1)) * (1 + jitter * u)`` with `u` drawn from [0, 1).  After `max_streak` restarts in a
    row the next end puts the child into quarantine (0: never).  `stable_after_s` seconds up clear the streak.
    """

    base_s: float = 1.0
    cap_s: float = 60.0
    jitter: float = 0.1
    stable_after_s: float = 30.0
    max_streak: int = 5
    immediate: int = 1

    def __post_init__(self) -> None:
        durations = (self.base_s, self.cap_s, self.stable_after_s)
        _require(all(map(_is_duration, durations)), "a backoff's durations are seconds, 0 or more")
        _require(self.jitter >= 0 and self.max_streak >= 0 and self.immediate >= 0, "a backoff's numbers are 0 or more")

    def delay_s(self, streak: int, u: float) -> float:
        """Seconds to wait when `streak` restarts have been made in a row already."""
        doublings = streak - self.immediate
        if doublings < 0:
            return 0.0
        # 2.0**1024 overflows; any cap worth the name is reached long before 2**64.
        return min(self.cap_s, self.base_s * 2.0 ** min(doublings, 64)) * (1 + self.jitter * u)


class ChildSpec(msgspec.Struct, frozen=True, kw_only=True):
    """One child of a supervisor (S1).

    `start` makes a fresh actor for every incarnation; it and the actor's own `start` share `start_timeout_s`.
    `shutdown_s` is how long the child may take to stop: 0 kills it at once, ``inf`` waits (right for supervisors only).
    A `significant` child takes part in its supervisor's `auto_shutdown`.  With `desired` stopped the child is
    registered but not started.  `mailbox` bounds the user lane.  `generation` is the last one used before.
    """

    id: str
    start: "Callable[[], Awaitable[Actor]]"
    restart: Restart = Restart.PERMANENT
    shutdown_s: float = 5.0
    significant: bool = False
    start_timeout_s: float = 30.0
    backoff: Backoff = Backoff()
    desired: Desired = Desired.RUNNING
    mailbox: int = MAILBOX_CAPACITY
    generation: int = 0

    def __post_init__(self) -> None:
        _require(bool(self.id) and "/" not in self.id, f"a child's id is not empty and holds no '/': {self.id!r}")
        _require(_is_duration(self.shutdown_s) and _is_duration(self.start_timeout_s), "limits are seconds, 0 or more")
        _require(self.mailbox >= 1, "a mailbox holds at least one message")
        _require(
            not (self.significant and self.restart is Restart.PERMANENT),
            f"{self.id}: a permanent child never ends for good, so it cannot be significant",
        )


class SupervisorSpec(msgspec.Struct, frozen=True, kw_only=True):
    """A supervisor and its first children (S4, S8, S9, S12); more than `intensity` restarts in `period_s` end it."""

    strategy: Strategy = Strategy.ONE_FOR_ONE
    intensity: int = 3
    period_s: float = 5.0
    auto_shutdown: AutoShutdown = AutoShutdown.NEVER
    children: tuple[ChildSpec, ...] = ()

    def __post_init__(self) -> None:
        ids = [child.id for child in self.children]
        twice = sorted({i for i in ids if ids.count(i) > 1}) if len(set(ids)) < len(ids) else []
        _require(not twice, f"child ids must differ: {', '.join(twice)}")
        _require(self.intensity >= 0 and self.period_s > 0, "intensity is 0 or more, its period more than 0 seconds")


class ChildStatus(str, Enum):
    """Where a child stands.

    `PENDING` waits for its turn in a group, `WAITING` for its restart time, `STOPPED` for a person, `QUARANTINED` for a
    person too; `EXITED` has ended and does not come back.
    """

    PENDING = "pending"
    STARTING = "starting"
    RUNNING = "running"
    STOPPING = "stopping"
    WAITING = "waiting"
    QUARANTINED = "quarantined"
    STOPPED = "stopped"
    EXITED = "exited"


class ChildInfo(msgspec.Struct, frozen=True, kw_only=True):
    """What a supervisor tells of a child; `restarts` counts those nobody asked for, `restart_at` is for one waiting."""

    id: str
    status: ChildStatus
    desired: Desired
    generation: int
    restarts: int
    last_exit: ExitReason | None
    restart_at: datetime | None
