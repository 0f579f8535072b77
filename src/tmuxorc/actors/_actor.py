"""What an author of actors writes against: the actor, its requests, its context."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Generic, TypeVar, TypeVarTuple

from tmuxorc.actors._errors import NotUnderstood
from tmuxorc.actors._exits import ExitReason

if TYPE_CHECKING:
    from tmuxorc.actors._mailbox import Reply
    from tmuxorc.actors._ref import Ref
    from tmuxorc.actors._system import System

R_co = TypeVar("R_co", covariant=True)
Ts = TypeVarTuple("Ts")


class Request(Generic[R_co]):
    """Base of the messages sent by `Ref.call`; the parameter is the type of the answer.

    It has no fields of its own and mixes with dataclasses and `msgspec.Struct` alike.
    """

    __slots__ = ()


class ActorContext:
    """One incarnation as its actor sees it."""

    @property
    def ref(self) -> "Ref":
        """A reference to the actor itself, good through restarts."""
        raise NotImplementedError

    @property
    def id(self) -> str:
        """The actor's id within its supervisor."""
        raise NotImplementedError

    @property
    def path(self) -> str:
        """The ids from the root's child down, joined by ``/``."""
        raise NotImplementedError

    @property
    def generation(self) -> int:
        """Which incarnation this is, from 1 (S6)."""
        raise NotImplementedError

    @property
    def system(self) -> "System":
        """The system the actor lives in."""
        raise NotImplementedError

    def spawn(self, async_fn: "Callable[[*Ts], Awaitable[object]]", *args: *Ts) -> None:
        """Run a task that ends with this incarnation; if it fails, the actor fails with its error."""
        raise NotImplementedError

    def exit(self, reason: ExitReason) -> None:
        """End this incarnation with `reason` after the current message; the first reason counts."""
        raise NotImplementedError

    def defer(self) -> "Reply":
        """Take over the answer to the current call: what `handle` returns is then ignored.

        For a cast it gives a reply nobody waits for.  One still open when the incarnation ends fails with `ActorDied`.
        """
        raise NotImplementedError


class Actor:
    """One incarnation's behaviour and state; a restart makes a new one, so no state outlives a crash.

    The three methods run one after another in a task of the actor's own, so its state needs no lock.
    """

    async def start(self, ctx: ActorContext) -> None:
        """Get ready; returning acknowledges the start (S4), raising is `StartFailed`.

        A stop overtakes it by cancelling it; it then cleans up after itself, for `stop` is only called once it was up.
        """

    async def handle(self, message: object, ctx: ActorContext) -> object:
        """Take in one message; what is returned answers a call.

        A `TmuxOrcError` raised during a call is its answer (S23).  Anything else raised ends the incarnation: `Failed`.
        """
        raise NotUnderstood(ctx.path, message)

    async def stop(self, reason: ExitReason) -> None:
        """Clean up, shielded from cancellation, within what is left of `shutdown_s`; its tasks have ended by then.

        `reason` is how the incarnation ends: after `Killed` and `Failed`, too.
        """


class Host(Actor):
    """An actor with others below it: it hears them until its `stop` is done, and is stopped even if it was never up."""
