"""A world without tasks for the supervisor's core: incarnations exist on paper only."""

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tmuxorc.actors import (
    Actor,
    AutoShutdown,
    Backoff,
    ChildSpec,
    ExitReason,
    Failed,
    Finished,
    Killed,
    LifecycleEvent,
    Restart,
    StartFailed,
    Stopped,
    Strategy,
    SupervisorSpec,
)
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

EPOCH = datetime(2026, 1, 1, tzinfo=UTC)
NO_BACKOFF = Backoff(base_s=0.0, jitter=0.0, max_streak=0)
ERROR = RuntimeError("boom")
ABNORMAL: tuple[ExitReason, ...] = (Failed(ERROR), Killed())


async def no_actor() -> Actor:
    """The core never runs a factory."""
    raise AssertionError


def child(id: str, restart: Restart = Restart.PERMANENT, **more: object) -> ChildSpec:
    """A child without backoff unless `more` says otherwise."""
    fields = {"backoff": NO_BACKOFF, **more}
    return ChildSpec(id=id, start=no_actor, restart=restart, **fields)  # type: ignore[arg-type]


class Paper:
    """A core and its incarnations on paper.

    `live` maps ids to generations.  An incarnation asked to stop, or killed, is in `halting` until `obey` ends it.
    """

    def __init__(
        self,
        *children: ChildSpec,
        strategy: Strategy = Strategy.ONE_FOR_ONE,
        intensity: int = 1000,
        period_s: float = 5.0,
        auto_shutdown: AutoShutdown = AutoShutdown.NEVER,
        kill_limit_s: float = 5.0,
    ) -> None:
        spec = SupervisorSpec(
            strategy=strategy, intensity=intensity, period_s=period_s, auto_shutdown=auto_shutdown, children=children
        )
        self.now = 0.0
        self.core = SupervisorCore(spec, path="top", random=lambda: 0.5, kill_limit_s=kill_limit_s)
        self.live: dict[str, int] = {}
        self.unacknowledged: set[str] = set()
        self.halting: dict[str, ExitReason] = {}
        self.log: list[str] = []
        self.events: list[LifecycleEvent] = []
        self.settled: dict[object, BaseException | None] = {}
        self.ended: ExitReason | None = None
        self.ready = False
        self.leaked: list[tuple[str, int]] = []

    @property
    def instant(self) -> Instant:
        return Instant(self.now, EPOCH + timedelta(seconds=self.now))

    def take(self, effects: Iterable[Effect]) -> None:
        for effect in effects:
            self._take(effect)

    def _take(self, effect: Effect) -> None:
        match effect:
            case Launch(id, generation):
                assert id not in self.live, "two incarnations of one child at a time"
                self.live[id] = generation
                self.unacknowledged.add(id)
                self.log.append(f"launch {id}")
            case Halt(id, generation):
                assert self.live[id] == generation
                self.halting[id] = Stopped()
                self.log.append(f"halt {id}")
            case Kill(id, generation, reason):
                assert self.live[id] == generation
                self.halting[id] = reason
                self.log.append(f"kill {id}")
            case Abandon(id, generation):
                self.leaked.append((id, self.live.pop(id)))
                self.halting.pop(id, None)
                self.unacknowledged.discard(id)
            case Settle(order, _info, error):
                assert order not in self.settled, "an order answered twice"
                self.settled[order] = error
            case Emit(event):
                self.events.append(event)
            case End(reason):
                assert self.ended is None
                assert not self.live
                self.ended = reason
            case Ready():
                self.ready = True
            case Register() | Forget():
                pass

    # --- what incarnations do ---

    def acknowledge(self, id: str) -> None:
        self.unacknowledged.discard(id)
        self.take(self.core.started(id, self.live[id], self.instant))

    def end(self, id: str, reason: ExitReason) -> None:
        generation = self.live.pop(id)
        if id not in self.unacknowledged and id not in self.halting:
            self.take(self.core.ending(id, generation, reason, self.instant))
        self.unacknowledged.discard(id)
        self.halting.pop(id, None)
        self.take(self.core.exited(id, generation, reason, self.instant))

    def obey(self, id: str) -> None:
        self.end(id, self.halting[id])

    def crash(self, id: str) -> None:
        self.end(id, StartFailed(ERROR) if id in self.unacknowledged else Failed(ERROR))

    def finish(self, id: str) -> None:
        self.end(id, Finished())

    # --- time and the whole ---

    def tick(self, to: float | None = None) -> None:
        """Let time pass to the next deadline, or to `to`."""
        self.now = self.core.deadline if to is None else to
        self.take(self.core.tick(self.instant))
        assert self.core.deadline > self.now, "a timer that fires for ever"

    def settle(self) -> None:
        """All obey and acknowledge until nothing moves without time passing or something ending."""
        while self.halting or self.unacknowledged:
            for id in list(self.halting):
                self.obey(id)
            for id in list(self.unacknowledged - self.halting.keys()):
                self.acknowledge(id)

    def start(self) -> None:
        """Start everything and clear the log."""
        self.take(self.core.start(self.instant))
        self.settle()
        self.log.clear()

    def order(self, verb: str, id: str, name: object = None) -> None:
        method = getattr(self.core, verb)
        self.take(method(name if name is not None else (verb, id), id, self.instant))

    def status(self, id: str) -> str:
        status = self.core.status(id)
        return status.value if status is not None else "unknown"
