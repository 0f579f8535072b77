"""An actor that does what it is told and notes what happens to it, and virtual time to run it in."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import wraps

import trio
from trio.testing import MockClock

from tests.unit.actors._world import NO_BACKOFF
from tmuxorc.actors import (
    Actor,
    ActorContext,
    ChildSpec,
    ExitReason,
    LifecycleEvent,
    Reply,
    Request,
    Restart,
    Strategy,
    SupervisorSpec,
)
from tmuxorc.errors import RefusedError


def virtual(test: Callable[..., Awaitable[None]]) -> Callable[..., None]:
    """Run an async test in virtual time; one that hangs fails after a virtual day."""

    @wraps(test)
    def run(*args: object, **kwargs: object) -> None:
        async def main() -> None:
            with trio.fail_after(86_400):
                await test(*args, **kwargs)

        trio.run(main, clock=MockClock(autojump_threshold=0))

    return run


@dataclass(frozen=True)
class Echo(Request[str]):
    """Answered with its text."""

    text: str


@dataclass(frozen=True)
class Who(Request[ActorContext]):
    """Answered with the incarnation's context."""


@dataclass(frozen=True)
class Sleep(Request[None]):
    """Answered after a while."""

    seconds: float


@dataclass(frozen=True)
class Crash(Request[None]):
    """Raises."""

    error: BaseException


@dataclass(frozen=True)
class Exit(Request[None]):
    """Ends the incarnation."""

    reason: ExitReason


@dataclass(frozen=True)
class Refuse(Request[None]):
    """Bad input."""


@dataclass(frozen=True)
class Keep(Request[str]):
    """Answered later, through `Probe.kept`."""


@dataclass(frozen=True)
class Run(Request[object]):
    """Run a function inside the actor and answer with what it returns."""

    function: Callable[[ActorContext], Awaitable[object]]


class Probe(Actor):
    """Notes its life in `record` as ``(time, text)``."""

    def __init__(self, record: "Record", id: str) -> None:
        self.record = record
        self.id = id

    async def start(self, ctx: ActorContext) -> None:
        self.record.note(f"start {self.id}")
        await self.record.starting.get(self.id, trio.lowlevel.checkpoint)()
        self.record.contexts[self.id] = ctx

    async def handle(self, message: object, ctx: ActorContext) -> object:
        match message:
            case Echo(text):
                self.record.note(f"{self.id} got {text}")
                return text
            case Who():
                return ctx
            case Sleep(seconds):
                await trio.sleep(seconds)
            case Crash(error):
                raise error
            case Exit(reason):
                ctx.exit(reason)
            case Refuse():
                raise RefusedError("no")
            case Keep():
                self.record.kept.append(ctx.defer())
            case Run(function):
                return await function(ctx)
            case _:
                return await super().handle(message, ctx)
        return None

    async def stop(self, reason: ExitReason) -> None:
        await self.record.stopping.get(self.id, trio.lowlevel.checkpoint)()
        self.record.note(f"stop {self.id}: {reason.name}")


class Record:
    """What happened, and what is to happen when the actors named start and stop."""

    def __init__(self) -> None:
        self.notes: list[tuple[float, str]] = []
        self.events: list[LifecycleEvent] = []
        self.starting: dict[str, Callable[[], Awaitable[None]]] = {}
        self.stopping: dict[str, Callable[[], Awaitable[None]]] = {}
        self.contexts: dict[str, ActorContext] = {}
        self.kept: list[Reply] = []
        self._waiting: list[tuple[str, str, trio.Event]] = []

    def note(self, text: str) -> None:
        self.notes.append((trio.current_time() - self.began, text))

    @property
    def began(self) -> float:
        """Virtual time starts at 0."""
        return 0.0

    @property
    def texts(self) -> list[str]:
        return [text for _, text in self.notes]

    def on_event(self, event: LifecycleEvent) -> None:
        self.events.append(event)
        for kind, id, met in self._waiting:
            if type(event).__name__ == kind and event.id == id:
                met.set()

    async def until(self, kind: str, id: str) -> None:
        """Wait for the next event of this kind about `id`."""
        met = trio.Event()
        self._waiting.append((kind, id, met))
        await met.wait()

    def told(self, id: str) -> list[str]:
        """The kinds of the events about `id`, in order."""
        return [type(event).__name__ for event in self.events if event.id == id]

    def spec(self, id: str, restart: Restart = Restart.PERMANENT, **more: object) -> ChildSpec:
        async def start() -> Actor:
            return Probe(self, id)

        fields = {"backoff": NO_BACKOFF, **more}
        return ChildSpec(id=id, start=start, restart=restart, **fields)  # type: ignore[arg-type]

    def tree(self, *ids: str, strategy: Strategy = Strategy.ONE_FOR_ONE, **more: object) -> SupervisorSpec:
        """A supervisor of plain probes."""
        children = tuple(self.spec(id, **more) for id in ids)
        return SupervisorSpec(strategy=strategy, intensity=1000, children=children)


async def fail(error: BaseException) -> None:
    """As a `starting` or `stopping`: raise."""
    await trio.lowlevel.checkpoint()
    raise error


async def hang_shielded() -> None:
    """As a `starting` or `stopping`: ignore every cancellation for an hour."""
    with trio.CancelScope(shield=True, deadline=trio.current_time() + 3600):
        await trio.sleep_forever()
