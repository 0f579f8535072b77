"""The actor runtime: what every command, message and crash passes through several times."""

from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime
from functools import partial

import trio

from perf.harness.bench import Scale, benchmark
from perf.harness.growth import Growth
from perf.harness.lab import Lab
from tmuxorc.actors import (
    Actor,
    ActorContext,
    Backoff,
    ChildSpec,
    Failed,
    Request,
    SupervisorSpec,
    open_system,
)
from tmuxorc.actors._core import SupervisorCore
from tmuxorc.actors._effects import Instant, Launch

Acts = AsyncIterator[Callable[[], object]]


class Ask(Request[int]):
    """A question."""


class Echo(Actor):
    """Answers with the number of messages so far; tells `done` when it has had so many."""

    def __init__(self) -> None:
        self.seen = 0
        self.goal = -1
        self.done = trio.Event()

    async def handle(self, message: object, ctx: ActorContext) -> int:
        """Count it."""
        self.seen += 1
        if self.seen == self.goal:
            self.done.set()
        if message == "crash":
            raise RuntimeError("asked to")
        return self.seen

    def after(self, more: int) -> trio.Event:
        """An event that is set once so many more messages came."""
        self.goal, self.done = self.seen + more, trio.Event()
        return self.done


def child(name: str, *actors: Echo, fresh: bool = False) -> ChildSpec:
    """One child; it is the given actor, or a new one each time."""

    async def start() -> Actor:
        return Echo() if fresh else actors[0]

    return ChildSpec(id=name, start=start, mailbox=1000, backoff=Backoff(immediate=1_000_000_000, max_streak=0))


@benchmark(feels="every command and every message waits longer inside the supervisor", beside="limits.trio_channel")
async def call(lab: Lab) -> Acts:
    """One question and its answer."""
    async with open_system(SupervisorSpec(children=(child("a", Echo()),))) as tree:
        ref = tree.ref("a")
        yield partial(ref.call, Ask(), timeout_s=5)


@benchmark(feels="bursts of events are worked off later", beside="limits.trio_channel_one_way")
async def cast(lab: Lab) -> Acts:
    """A hundred messages to one actor, until it has handled the last."""
    echo = Echo()
    async with open_system(SupervisorSpec(children=(child("a", echo),))) as tree:
        ref = tree.ref("a")

        async def act() -> None:
            done = echo.after(100)
            for _ in range(100):
                ref.cast_nowait(1)
            await done.wait()

        yield act


@benchmark(
    feels="a message to a whole team takes longer to reach its last agent",
    scale=Scale("actors", (10, 100, 300), quick=(10, 100, 300), growth=Growth.LINEAR, slack=0.7),
)
async def fan_out(lab: Lab, actors: int) -> Acts:
    """A question to each of many actors at once, until all have answered.

    Bare trio tasks cost more each, too, once there are so many that they leave the processor's caches.
    """
    async with open_system(SupervisorSpec(children=tuple(child(f"a{n}", Echo()) for n in range(actors)))) as tree:
        refs = [tree.ref(f"a{n}") for n in range(actors)]

        async def act() -> None:
            async with trio.open_nursery() as nursery:
                for ref in refs:
                    nursery.start_soon(partial(ref.call, Ask(), timeout_s=5))

        yield act


@benchmark(
    feels="a supervisor with many agents starts and stops more slowly",
    beside="limits.trio_nursery",
    scale=Scale("children", (10, 100, 300), quick=(10, 100, 300), growth=Growth.LINEAR, slack=0.75),
)
async def start_children(lab: Lab, children: int) -> Acts:
    """Start a tree, and stop it again.

    After each event the supervisor looks at every child, which for some hundreds costs less than keeping account.
    """
    spec = SupervisorSpec(children=tuple(child(f"a{n}", fresh=True) for n in range(children)))

    async def act() -> None:
        async with open_system(spec):
            pass

    yield act


@benchmark(feels="a crashed agent comes back later")
async def restart(lab: Lab) -> Acts:
    """An actor crashes and its next incarnation answers."""
    async with open_system(
        SupervisorSpec(children=(child("a", fresh=True),), intensity=1_000_000_000, period_s=0.001)
    ) as tree:
        ref, root = tree.ref("a"), tree.root

        async def act() -> None:
            before = (await root.children())[0].generation
            ref.cast_nowait("crash")
            while (await root.children())[0].generation == before:
                await trio.lowlevel.checkpoint()
            await ref.call(Ask(), timeout_s=5)

        yield act


NOW = datetime(2026, 1, 1, tzinfo=UTC)


@benchmark(
    feels="every crash and every start of an agent keeps the supervisor busy for longer",
    scale=Scale("children", (10, 100, 1000), quick=(10, 100, 1000), growth=Growth.LINEAR),
    counted=True,
)
def decisions(lab: Lab, children: int) -> Iterator[Callable[[], object]]:
    """One child ends, is restarted, and is up again."""
    specs = tuple(child(f"a{n}", fresh=True) for n in range(children))
    spec = SupervisorSpec(children=specs, intensity=1_000_000_000, period_s=0.0001)
    core = SupervisorCore(spec, path="", kill_limit_s=5.0, random=lambda: 0.5)
    clock = [1000.0]

    def launched(effects: object) -> list[Launch]:
        return [effect for effect in effects if isinstance(effect, Launch)]  # type: ignore[attr-defined]

    def now() -> Instant:
        clock[0] += 1.0
        return Instant(clock[0], NOW)

    pending = launched(core.start(now()))
    while pending:
        at = pending.pop()
        pending += launched(core.started(at.id, at.generation, now()))
    generation = [1]

    def act() -> None:
        moment = now()
        (launch,) = launched(core.exited("a5", generation[0], FAILED, moment))
        generation[0] = launch.generation
        core.started("a5", launch.generation, moment)

    yield act


FAILED = Failed(RuntimeError("x"))
