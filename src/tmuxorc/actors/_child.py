"""What a supervisor's core remembers of one child."""

import math
from datetime import datetime

from tmuxorc.actors._exits import ExitReason
from tmuxorc.actors._spec import ChildInfo, ChildSpec, ChildStatus
from tmuxorc.model import Desired

ACTIVE = frozenset((ChildStatus.STARTING, ChildStatus.RUNNING, ChildStatus.STOPPING))


class Child:
    """One child's state.  Only `SupervisorCore` changes it.

    `due`: when to launch it (trio's clock), None if not wanted.  `doomed`: it has to stop, in its turn, or at once if
    `alone` (its stops and starts then heed no sibling).  `recall`: an operator wants a new incarnation after this one.
    `initial`: its first start decides over the supervisor's own; `fresh`: its first start decides whether it is kept.
    `limit`: when the present phase has taken too long.  `kills`: how often this incarnation was cancelled.
    `patient`: it bounds its own end.
    """

    __slots__ = (
        "alone",
        "auto",
        "desired",
        "doomed",
        "due",
        "fresh",
        "generation",
        "initial",
        "kills",
        "last_exit",
        "limit",
        "patient",
        "recall",
        "removing",
        "restart_at",
        "restarts",
        "spec",
        "status",
        "streak",
        "up_at",
    )

    def __init__(self, spec: ChildSpec) -> None:
        self.spec = spec
        self.desired = spec.desired
        self.status = ChildStatus.STOPPED if spec.desired is Desired.STOPPED else ChildStatus.PENDING
        self.generation = spec.generation
        self.restarts = 0
        self.streak = 0
        self.last_exit: ExitReason | None = None
        self.due: float | None = None
        self.restart_at: datetime | None = None
        self.up_at: float | None = None
        self.limit = math.inf
        self.kills = 0
        self.patient = False
        self.doomed = False
        self.alone = False
        self.auto = False
        self.recall = False
        self.initial = False
        self.fresh = False
        self.removing = False

    @property
    def id(self) -> str:
        """Its id within its supervisor."""
        return self.spec.id

    @property
    def active(self) -> bool:
        """Whether an incarnation of it exists."""
        return self.status in ACTIVE

    def call_off(self) -> None:
        """Forget every plan to start it."""
        self.due = None
        self.restart_at = None
        self.recall = False
        self.auto = False

    def plan(self, due: float, *, alone: bool, auto: bool) -> None:
        """Have it launched at `due`."""
        self.due = due
        self.alone = alone
        self.auto = auto

    def info(self) -> ChildInfo:
        """What others may know of it."""
        return ChildInfo(
            id=self.spec.id,
            status=self.status,
            desired=self.desired,
            generation=self.generation,
            restarts=self.restarts,
            last_exit=self.last_exit,
            restart_at=self.restart_at,
        )

    def __repr__(self) -> str:
        marks = "".join(f" {name}" for name in ("doomed", "alone", "recall", "initial", "fresh") if getattr(self, name))
        return f"<Child {self.id}#{self.generation} {self.status.value}{marks} due={self.due}>"
