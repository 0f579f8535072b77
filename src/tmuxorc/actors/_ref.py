"""References: how anyone talks to an actor, through all its incarnations (S18–S22)."""

import math
from contextvars import ContextVar
from typing import TYPE_CHECKING, TypeVar, cast

import msgspec
import trio

from tmuxorc.actors._actor import Request
from tmuxorc.actors._errors import ActorDied, CallDirectionError, CallTimeout, MailboxFull, NoSuchActor
from tmuxorc.actors._exits import ExitReason
from tmuxorc.actors._letters import DeadReason
from tmuxorc.actors._mailbox import Envelope, Mailbox, Reply
from tmuxorc.actors._spec import ChildInfo, ChildSpec

if TYPE_CHECKING:
    from tmuxorc.actors._runtime import Runtime

R = TypeVar("R")

ORDER_TIMEOUT_S = 3600.0
"""Orders to supervisors are bounded by the limits in the specs; this only bounds a defect."""


class Cell:
    """The place of one actor in the tree; `mailbox` is that of its living incarnation, if there is one.

    `lineage` holds the start order of it and all above it: one tuple compares two places.
    """

    __slots__ = ("absent", "dropped", "generation", "id", "last_exit", "lineage", "mailbox", "path")

    def __init__(self, path: str, id: str, lineage: tuple[int, ...]) -> None:
        self.path = path
        self.id = id
        self.lineage = lineage
        self.mailbox: Mailbox | None = None
        self.generation = 0
        self.absent = DeadReason.STOPPED
        self.last_exit: ExitReason | None = None
        self.dropped = False

    def is_above(self, other: "Cell") -> bool:
        """Whether `other` is somewhere below."""
        depth = len(self.lineage)
        return depth < len(other.lineage) and other.lineage[:depth] == self.lineage

    def may_call(self, other: "Cell") -> bool:
        """Whether `other` is below, or hangs off an actor that was started before this one or one above it.

        All calls then follow one total order of the tree, so that no two can wait for each other.
        """
        for mine, theirs in zip(self.lineage, other.lineage, strict=False):
            if mine != theirs:
                return mine > theirs
        return len(self.lineage) < len(other.lineage)


current: ContextVar[Cell | None] = ContextVar("current actor", default=None)
"""Whose code is running; None outside all actors."""


class ActorStatistics(msgspec.Struct, frozen=True, kw_only=True):
    """A momentary look at an actor: `alive` if an incarnation takes messages now, `handled` counts those it read."""

    path: str
    generation: int
    alive: bool
    control_waiting: int
    user_waiting: int
    user_capacity: int
    handled: int


class Internal:
    """Base of the messages between supervisors and the runtime; never a dead letter."""

    __slots__ = ()


