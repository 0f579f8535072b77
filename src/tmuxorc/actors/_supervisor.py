"""A supervisor as an actor: the shell that carries out what `SupervisorCore` decides."""

import itertools
import math
from collections.abc import Iterable
from datetime import UTC, datetime

import trio

from tmuxorc.actors._actor import Actor, ActorContext, Host
from tmuxorc.actors._core import SupervisorCore
from tmuxorc.actors._effects import (
    Abandon,
    Effect,
    Emit,
    End,
    Forget,
    Halt,
    Instant,
    Kill,
    Launch,
    Ready,
    Register,
    Settle,
)
from tmuxorc.actors._errors import NotUnderstood
from tmuxorc.actors._exits import ExitReason, Killed, StartFailed
from tmuxorc.actors._incarnation import Ending, Incarnation, Report, Up
from tmuxorc.actors._letters import DeadReason
from tmuxorc.actors._mailbox import Envelope, Reply, Tick
from tmuxorc.actors._ref import Cell, ListChildren, Order
from tmuxorc.actors._sequence import Phase
from tmuxorc.actors._spec import ChildSpec, ChildStatus, SupervisorSpec
from tmuxorc.model import Restart

AT_REST = frozenset((ChildStatus.STOPPED, ChildStatus.EXITED, ChildStatus.QUARANTINED))


