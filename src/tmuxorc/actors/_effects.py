"""What the supervisor's core asks its shell to do, and the two clocks an input is stamped with."""

from datetime import datetime, timedelta

import msgspec

from tmuxorc.actors._events import LifecycleEvent
from tmuxorc.actors._exits import ExitReason
from tmuxorc.actors._spec import ChildInfo


class Instant(msgspec.Struct, frozen=True):
    """When an input came: `mono` in seconds of the clock that timers use, `utc` for people."""

    mono: float
    utc: datetime

    def later(self, seconds: float) -> datetime:
        """The wall-clock time `seconds` from now."""
        return self.utc + timedelta(seconds=seconds)


class Register(msgspec.Struct, frozen=True):
    """The child exists from now on."""

    id: str


class Launch(msgspec.Struct, frozen=True):
    """Start incarnation `generation` of the child."""

    id: str
    generation: int


class Halt(msgspec.Struct, frozen=True):
    """Ask the incarnation to stop."""

    id: str
    generation: int


class Kill(msgspec.Struct, frozen=True):
    """Cancel what the incarnation is doing; it then ends with `reason`.  A second one cancels its clean-up, too."""

    id: str
    generation: int
    reason: ExitReason


class Abandon(msgspec.Struct, frozen=True):
    """The incarnation outlived its limits: count it as leaked and wait for it no longer."""

    id: str
    generation: int


class Forget(msgspec.Struct, frozen=True):
    """The child is no more."""

    id: str


class Emit(msgspec.Struct, frozen=True):
    """Publish a lifecycle event."""

    event: LifecycleEvent


class Settle(msgspec.Struct, frozen=True):
    """Answer the order known by `order`: with `error`, or else with `info`."""

    order: object
    info: ChildInfo | None
    error: BaseException | None


class Ready(msgspec.Struct, frozen=True):
    """All initial children are up: the supervisor's own start is done."""


class End(msgspec.Struct, frozen=True):
    """No child is left and the supervisor is to end with `reason`."""

    reason: ExitReason


Effect = Register | Launch | Halt | Kill | Abandon | Forget | Emit | Settle | Ready | End