class Ref:
    """Names an actor, not an incarnation: it stays good through restarts (S22)."""

    __slots__ = ("_known", "_runtime", "path")

    def __init__(self, runtime: "Runtime", path: str) -> None:
        self.path = path
        self._runtime = runtime
        self._known: Cell | None = None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.path}>"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Ref) and other.path == self.path and other._runtime is self._runtime

    def __hash__(self) -> int:
        return hash(self.path)

    async def call(self, request: Request[R], *, timeout_s: float, control: bool = False) -> R:
        """Send a request and wait for the answer (S20); in the `control` lane it goes before all user messages (S17).

        Raises what the actor answered with; `ActorDied` if it is not running or the moment it ends; `MailboxFull` at
        once unless the caller is above it; `CallTimeout`; `CallDirectionError` for a call to oneself or upwards (S18).
        """
        if not 0 <= timeout_s < math.inf:
            raise ValueError("a call needs a timeout in seconds, 0 or more")
        mailbox = self._mailbox_for_call(request)
        reply = Reply()
        envelope = Envelope(request, reply)
        if control:
            mailbox.put_control(envelope)
        elif not mailbox.put_user(envelope):
            timeout_s = await self._wait_for_room(mailbox, envelope, timeout_s)
        return cast(R, await reply.wait(self.path, timeout_s))

    async def cast(self, message: object) -> None:
        """Send without an answer.  In a full lane a sender above waits for room, any other gets `MailboxFull` (S18)."""
        mailbox = self._mailbox(message)
        if mailbox is not None and self._is_below_sender():
            await mailbox.put_user_wait(Envelope(message))
            return
        await trio.lowlevel.checkpoint()
        if mailbox is not None:
            self.cast_nowait(message)

    def cast_nowait(self, message: object) -> None:
        """Send without an answer and without waiting; `MailboxFull` if the lane is.  To nobody: a dead letter (S21)."""
        mailbox = self._mailbox(message)
        if mailbox is not None and not mailbox.put_user(Envelope(message)):
            raise self._full(mailbox, message)

    def cast_control_nowait(self, message: object) -> None:
        """As `cast_nowait`, in the control lane, which is read first and never full (S17)."""
        mailbox = self._mailbox(message)
        if mailbox is not None:
            mailbox.put_control(Envelope(message))

    def statistics(self) -> ActorStatistics:
        """How its mailbox stands; raises `NoSuchActor` for an actor that does not exist."""
        cell = self._cell()
        if cell is None:
            raise NoSuchActor(self.path)
        box = cell.mailbox
        return ActorStatistics(
            path=self.path,
            generation=cell.generation,
            alive=box is not None,
            control_waiting=box.control_waiting if box is not None else 0,
            user_waiting=box.user_waiting if box is not None else 0,
            user_capacity=box.capacity if box is not None else 0,
            handled=box.handled if box is not None else 0,
        )

    def _cell(self) -> Cell | None:
        if self._known is None or self._known.dropped:
            self._known = self._runtime.cells.get(self.path)
        return self._known

    def _mailbox(self, message: object) -> Mailbox | None:
        """The living incarnation's; without one the message is a dead letter."""
        cell = self._cell()
        if cell is not None and cell.mailbox is not None:
            return cell.mailbox
        self._runtime.letters.add(self.path, message, self._runtime.why_absent(self.path))
        return None

    def _mailbox_for_call(self, request: object) -> Mailbox:
        sender, cell = current.get(), self._cell()
        if sender is not None and cell is not None and not sender.may_call(cell):
            raise CallDirectionError(sender.path, self.path)
        mailbox = self._mailbox(request)
        if mailbox is None:
            raise NoSuchActor(self.path) if cell is None else ActorDied(self.path, cell.last_exit)
        return mailbox

    async def _wait_for_room(self, mailbox: Mailbox, envelope: Envelope, timeout_s: float) -> float:
        """The seconds left of `timeout_s` once the envelope is in."""
        if not self._is_below_sender():
            raise self._full(mailbox, envelope.message)
        deadline = trio.current_time() + timeout_s
        with trio.CancelScope(deadline=deadline) as scope:
            await mailbox.put_user_wait(envelope)
        if scope.cancelled_caught:
            raise CallTimeout(self.path, timeout_s)
        return max(0.0, deadline - trio.current_time())

    def _is_below_sender(self) -> bool:
        sender, cell = current.get(), self._cell()
        return sender is not None and cell is not None and sender.is_above(cell)

    def _full(self, mailbox: Mailbox, message: object) -> MailboxFull:
        self._runtime.letters.add(self.path, message, DeadReason.FULL)
        return MailboxFull(self.path, mailbox.capacity)


class Order(Internal, msgspec.Struct, frozen=True):
    """What an operator wants done with a child: `verb` names a method of `SupervisorCore`."""

    verb: str
    id: str
    spec: ChildSpec | None = None


class ListChildren(Internal):
    """Asks a supervisor for its children."""


class SupervisorRef(Ref):
    """A reference to a supervisor.  Its orders travel in the control lane and each awaits the outcome.

    They raise `NoSuchActor` for an unknown child, `Superseded` if a later order overtook this one, `ActorDied` if the
    supervisor ends, and what `Ref.call` raises.
    """

    __slots__ = ()

    async def start_child(self, spec: ChildSpec) -> Ref:
        """Add a child and start it; a first start that fails raises the child's own error and the child is not kept."""
        await self._order(Order("add", spec.id, spec))
        return self._runtime.ref(self._runtime.join(self.path, spec.id))

    async def stop_child(self, id: str) -> ChildInfo:
        """Stop it in order; it stays stopped (S7) until `resume_child`."""
        return await self._order(Order("stop", id))

    async def kill_child(self, id: str) -> ChildInfo:
        """Cancel it at once; it stays stopped.  Overtakes a stop under way."""
        return await self._order(Order("kill", id))

    async def resume_child(self, id: str) -> ChildInfo:
        """Start it if it is not running; clears quarantine and streak.

        If this start fails its error is raised, and the supervisor goes on trying as after any failed start.
        """
        return await self._order(Order("resume", id))

    async def restart_child(self, id: str) -> ChildInfo:
        """Stop it in order and start a new incarnation; does not count against the intensity."""
        return await self._order(Order("restart", id))

    async def remove_child(self, id: str) -> ChildInfo:
        """Stop it in order and forget it."""
        return await self._order(Order("remove", id))

    async def children(self) -> tuple[ChildInfo, ...]:
        """All children in the order of their start."""
        return cast("tuple[ChildInfo, ...]", await self._ask(ListChildren()))

    async def _order(self, order: Order) -> ChildInfo:
        return cast(ChildInfo, await self._ask(order))

    async def _ask(self, message: Internal) -> object:
        reply = Reply()
        self._mailbox_for_call(message).put_control(Envelope(message, reply))
        return await reply.wait(self.path, ORDER_TIMEOUT_S)