class Supervisor(Host):
    """Starts, watches, restarts and stops the children of `spec`, and those added later (S4–S13)."""

    _context: Incarnation
    _core: SupervisorCore

    def __init__(self, spec: SupervisorSpec) -> None:
        self.spec = spec
        self._specs: dict[str, ChildSpec] = {child.id: child for child in spec.children}
        self._cells: dict[str, Cell] = {}
        self._incarnations: dict[str, Incarnation] = {}
        self._orders = itertools.count()

    async def start(self, ctx: ActorContext) -> None:
        """Start the children; returns when all are up, raises the error of the first that fails (S4)."""
        if not isinstance(ctx, Incarnation):
            raise TypeError("a Supervisor runs only as an actor of a system")
        self._context = ctx
        self._core = SupervisorCore(
            self.spec,
            path=ctx.path,
            generation=ctx.generation,
            random=ctx.runtime.random,
            kill_limit_s=ctx.runtime.kill_limit_s,
        )
        self._perform(self._core.start(_now()))
        while self._core.phase is Phase.STARTING:
            await self._next()
        if self._core.phase is not Phase.RUNNING:
            await self._until_ended()
        if isinstance(self._core.outcome, StartFailed):
            raise self._core.outcome.error

    async def handle(self, message: object, ctx: ActorContext) -> object:
        """Reports of children, orders of operators, and the time."""
        if not isinstance(message, Report | Order | ListChildren | Tick):
            return await super().handle(message, ctx)
        self._take(message, ctx.defer())
        return None

    async def stop(self, reason: ExitReason) -> None:
        """Stop the children in reverse order, all at once if killed; returns when none is left."""
        if not hasattr(self, "_core"):
            return
        try:
            self._perform(self._core.shutdown(reason, _now()))
            await self._until_ended()
        except trio.Cancelled:
            # Children must not outlive their supervisor.  The core bounds what each of them may still take.
            with trio.CancelScope(shield=True):
                self._perform(self._core.shutdown(Killed(), _now()))
                await self._until_ended()
            raise
        finally:
            self._leave()

    # --- the mailbox ---

    async def _until_ended(self) -> None:
        while self._core.phase is not Phase.ENDED:
            await self._next()

    async def _next(self) -> None:
        envelope = await self._context.mailbox.receive()
        if envelope is not None:
            self._take_envelope(envelope)

    def _take_envelope(self, envelope: Envelope) -> None:
        if isinstance(envelope.message, Report | Order | ListChildren | Tick):
            self._take(envelope.message, envelope.reply or Reply())
        elif envelope.reply is not None:
            envelope.reply.fail(NotUnderstood(self._context.path, envelope.message))
        else:
            self._context.runtime.letters.add(self._context.path, envelope.message, DeadReason.UNKNOWN)

    def _take(self, message: Report | Order | ListChildren | Tick, reply: Reply) -> None:
        now = _now()
        match message:
            case Report():
                self._perform(self._hear(message, now))
            case Order():
                self._perform(self._obey(message, reply, now))
                self._mark(message.id)
            case ListChildren():
                reply.send(self._core.children())
            case Tick():
                pass
        if now.mono >= self._core.deadline:
            self._perform(self._core.tick(now))

    def _hear(self, report: Report, now: Instant) -> list[Effect]:
        who = report.incarnation
        # One that was given up as leaked may still report when its id has long been somebody else's.
        effects = self._hear_own(report, now) if self._incarnations.get(who.id) is who else []
        if not isinstance(report, Up | Ending):
            self._after_exit(who)
        return effects

    def _hear_own(self, report: Report, now: Instant) -> list[Effect]:
        who = report.incarnation
        match report:
            case Up():
                return self._core.started(who.id, who.generation, now, patient=who.hosts)
            case Ending():
                return self._core.ending(who.id, who.generation, report.reason, now)
            case _:
                return self._core.exited(who.id, who.generation, report.reason, now)

    def _obey(self, order: Order, reply: Reply, now: Instant) -> list[Effect]:
        core = self._core
        if order.spec is not None:
            self._specs.setdefault(order.id, order.spec)
            return core.add(reply, order.spec, now)
        verbs = {"stop": core.stop, "kill": core.kill, "resume": core.resume, "restart": core.restart}
        return verbs.get(order.verb, core.remove)(reply, order.id, now)

    # --- the effects ---

    def _perform(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self._do(effect)
        self._context.mailbox.deadline = self._core.deadline

    def _do(self, effect: Effect) -> None:
        match effect:
            case Emit():
                self._context.runtime.emit(effect.event)
            case Settle():
                self._settle(effect)
            case Launch() | Halt() | Kill() | Abandon():
                self._act_on(effect)
            case Register():
                self._register(effect.id)
            case Forget():
                self._forget(effect.id)
            case End():
                self._context.exit(effect.reason)
            case Ready():
                pass

    def _act_on(self, effect: Launch | Halt | Kill | Abandon) -> None:
        match effect:
            case Launch():
                self._launch(effect)
            case Halt():
                self._incarnations[effect.id].halt()
            case Kill():
                self._incarnations[effect.id].kill(effect.reason)
            case Abandon():
                self._abandon(self._incarnations.pop(effect.id))

    def _register(self, id: str) -> None:
        context = self._context
        self._cells[id] = context.runtime.enroll(context.cell, id, next(self._orders))

    def _settle(self, effect: Settle) -> None:
        reply = effect.order
        if not isinstance(reply, Reply):
            raise TypeError(f"not an order of this shell: {reply!r}")
        if effect.error is not None:
            reply.fail(effect.error)
        else:
            reply.send(effect.info)

    def _launch(self, effect: Launch) -> None:
        context = self._context
        incarnation = Incarnation(
            context.runtime, self._cells[effect.id], self._specs[effect.id], effect.generation, self._report
        )
        self._incarnations[effect.id] = incarnation
        context.runtime.launch(incarnation)

    def _report(self, report: Report) -> None:
        """Called in the child's task: leave word and go on."""
        mailbox = self._context.mailbox
        if self._context.closed:
            report.incarnation.bury(DeadReason.STOPPED)
            self._context.runtime.leaked.discard(str(report.incarnation))
        else:
            mailbox.put_control(Envelope(report))

    # --- endings ---

    def _after_exit(self, incarnation: Incarnation) -> None:
        self._context.runtime.leaked.discard(str(incarnation))
        if self._incarnations.get(incarnation.id) is incarnation:
            del self._incarnations[incarnation.id]
        incarnation.bury(self._mark(incarnation.id))

    def _mark(self, id: str) -> DeadReason:
        """Note at the child's place why nobody takes messages there."""
        status = self._core.status(id)
        stays_down = status is None or status in AT_REST or self._core.phase in (Phase.STOPPING, Phase.ENDED)
        why = DeadReason.STOPPED if stays_down else DeadReason.RESTARTED
        if id in self._cells:
            self._cells[id].absent = why
        return why

    def _abandon(self, incarnation: Incarnation) -> None:
        self._context.runtime.leaked.add(str(incarnation))
        incarnation.disown()

    def _forget(self, id: str) -> None:
        self._context.runtime.drop(self._cells.pop(id))
        del self._specs[id]

    def _leave(self) -> None:
        for incarnation in self._incarnations.values():
            incarnation.kill(Killed())
        for cell in self._cells.values():
            self._context.runtime.drop(cell)


def supervisor_child(id: str, spec: SupervisorSpec, *, restart: Restart = Restart.PERMANENT) -> ChildSpec:
    """A supervisor as a child of another: it may take all the time its own children may take."""

    async def start() -> Actor:
        return Supervisor(spec)

    return ChildSpec(id=id, start=start, restart=restart, shutdown_s=math.inf, start_timeout_s=math.inf)


def _now() -> Instant:
    return Instant(trio.current_time(), datetime.now(UTC))
