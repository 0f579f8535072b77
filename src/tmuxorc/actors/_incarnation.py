"""One life of an actor: the task that starts it, feeds it messages and cleans up after it.

A firewall: whatever the actor does, its failure leaves here as an exit reason in a report, never as an exception.
"""

import itertools
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import trio

from tmuxorc.actors._actor import Actor, ActorContext, Host, Ts
from tmuxorc.actors._errors import ActorDied, NotUnderstood
from tmuxorc.actors._exits import (
    ExitReason,
    Failed,
    Finished,
    Killed,
    StartFailed,
    Stopped,
    describe,
    members,
    root_cause,
)
from tmuxorc.actors._letters import DeadReason
from tmuxorc.actors._mailbox import Envelope, Mailbox, Reply
from tmuxorc.actors._ref import Cell, Internal, Ref
from tmuxorc.actors._runtime import Runtime, log
from tmuxorc.actors._spec import ChildSpec
from tmuxorc.errors import TmuxOrcError, UsageError

if TYPE_CHECKING:
    from tmuxorc.actors._system import System


class Report(Internal):
    """What an incarnation tells its supervisor."""

    __slots__ = ("incarnation", "reason")

    def __init__(self, incarnation: "Incarnation", reason: ExitReason) -> None:
        self.incarnation = incarnation
        self.reason = reason


class Up(Report):
    """Its start is acknowledged."""

    __slots__ = ()


class Ending(Report):
    """It ends by itself and is about to clean up."""

    __slots__ = ()


class Gone(Report):
    """Its task is done."""

    __slots__ = ()


class Incarnation(ActorContext):
    """Incarnation `generation` of the actor at `cell`; tells `report` what becomes of it."""

    def __init__(
        self, runtime: Runtime, cell: Cell, spec: ChildSpec, generation: int, report: Callable[[Report], None]
    ) -> None:
        self.runtime = runtime
        self.cell = cell
        self.spec = spec
        self.mailbox = cell.mailbox = Mailbox(spec.mailbox)
        self.leftovers: list[Envelope] = []
        cell.generation = self._generation = generation
        self._report = report
        self._actor: Actor | None = None
        self._asked: ExitReason | None = None
        self._ordered = False
        self._up = False
        self.closed = False
        self._nursery: trio.Nursery | None = None
        self._work_scope = trio.CancelScope()
        self._cleanup_scope = trio.CancelScope(shield=True)
        self._cleaning = False
        self._envelope: Envelope | None = None
        self._deferred = False
        self._open_replies: set[Reply] = set()

    def __str__(self) -> str:
        return f"{self.path}#{self._generation}"

    # --- as its actor sees it ---

    @property
    def ref(self) -> Ref:
        return self.runtime.ref(self.cell.path)

    @property
    def id(self) -> str:
        return self.cell.id

    @property
    def path(self) -> str:
        return self.cell.path

    @property
    def generation(self) -> int:
        return self._generation

    @property
    def system(self) -> "System":
        return self.runtime.system

    @property
    def hosts(self) -> bool:
        """Whether its actor has others below it."""
        return isinstance(self._actor, Host)

    def spawn(self, async_fn: Callable[[*Ts], Awaitable[object]], *args: *Ts) -> None:
        nursery = self._nursery
        if nursery is None or self._cleaning:
            raise RuntimeError(f"{self} has ended and can own no more tasks")
        # In a context of the actor's, whoever's task it is that asks for the spawn.
        self.runtime.context_of(self.cell).run(lambda: nursery.start_soon(async_fn, *args))

    def exit(self, reason: ExitReason) -> None:
        if self._asked is None:
            self._asked = reason
            self.mailbox.wake()

    def defer(self) -> Reply:
        self._deferred = True
        reply = self._envelope.reply if self._envelope is not None else None
        if reply is None:
            return Reply()
        reply.track(self._open_replies)
        return reply

    # --- as its supervisor sees it ---

    def halt(self) -> None:
        """Ask it to stop: after the current message, or at once while it is starting."""
        self._ordered = True
        self.exit(Stopped())
        if not self._up:
            self._work_scope.cancel()

    def kill(self, reason: ExitReason) -> None:
        """Cancel its work, and the second time its clean-up."""
        self._ordered = True
        if self._cleaning or self._work_scope.cancel_called:
            self._cleanup_scope.cancel()
        if not self._cleaning:
            self._asked = reason
            self._work_scope.cancel()

    # --- its life ---

    async def run(self) -> None:
        """The task.  Ends without an exception, but for the cancellation of the whole run."""
        reason: ExitReason = Killed()
        try:
            reason = await self._live()
        except trio.Cancelled:
            raise
        except BaseException as error:
            if _is_cancellation(error):
                raise
            # SystemExit and KeyboardInterrupt are about the process: they end the system and come out of it.
            self.runtime.abort(root_cause(error))
            reason = Failed(error)
        finally:
            self._close(reason)
            self._report(Gone(self, reason))

    async def _live(self) -> ExitReason:
        reason = await self._work()
        self._cleaning = True
        if self._actor is None or not (self._up or self.hosts):
            return reason
        if not self._ordered:
            self._report(Ending(self, reason))
        if not self.hosts:
            self._close(reason)
        return await self._clean_up(self._actor, reason)

    async def _work(self) -> ExitReason:
        try:
            with self._work_scope:
                async with trio.open_nursery() as nursery:
                    self._nursery = nursery
                    await self._serve()
                    nursery.cancel_scope.cancel()
        except Exception as exception:  # noqa: BLE001  (the firewall)
            return self._reason_for(root_cause(exception))
        return self._asked or Finished()

    def _reason_for(self, error: BaseException) -> ExitReason:
        if self._work_scope.cancel_called and self._asked is not None:
            # It was cancelled and then failed to end cleanly: that it was cancelled is what its supervisor has to know.
            log.warning("%s failed while it was cancelled: %s", self, describe(error), exc_info=_unexpected(error))
            return self._asked
        return Failed(error) if self._up else StartFailed(error)

    async def _serve(self) -> None:
        actor = self._actor = await self.spec.start()
        await actor.start(self)
        self._up = True
        self._report(Up(self, Finished()))
        while self._asked is None:
            envelope = await self.mailbox.receive()
            if envelope is not None:
                await self._handle(actor, envelope)

    async def _handle(self, actor: Actor, envelope: Envelope) -> None:
        reply = envelope.reply
        if reply is not None and reply.settled:
            self.runtime.letters.add(self.path, envelope.message, DeadReason.EXPIRED)
            return
        if isinstance(envelope.message, Internal) and not isinstance(actor, Host):
            if reply is not None:
                reply.fail(UsageError(f"{self.path} is not a supervisor"))
            return
        self._envelope = envelope
        self._deferred = False
        try:
            value = await actor.handle(envelope.message, self)
        except Exception as exception:
            error = root_cause(exception)
            if reply is not None and isinstance(error, TmuxOrcError):
                reply.fail(error)
            elif isinstance(error, NotUnderstood):
                self.runtime.letters.add(self.path, envelope.message, DeadReason.UNKNOWN)
            else:
                raise
        else:
            if reply is not None and not self._deferred:
                reply.send(value)
        self._envelope = None

    async def _clean_up(self, actor: Actor, reason: ExitReason) -> ExitReason:
        error: BaseException | None = None
        try:
            with self._cleanup_scope:
                await actor.stop(reason)
        except Exception as exception:  # noqa: BLE001  (the firewall)
            error = root_cause(exception)
        if isinstance(reason, Stopped) and error is not None:
            return Failed(error)
        if isinstance(reason, Stopped) and self._cleanup_scope.cancel_called:
            return Killed()
        if error is not None:
            log.warning("%s failed to clean up: %s", self, describe(error), exc_info=_unexpected(error))
        return reason

    def _close(self, reason: ExitReason) -> None:
        """Take no more messages; every open call is settled now (S20), the rest is left for the supervisor to count."""
        if self.closed:
            return
        self.closed = True
        if self.cell.mailbox is self.mailbox:
            self.cell.mailbox = None
            self.cell.last_exit = reason
            self.cell.absent = DeadReason.RESTARTED if reason.abnormal else DeadReason.STOPPED
        unfinished = [self._envelope] if self._envelope is not None else []
        left = list(itertools.chain(unfinished, self.mailbox.drain()))
        self.leftovers = [envelope for envelope in left if not isinstance(envelope.message, Internal)]
        for reply in (*(envelope.reply for envelope in left), *self._open_replies):
            if reply is not None:
                reply.fail(ActorDied(self.path, reason))

    def disown(self) -> None:
        """Its supervisor waits no longer: whoever waits for an answer of it need not, either."""
        self._close(Killed())
        self.bury(DeadReason.RESTARTED)

    def bury(self, why: DeadReason) -> None:
        """Make what it left unread dead letters."""
        for envelope in self.leftovers:
            self.runtime.letters.add(self.path, envelope.message, why)
        self.leftovers = []


def _is_cancellation(error: BaseException) -> bool:
    return isinstance(error, trio.Cancelled) or any(map(_is_cancellation, members(error)))


def _unexpected(error: BaseException) -> BaseException | None:
    """The error if its traceback is worth reading: one of our own says it all in its message."""
    return None if isinstance(error, TmuxOrcError) else error
